"""`execute --once`: every task once, with a trace of all that is sent and received."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from dataclasses import asdict
from functools import partial

import click

from planrunner.cli.leaving import Leaving
from planrunner.cli.streams import kept_for_results, stdout_for_documents
from planrunner.engine.debug.dry_run import DryRun
from planrunner.engine.debug.trace_events import TraceEvent
from planrunner.engine.recording.run_masker import RunMasker
from planrunner.engine.stop import Stop
from planrunner.engine.workers.local import run_masker
from planrunner.graph.run_graph import RunGraph
from planrunner.report.terminal.console import open_console
from planrunner.report.terminal.trace import TextTrace
from planrunner.report.terminal.trace_json import JsonTrace
from planrunner.results.exit_codes import ExitCode
from planrunner.runner.debug import dry_run
from planrunner.runner.reach import check_hosts, client_notices
from planrunner.runner.request import CompiledPlan
from planrunner.units import format_count

__all__ = ["try_once"]


def try_once(
    compiled: CompiledPlan,
    stop: Stop,
    leaving: Leaving,
    *,
    as_json: bool,
    full: bool,
    verbose: bool,
) -> int:
    """Run each task once, print the trace, and return the exit code.

    Raises:
        CannotRun: A service, the target, preflight or setup failed.
    """
    graph = compiled.graph
    for notice in client_notices(graph, compiled.request.variables()):
        click.echo(f"note: {notice}", err=True)
    mask = run_masker(graph)
    tell: TextTrace | JsonTrace
    console = open_console(sys.stdout)
    write = partial(click.echo, file=stdout_for_documents() if as_json else sys.stdout)
    names = not graph.shows_named
    tell = (
        JsonTrace(write, mask, covers_names=names)
        if as_json
        else TextTrace(console, mask, full=full, verbose=verbose, covers_names=names)
    )
    with kept_for_results():
        trial = asyncio.run(_tried(compiled, stop, leaving, tell, mask))
    if isinstance(tell, JsonTrace):
        tell.end({"event": "end", "seed": graph.seed, **asdict(trial)})
    else:
        tell.end()
        style = "bold red" if trial.failures else "bold green"
        console.print()
        console.print(_summary(graph, trial), style=style, soft_wrap=True)
    return ExitCode.THRESHOLD_FAILED if trial.failures else ExitCode.OK


async def _tried(
    compiled: CompiledPlan,
    stop: Stop,
    leaving: Leaving,
    tell: Callable[[TraceEvent], None],
    mask: RunMasker,
) -> DryRun:
    with leaving.asking(stop, patience_s=0):
        await check_hosts(compiled.graph, compiled.request.only_hosts)
        return await dry_run(compiled, tell, mask)


def _summary(graph: RunGraph, trial: DryRun) -> str:
    word = "FAIL" if trial.failures else "PASS"
    parts = [
        format_count(trial.tasks, "task"),
        format_count(trial.requests, "request"),
        f"{trial.failures} failed" if trial.failures else "",
        f"{trial.skipped} skipped" if trial.skipped else "",
        f"seed {graph.seed}",
        "no threshold was judged",
    ]
    return f"{word}  {' · '.join(filter(None, parts))}"

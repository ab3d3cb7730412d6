"""`execute --once`: every task once, with a trace of all that is sent and received."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import asdict

import click

from planrunner.cli.stdout import stdout_for_documents
from planrunner.clock import MonotonicClock
from planrunner.engine.debug.dry_run import DryRun, dry_run
from planrunner.engine.debug.trace import TraceEvent
from planrunner.graph.run_graph import RunGraph
from planrunner.language.secrets import Masker
from planrunner.protocols.base import ClientFactory
from planrunner.report.terminal.console import open_console
from planrunner.report.terminal.trace import JsonTrace, TextTrace
from planrunner.results.exit_codes import ExitCode
from planrunner.units import format_count

__all__ = ["try_once"]


async def try_once(
    graph: RunGraph,
    *,
    clients: Mapping[str, ClientFactory],
    around: AbstractAsyncContextManager[object],
    as_json: bool,
    full: bool,
) -> int:
    """Run each task once, print the trace, and return the exit code.

    `around` keeps the plan's services up, and lets nothing be sent to a target that is down.

    Raises:
        CannotRun: A service, the target, preflight or setup failed.
    """
    mask = Masker(graph.secrets)
    tell: Callable[[TraceEvent], None]
    console = open_console(sys.stdout)
    if as_json:
        stdout_for_documents()
    tell = JsonTrace(click.echo, mask) if as_json else TextTrace(console, mask, full=full)
    async with around:
        trial = await dry_run(graph, clients=clients, clock=MonotonicClock(), tell=tell)
    if as_json:
        click.echo(json.dumps({"event": "end", "seed": graph.seed, **asdict(trial)}))
    else:
        style = "bold red" if trial.failures else "bold green"
        console.print()
        console.print(_summary(graph, trial), style=style, soft_wrap=True)
    return ExitCode.THRESHOLD_FAILED if trial.failures else ExitCode.OK


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

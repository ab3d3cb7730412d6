"""`planrunner execute`: validate, compile, run, write reports, judge."""

from __future__ import annotations

import gc
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from planrunner.cli.leaving import Leaving
from planrunner.cli.limits import need_descriptors, workers_of
from planrunner.cli.plan_options import (
    PlanOptions,
    complete_formats,
    load_plan,
    parse_formats,
    parse_labels,
    with_plan_options,
)
from planrunner.cli.streams import stdout_for_documents
from planrunner.engine.recording.gc_tuning import keep_collections_short
from planrunner.engine.stop import Stop, interrupted_by
from planrunner.errors import UsageError
from planrunner.outputs.base import Output
from planrunner.report.terminal.progress import ProgressView
from planrunner.results.files.metrics_json import to_text as metrics_text
from planrunner.results.model import RunResult
from planrunner.runner.api import ResultLost, run
from planrunner.runner.event_loop import run_on_fast_loop
from planrunner.runner.progress_output import ProgressOutput
from planrunner.runner.reach import client_notices, foreign_hosts
from planrunner.runner.report_files import written_files
from planrunner.runner.request import PreparedRun, RunRequest, compile_request, prepare
from planrunner.units import NS_PER_S

__all__ = ["command"]


@click.command(
    "execute",
    short_help="run a plan",
    epilog="""\b
Examples:
  planrunner execute plans/stress.yaml
  planrunner execute plans/stress.yaml --set users=50 --set hold=1m
  planrunner execute plan.yaml --seed 7 --out results/nightly --label build=1.4.2 --quiet
  planrunner execute plans/stress.yaml --workers auto          all processors
  planrunner execute plan.yaml --once --task checkout          look at every request
  planrunner execute plan.yaml --profile load --env staging --env-file staging.env
  planrunner execute plan.yaml --phase peak --users 20 --hold 30s
  planrunner execute plan.yaml --user Buyer --task checkout --override phases.peak.hold=5s

\b
Ctrl-C ends the run gracefully and still writes the reports; a second Ctrl-C ends the process
within a second.
""",
)
@click.argument("plan", type=click.Path(path_type=Path))
@with_plan_options
@click.option(
    "--workers",
    metavar="N|auto",
    default="1",
    callback=workers_of,
    help="Share the load among N processes of this machine; `auto`: one for each processor.",
)
@click.option("--seed", type=click.IntRange(0), help="Seed of every random draw of this run.")
@click.option(
    "--label",
    "labels",
    multiple=True,
    metavar="NAME=VALUE",
    help="A label for the reports of this run. Repeatable.",
)
@click.option("--out", type=click.Path(path_type=Path), help="The run directory itself.")
@click.option(
    "--formats",
    shell_complete=complete_formats,
    help="Reports to write instead of the plan's: results.csv,report.html",
)
@click.option(
    "--strict",
    is_flag=True,
    help="End with 5 when the numbers are not valid: generator saturated, or load not reached.",
)
@click.option("--quiet", "-q", is_flag=True, help="Print no progress and no summary.")
@click.option(
    "--once",
    is_flag=True,
    help="Run each task once with one user and print what is sent and received: to debug a plan.",
)
@click.option("--full", "--trace", is_flag=True, help="With --once: print complete bodies.")
@click.option(
    "--show-secrets",
    is_flag=True,
    help="Show values that the plan doesn't declare to be secret but whose names look so, such as "
    "`token` or `Authorization`: in traces, failing requests and logs.",
)
@click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON document; with --once, one per line."
)
@click.pass_obj
def command(  # noqa: PLR0913, PLR0917 - one parameter for each option
    leaving: Leaving,
    plan: Path,
    options: PlanOptions,
    seed: int | None,
    labels: tuple[str, ...],
    out: Path | None,
    formats: str | None,
    *,
    workers: int,
    strict: bool,
    quiet: bool,
    once: bool,
    full: bool,
    show_secrets: bool,
    as_json: bool,
) -> int:
    """Validate, compile and run PLAN; write its reports and end with the verdict."""
    if once and workers != 1:
        raise UsageError("--once runs one user, so there is nothing for --workers to share")
    if full and not once:
        raise UsageError("--full (or --trace) needs --once", hint="add --once, or leave it out")
    stop = Stop()
    request = RunRequest(
        load_plan(plan, options, need_secrets=True),
        selection=options.selection,
        seed=seed,
        labels=parse_labels(labels),
        formats=None if formats is None else parse_formats(formats),
        directory=out,
        workers=workers,
        strict=strict,
        show_secrets=show_secrets,
        stop=stop,
    )
    if once:
        from planrunner.cli.once import try_once  # noqa: PLC0415 - a run under load has no trace

        compiled = compile_request(request)
        _own_process()
        return try_once(compiled, stop, leaving, as_json=as_json, full=full)
    prepared = prepare(request)
    _own_process()
    need_descriptors(-(-prepared.compiled.most_users // workers))
    outputs = () if quiet else (ProgressOutput(_view()),)
    try:
        result = run_on_fast_loop(_run(prepared, stop, leaving, outputs))
    except ResultLost as lost:
        # What was measured can't be kept, so it is shown at least.
        _show(lost.result, [], quiet=quiet)
        raise
    if as_json:
        click.echo(metrics_text(result), file=stdout_for_documents(), nl=False)
    else:
        files = written_files(prepared.graph, result, prepared.directory)
        _show(result, files, quiet=quiet)
    return result.exit_code


def _own_process() -> None:
    """Keep collections short, with the plan as what lives long."""
    if not gc.isenabled():  # `main` turned it off, so the process is ours
        keep_collections_short()


async def _run(
    prepared: PreparedRun, stop: Stop, leaving: Leaving, outputs: Sequence[Output]
) -> RunResult:
    graph, environ = prepared.graph, prepared.request.variables()
    graceful_ns = max((phase.graceful_stop_ns for phase in graph.phases), default=0)
    with leaving.asking(stop, patience_s=graceful_ns / NS_PER_S):
        with interrupted_by(stop):
            notes = (*await foreign_hosts(graph), *client_notices(graph, environ))
        for note in notes:
            click.echo(f"note: {note}", err=True)
        return await run(prepared, outputs)


def _show(result: RunResult, files: Sequence[Path], *, quiet: bool) -> None:
    if not quiet:
        from planrunner.report.terminal.console import open_console, print_summary  # noqa: PLC0415 - as below

        print_summary(result, open_console(sys.stdout), files=[str(path) for path in files])


def _view() -> ProgressView:
    # With --quiet nothing is drawn, so nothing is imported that draws.
    from planrunner.report.terminal.console import open_console  # noqa: PLC0415
    from planrunner.report.terminal.live import LineView, LiveView  # noqa: PLC0415

    console = open_console(sys.stderr)
    # A dumb terminal can't move its cursor: a frame for each second would fill the screen.
    live = console.is_terminal and not console.is_dumb_terminal
    return LiveView(console) if live else LineView(console)

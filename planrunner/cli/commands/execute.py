"""`planrunner execute`: validate, compile, run, write reports, judge."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from planrunner.cli.interrupts import interrupted_by_sigterm
from planrunner.cli.limits import need_descriptors, workers_of
from planrunner.cli.plan_options import (
    PlanOptions,
    compile_to_run,
    new_run_id,
    with_plan_options,
)
from planrunner.cli.stdout import stdout_for_documents
from planrunner.clock import MonotonicClock
from planrunner.compiler.source import GraphSource
from planrunner.engine.coordinator.coordinator import run
from planrunner.engine.recording.gc_tuning import keep_collections_short
from planrunner.engine.stop import Stop
from planrunner.engine.workers.remote_pool import WorkerHandle
from planrunner.errors import CannotRun, UsageError
from planrunner.graph.run_graph import RunGraph
from planrunner.language.expressions.expression import EvaluationError, to_text
from planrunner.language.secrets import Masker
from planrunner.outputs.base import Output, RunInfo
from planrunner.outputs.fan_out import FanOut
from planrunner.protocols.base import Scope
from planrunner.report.terminal.progress import ProgressView
from planrunner.results.exit_codes import ExitCode
from planrunner.results.files.baseline import measure_in, read_baseline
from planrunner.results.files.directory import SAMPLES, UNFINISHED, make_run_directory, room_held
from planrunner.results.files.metrics_json import to_text as metrics_text
from planrunner.results.files.metrics_json import write_metrics
from planrunner.results.model import RunResult
from planrunner.runner.build_result import build_result, start_result, with_validity_judged
from planrunner.runner.environment import around_load, check_targets, transport_notices
from planrunner.runner.event_loop import WORKER_COMMAND, client_factories, run_on_fast_loop
from planrunner.runner.progress_output import ProgressOutput
from planrunner.runner.reach import announce, say_proxies
from planrunner.runner.report_files import open_samples, write_outputs
from planrunner.values import dataclass

__all__ = ["command"]


@dataclass(frozen=True, slots=True)
class _Run:
    """One run on its way from the command line to its result."""

    graph: RunGraph
    source: GraphSource
    workers: int
    baseline: RunResult | None
    run_id: str
    directory: Path
    outputs: Sequence[Output]


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
Ctrl-C once ends the run gracefully and still writes the reports; twice leaves at once.
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
    help="A label that the reports of this run carry; may be given many times.",
)
@click.option("--out", type=click.Path(path_type=Path), help="The run directory itself.")
@click.option("--formats", help="Which reports to write, over the plan's: results.csv,report.html")
@click.option(
    "--strict",
    is_flag=True,
    help="End with 5 when the numbers are not valid: generator saturated, or load not reached.",
)
@click.option("--quiet", "-q", is_flag=True, help="No progress and no summary; the exit code says.")
@click.option(
    "--once",
    is_flag=True,
    help="Run each task once with one user and print what is sent and received: to debug a plan.",
)
@click.option("--full", "--trace", is_flag=True, help="With --once: print bodies whole.")
@click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON document; with --once one a line."
)
@interrupted_by_sigterm()
def command(  # noqa: PLR0913 - one parameter for each option
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
    as_json: bool,
) -> int:
    """Validate, compile and run PLAN; write its reports and end with the verdict."""
    if once and workers != 1:
        raise UsageError("--once has one user, so --workers has nothing to share")
    if full and not once:
        raise UsageError("--full (or --trace) goes with --once", hint="add --once, or leave it out")
    graph, source = compile_to_run(plan, options, seed=seed, formats=formats, labels=labels)
    if not gc.isenabled():  # `main` turned it off, so the process is ours
        keep_collections_short()
    if once:
        return _try_once(graph, as_json=as_json, full=full)
    need_descriptors(-(-_connections(graph) // workers))
    baseline = read_baseline(Path(graph.baseline))
    run_id = new_run_id()
    outputs = () if quiet else (ProgressOutput(_view()),)
    directory = make_run_directory(out or _directory(graph, run_id))
    with Masker(graph.secrets).errors():
        result = _run(_Run(graph, source, workers, baseline, run_id, directory, outputs))
    if strict:
        result = with_validity_judged(result)
    try:
        with interrupted_by_sigterm():
            result, files = write_outputs(graph, result, directory)
    except CannotRun:
        # What was measured can't be kept, so it is shown at least.
        _show(replace(result, exit_code=ExitCode.CANNOT_RUN), [], quiet=quiet)
        raise
    if as_json:
        click.echo(metrics_text(result), file=stdout_for_documents(), nl=False)
    else:
        _show(result, files, quiet=quiet)
    return result.exit_code


def _try_once(graph: RunGraph, *, as_json: bool, full: bool) -> int:
    from planrunner.cli.once import try_once  # noqa: PLC0415 - a run under load has no trace

    @asynccontextmanager
    async def around() -> AsyncIterator[None]:
        _cancel_on_sigterm()
        with TemporaryDirectory() as scratch:
            async with around_load(
                graph,
                directory=Path(scratch),
                run_id="",
                environ=os.environ,
                clock=MonotonicClock(),
                stop=Stop(),
            ):
                if not graph.preflight:
                    await check_targets(graph)
                yield

    say_proxies(graph, os.environ)
    trial = try_once(
        graph, clients=client_factories(graph), around=around(), as_json=as_json, full=full
    )
    with Masker(graph.secrets).errors():
        try:
            return asyncio.run(trial)
        except asyncio.CancelledError as error:
            raise KeyboardInterrupt from error


def _run(job: _Run) -> RunResult:
    """Run to the end; a run that did not begin leaves no directory."""
    try:
        with room_held(job.directory):
            return run_on_fast_loop(_execute(job))
    except BaseException as error:
        # The log of a service that did not start says why; nobody asked for that of one that would.
        interrupted = isinstance(error, asyncio.CancelledError | KeyboardInterrupt)
        _forget(job.directory, logs=interrupted)
        if isinstance(error, asyncio.CancelledError):  # SIGTERM before the load
            raise KeyboardInterrupt from error
        raise


def _forget(directory: Path, *, logs: bool) -> None:
    """Remove the directory of a run that never began; samples that were taken are kept."""
    samples = directory / SAMPLES
    with suppress(OSError):
        if not any(file.stat().st_size for file in directory.glob(f"{samples.stem}*.bin")):
            own = (*directory.glob(f"{samples.stem}*"), directory / UNFINISHED)
            for file in (*own, *(directory.glob("*.log") if logs else ())):
                file.unlink(missing_ok=True)
            directory.rmdir()


def _show(result: RunResult, files: Sequence[Path], *, quiet: bool) -> None:
    if not quiet:
        from planrunner.report.terminal.console import open_console, print_summary  # noqa: PLC0415 - as below

        print_summary(result, open_console(sys.stdout), files=[str(path) for path in files])


def _connections(graph: RunGraph) -> int:
    """Return how many users there can be at once, each with a connection."""
    return max((phase.load.most_users for phase in graph.phases), default=0)


def _directory(graph: RunGraph, run_id: str) -> Path:
    if graph.report.directory is None:
        time = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
        return Path("reports") / graph.slug / f"{time}-{run_id}"
    names: Scope = {"run": {"id": run_id, "seed": graph.seed}}
    try:
        return Path(to_text(graph.report.directory(names)))
    except EvaluationError as error:
        raise UsageError(f"`report.dir` has no value: {error.message}") from error


def _view() -> ProgressView:
    # With --quiet nothing is drawn, so nothing is imported that draws.
    from planrunner.report.terminal.console import open_console  # noqa: PLC0415
    from planrunner.report.terminal.live import LineView, LiveView  # noqa: PLC0415

    console = open_console(sys.stderr)
    # A dumb terminal can't move its cursor: a frame for each second would fill the screen.
    live = console.is_terminal and not console.is_dumb_terminal
    return LiveView(console) if live else LineView(console)


async def _execute(job: _Run) -> RunResult:
    clock = MonotonicClock()
    stop = Stop()
    _cancel_on_sigterm()
    notices = await announce(job.graph, os.environ)
    notices = (*job.graph.notices, *notices, *_baseline_notices(job), *transport_notices(job.graph))
    job = replace(job, graph=replace(job.graph, notices=notices))
    around = around_load(
        job.graph,
        directory=job.directory,
        run_id=job.run_id,
        environ=os.environ,
        clock=clock,
        stop=stop,
    )
    # Workers compile the plan while services start.
    async with _workers(job) as peers, around as beside:
        if not job.graph.preflight:  # which asks more of the target
            await check_targets(job.graph)
        # The load begins now: services are up, and took time to come.
        started = datetime.now(UTC)
        begun = start_result(job.graph, job.run_id, started=started)
        with suppress(CannotRun):  # it only helps to tell what became of a killed run
            write_metrics(begun, job.directory / UNFINISHED)
        samples = open_samples(job.graph, job.directory, started)
        _stop_on_signals(stop)
        graph, mask = job.graph, Masker(job.graph.secrets)
        info = RunInfo(
            job.run_id, graph.name, graph.profile, graph.seed, graph.labels, job.directory
        )
        async with FanOut(job.outputs, info, mask=mask) as fan_out:
            try:
                outcome = await run(
                    job.graph,
                    clients=client_factories(job.graph),
                    clock=clock,
                    listener=fan_out.tell,
                    samples=samples,
                    stop=stop,
                    run_id=job.run_id,
                    run_dir=str(job.directory),
                    beside=beside,
                    handles=peers,
                    baseline=None if job.baseline is None else measure_in(job.baseline),
                )
            finally:
                if samples is not None:
                    samples.close()
            result = build_result(job.graph, outcome, started=started)
            await fan_out.close(result)
        return replace(result, notices=(*result.notices, *map(mask, fan_out.notices())))


def _baseline_notices(job: _Run) -> Iterator[str]:
    asks = any(
        threshold.value.of_baseline and not threshold.not_applicable
        for threshold in job.graph.thresholds
    )
    if asks and job.baseline is None:
        yield (
            f"there is no baseline `{job.graph.baseline}`, so thresholds that compare with one "
            "are n/a; `planrunner baseline promote RUN` makes it"
        )
    elif asks and job.baseline is not None:
        for what, now in (("plan", job.graph.name), ("profile", job.graph.profile)):
            before = getattr(job.baseline, what)
            if before != now:
                yield f"the baseline is of {what} `{before}`, not of `{now}`"


@asynccontextmanager
async def _workers(job: _Run) -> AsyncIterator[Sequence[WorkerHandle]]:
    """Start the processes of workers; none for a single one, which lives in this process."""
    if job.workers == 1:
        yield ()
        return
    from planrunner.engine.workers.local_processes import worker_processes  # noqa: PLC0415 - seldom used

    names = {"id": job.run_id, "dir": str(job.directory), "seed": job.graph.seed}
    async with worker_processes(
        job.workers, command=WORKER_COMMAND, source=job.source, names=names
    ) as peers:
        yield peers


def _cancel_on_sigterm() -> None:
    """Until the load begins, SIGTERM ends it all like Ctrl-C: services are stopped."""
    task = asyncio.current_task()
    assert task is not None
    with suppress(NotImplementedError):  # on Windows the process just ends
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)


def _stop_on_signals(stop: Stop) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        reason = f"interrupted by {signal.Signals(number).name}"
        with suppress(NotImplementedError):
            loop.add_signal_handler(number, stop.request, reason)

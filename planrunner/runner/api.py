"""Runs a plan for any caller: the command line, Python code, a test, a web page.

Nothing here prints, ends the process or listens to signals. All that a run has is its own, so runs
may follow each other in one process, or go on side by side in one event loop.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, closing, contextmanager, nullcontext, suppress
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from planrunner.clock import MonotonicClock
from planrunner.engine import Background, RunOutcome, Stop
from planrunner.engine import run as run_engine
from planrunner.engine.recording.gc_tuning import look_past_what_came
from planrunner.engine.recording.run_masker import RunMasker
from planrunner.engine.stop import interrupted_by
from planrunner.engine.workers.local import run_masker
from planrunner.engine.workers.presence.attendance import Tolerance
from planrunner.errors import CannotRun, Interrupted
from planrunner.graph.run_graph import RunGraph
from planrunner.outputs.base import Output, RunInfo, WantedOutput, WithSamples
from planrunner.outputs.fan_out import FanOut
from planrunner.results.exit_codes import ExitCode, worst
from planrunner.results.files.baseline import measure_in, phases_in
from planrunner.results.files.directory import (
    METRICS,
    SAMPLES,
    UNFINISHED,
    make_run_directory,
    missing_folders,
    room_held,
)
from planrunner.results.files.metrics_json import write_metrics
from planrunner.results.model import RunResult, WrittenFile
from planrunner.runner.build_result import build_result, start_result, with_validity_judged
from planrunner.runner.data.files import FOLDER, with_files_written
from planrunner.runner.environment import (
    around_load,
    check_targets,
    examine_requests,
    transport_notices,
)
from planrunner.runner.event_loop import client_factories
from planrunner.runner.outputs.wanted import file_places, make_outputs
from planrunner.runner.reach import client_notices
from planrunner.runner.report_files import open_samples, samples_path, write_reports
from planrunner.runner.request import PreparedRun, RunRequest, prepare
from planrunner.runner.tool_runs import tool_runs
from planrunner.runner.workers.started import started_workers
from planrunner.target import mask_log
from planrunner.timing.load_watch import looking, watched_load
from planrunner.timing.machine import Conditions
from planrunner.timing.run_queue import RunQueue

if TYPE_CHECKING:
    from planrunner.engine.workers.worker_state import WorkerHandle

__all__ = ["ResultLost", "run"]

_MOST_PHASES: Final = 4
"""Names in a notice."""


class ResultLost(CannotRun):
    """The run has ended, and its result can't be written.

    Attributes:
        result: What was measured.
    """

    def __init__(self, error: CannotRun, result: RunResult) -> None:
        super().__init__(error.message, hint=error.hint)
        self.result = result


async def run(request: RunRequest | PreparedRun, outputs: Sequence[Output] = ()) -> RunResult:
    """Run a plan to its end, write its reports, and return its result.

    Broken thresholds are no error: they, and the exit code that stands for it all, are in the
    result. A run that is stopped while its load runs has a result too.

    Args:
        request: What to run, in which way.
        outputs: Receive the run while it lasts; each serves this run only.

    Raises:
        PlanError: The plan is invalid.
        UsageError: The request asks for what cannot be.
        CannotRun: A service, the target, preflight, an output or the directory is not ready;
            nothing is left of the run. `ResultLost`: it was, but its result can't be kept.
        Interrupted: It was stopped before its load. Later, it ends with what was measured.
    """
    prepared = request if isinstance(request, PreparedRun) else prepare(request)
    stop = prepared.request.stop or Stop()
    recipients, directory = prepared.recipients, prepared.directory
    if not recipients.nodes:
        return await _reported_run(prepared, outputs, stop)
    from planrunner.runner.notify.telling import tell_refusal, tell_result  # noqa: PLC0415 - few plans tell anybody

    try:
        result = await _reported_run(prepared, outputs, stop)
    except CannotRun as error:
        await tell_refusal(recipients, prepared.graph, error, directory)
        raise
    return await tell_result(recipients, result, directory, stop)


async def _reported_run(prepared: PreparedRun, outputs: Sequence[Output], stop: Stop) -> RunResult:
    """Run a plan and write its reports.

    Raises:
        CannotRun: As `run`; nobody was told.
        Interrupted: As `run`.
    """
    mask = run_masker(prepared.graph)
    with mask.errors():
        missing = missing_folders(prepared.directory)
        make_run_directory(prepared.directory)
        with (
            _forgotten_unless_begun(prepared.directory, missing),
            room_held(prepared.directory) as give_back,
        ):
            result = await _Run(prepared, outputs, stop, mask, give_back).result()
        try:
            return await _reported(prepared, result, stop)
        except CannotRun as error:
            if stop.settled is not None:  # it was kept before, and only its reports are not
                return replace(result, notices=(*result.notices, error.message))
            lost = replace(result, exit_code=ExitCode.CANNOT_RUN)
            raise ResultLost(error, lost) from error


class _Run:
    """One run between its directory and its reports."""

    def __init__(
        self,
        prepared: PreparedRun,
        outputs: Sequence[Output],
        stop: Stop,
        mask: RunMasker,
        give_room_back: Callable[[], None],
    ) -> None:
        graph = prepared.graph
        notices = (
            *graph.notices,
            *client_notices(graph, prepared.request.variables()),
            *_baseline_notices(graph, prepared.baseline),
            *transport_notices(graph),
        )
        self._graph = replace(graph, notices=notices)
        self._prepared = prepared
        self._outputs = outputs
        self._stop = stop
        self._give_room_back = give_room_back
        self._clock = MonotonicClock()
        self._mask = mask
        run_id, directory = prepared.run_id, prepared.directory
        self._wanted = make_outputs(graph, run_id, directory, mask)
        receivers = (*outputs, *(wanted.output for wanted in self._wanted))
        is_watched = any(isinstance(one, WithSamples) and one.wants_samples for one in receivers)
        self._samples = samples_path(graph, directory, is_watched=is_watched)
        self._files: tuple[WrittenFile, ...] = ()

    async def result(self) -> RunResult:
        """Bring up what the load needs, and run it.

        Raises:
            CannotRun: Something is not ready.
            Interrupted: It was stopped before the load.
        """
        graph, prepared, mask = self._graph, self._prepared, self._mask
        try:
            with interrupted_by(self._stop) as load_begins:
                # Workers compile the plan while files are written and services start.
                async with (
                    started_workers(prepared) as workers,
                    self._around_load() as background,
                ):
                    if not graph.preflight:  # which asks more of the target
                        await check_targets(graph)
                    await examine_requests(graph, prepared.compiled.plan.document)
                    outputs: list[Output | WantedOutput] = [*self._outputs, *self._wanted]
                    async with FanOut(outputs, self._info(), mask=mask) as fan_out:
                        look_past_what_came()
                        load_begins()
                        # Services are up, which took time.
                        started = datetime.now(UTC)
                        outcome, machine = await self._load(
                            started, fan_out, workers.handles, background
                        )
                        result = build_result(
                            self._graph, outcome, started=started, mask=mask, machine=machine
                        )
                        result = replace(result, files=self._files)
                        if prepared.request.strict:
                            result = with_validity_judged(result)
                        await self._keep(result)
                        with self._stop.listening(fan_out.hurry):
                            await fan_out.close(result)
        finally:  # services have ended
            unmasked = self._mask_logs()
        notices = (*result.notices, *map(mask, fan_out.notices()), *unmasked, *workers.notices)
        code = result.exit_code
        if not fan_out.has_all_required:
            code = worst((code, ExitCode.CANNOT_RUN))
        return replace(result, notices=notices, exit_code=code)

    def _info(self) -> RunInfo:
        graph, prepared = self._graph, self._prepared
        return RunInfo(
            run_id=prepared.run_id,
            plan=graph.name,
            profile=graph.profile,
            seed=graph.seed,
            labels=graph.labels,
            directory=prepared.directory,
            mask=self._mask,
            locate=file_places(prepared.compiled.source.bundle.folders),
            samples=self._samples,
            tell=prepared.request.tell,
        )

    @asynccontextmanager
    async def _around_load(self) -> AsyncIterator[Background]:
        """Write files of test data, then bring up services and monitors."""
        prepared = self._prepared
        self._graph, self._files = await with_files_written(
            self._graph, prepared.directory, prepared.run_id, prepared.request.tell
        )
        async with around_load(
            self._graph,
            directory=prepared.directory,
            run_id=prepared.run_id,
            environ=prepared.request.variables(),
            clock=self._clock,
            stop=self._stop,
            mask=self._mask,
        ) as background:
            yield background

    def _mask_logs(self) -> tuple[str, ...]:
        """Take what was learnt during the run out of the logs of services."""
        if not self._mask.has_learnt:
            return ()
        logs = [self._prepared.directory / f"{node.name}.log" for node in self._graph.services]
        return tuple(
            f"{log.name} could not be searched for secrets that were learnt during the run"
            for log in logs
            if not mask_log(log, self._mask)
        )

    async def _keep(self, result: RunResult) -> None:
        """Write metrics.json before services stop and outputs end, which may take long.

        From then on the run's exit code is known, whatever ends the process.
        """
        self._give_room_back()
        write = partial(write_metrics, result, self._prepared.directory / METRICS)
        with suppress(CannotRun):  # it is tried once more with the reports
            await asyncio.to_thread(self._stop.settle, result.exit_code, write)

    async def _load(
        self,
        started: datetime,
        fan_out: FanOut,
        handles: Sequence[WorkerHandle],
        background: Background,
    ) -> tuple[RunOutcome, Conditions]:
        graph, prepared = self._graph, self._prepared
        begun = start_result(graph, prepared.run_id, started=started)
        begun = replace(begun, files=self._files)
        with suppress(CannotRun):  # it only says what became of a run that was killed
            write_metrics(begun, prepared.directory / UNFINISHED)
        samples = open_samples(graph, self._samples, started)
        baseline = prepared.baseline
        with (
            nullcontext() if samples is None else closing(samples),
            closing(RunQueue()) as run_queue,
            watched_load() as machine,
        ):
            outcome = await run_engine(
                graph,
                clients=client_factories(graph),
                clock=self._clock,
                listener=looking(machine, fan_out.tell),
                samples=samples,
                stop=self._stop,
                steering=prepared.request.steering,
                run_id=prepared.run_id,
                run_dir=str(prepared.directory),
                beside=background,
                handles=handles,
                tolerance=Tolerance(lost=prepared.request.tolerate),
                baseline=None if baseline is None else measure_in(baseline, _running(graph)),
                waits=run_queue.read,
                mask=self._mask,
                tools=tool_runs(
                    graph, prepared.directory, prepared.request.variables(), self._mask
                ),
            )
            return outcome, machine.conditions()


def _baseline_notices(graph: RunGraph, baseline: RunResult | None) -> Iterator[str]:
    asks = any(
        threshold.value.of_baseline and not threshold.not_applicable
        for threshold in graph.thresholds
    )
    if asks and baseline is None:
        yield (
            f"there is no baseline `{graph.baseline}`, so thresholds that compare with one "
            "are n/a; create it with `planrunner baseline promote RUN`"
        )
    elif asks and baseline is not None:
        for what, now in (("plan", graph.name), ("profile", graph.profile)):
            before = getattr(baseline, what)
            if before != now:
                yield f"the baseline is from {what} `{before}`, not from `{now}`"
        yield from _without_counterpart(graph, baseline)


def _running(graph: RunGraph) -> Mapping[str, str]:
    return {phase.name: phase.matrix for phase in graph.phases}


def _without_counterpart(graph: RunGraph, baseline: RunResult) -> Iterator[str]:
    """Say of thresholds which of their phases the baseline doesn't have."""
    there = phases_in(baseline)
    by_phases: dict[tuple[str, ...], list[str]] = {}
    for threshold in graph.thresholds:
        if threshold.value.of_baseline and not threshold.not_applicable:
            metric = threshold.metrics[0]
            lacking = (
                phase.name
                for phase in graph.phases
                if metric.scope.takes(phase.name) and phase.name not in there
            )
            by_phases.setdefault(tuple(lacking), []).append(f"`{threshold}`")
    for phases, thresholds in by_phases.items() if there else ():
        if phases:
            shown = ", ".join(f"`{phase}`" for phase in phases[:_MOST_PHASES])
            more = f" and {over} more" if (over := len(phases[_MOST_PHASES:])) else ""
            yield (
                f"{', '.join(thresholds)}: the baseline lacks {shown}{more}, so those have no "
                "counterpart there; promote a run of the same phases"
            )


@contextmanager
def _forgotten_unless_begun(directory: Path, made: Sequence[Path]) -> Iterator[None]:
    """Remove the directory of a run that ends with an error; samples that were taken are kept.

    The folders that were `made` for it go with it, the innermost first.
    """
    try:
        yield
    except BaseException as error:
        # The log of a service that did not start says why; after an interruption it has no use.
        is_interrupted = isinstance(error, asyncio.CancelledError | KeyboardInterrupt | Interrupted)
        _forget(directory, logs=is_interrupted)
        with suppress(OSError):  # the first that has something in it stays, with those around it
            for folder in made:
                folder.rmdir()
        raise


def _forget(directory: Path, *, logs: bool) -> None:
    samples = directory / SAMPLES
    if (directory / METRICS).exists():
        return
    with suppress(OSError):
        if not any(file.stat().st_size for file in directory.glob(f"{samples.stem}*.bin")):
            own = (*directory.glob(f"{samples.stem}*"), directory / UNFINISHED)
            printed = [log for log in directory.glob("*.log") if logs or not log.stat().st_size]
            for file in (*own, *printed, *directory.glob(f"{FOLDER}/*")):
                file.unlink(missing_ok=True)
            with suppress(FileNotFoundError):
                (directory / FOLDER).rmdir()
            directory.rmdir()


async def _reported(prepared: PreparedRun, result: RunResult, stop: Stop) -> RunResult:
    """Write the reports beside the event loop, which may have another run to serve.

    Raises:
        CannotRun: The result itself can't be written.
    """
    is_given_up = threading.Event()
    write = partial(write_reports, baseline=prepared.baseline)
    writing = asyncio.ensure_future(
        asyncio.to_thread(
            write, prepared.graph, result, prepared.directory, stop, is_given_up.is_set
        )
    )
    try:
        return await asyncio.shield(writing)
    except asyncio.CancelledError:
        is_given_up.set()
        await asyncio.gather(writing, return_exceptions=True)
        raise

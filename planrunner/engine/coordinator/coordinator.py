"""Runs a compiled plan: phases in order, a look at everything each second, one outcome.

The coordinator here schedules, merges and reports; a pool of workers runs users. That is one worker
in this process, or several in processes of their own, that send the same `Drained` values.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, cast

from planrunner.clock import Clock
from planrunner.engine.coordinator.accumulator import Accumulator
from planrunner.engine.coordinator.background import Background
from planrunner.engine.coordinator.capacity_search import Search
from planrunner.engine.coordinator.events import (
    Event,
    Logged,
    Noticed,
    PhaseEnded,
    PhaseStarted,
    RunEnded,
    RunStarted,
    Stopping,
    Tick,
)
from planrunner.engine.coordinator.outcome import PhaseTimes, RunOutcome, StageTimes
from planrunner.engine.coordinator.worker_pool import RunningPhase, WorkerPool
from planrunner.engine.load_models.blocks import once_timeline
from planrunner.engine.load_models.user_pool import ON_STOP_NS
from planrunner.engine.recording.run_masker import RunMasker
from planrunner.engine.scheduling.interruptible_sleep import InterruptibleSleep
from planrunner.engine.scheduling.timeline import FOREVER_NS, SearchTimeline, Timeline, timeline_of
from planrunner.engine.steering import Steering
from planrunner.engine.stop import Ending, Stop, StopLevel
from planrunner.engine.tool_runs.tool_phase import StartTool
from planrunner.engine.workers.local import Drained, Worker, channels_of
from planrunner.engine.workers.presence.attendance import NO_LOSS, Tolerance
from planrunner.engine.workers.remote_pool import RemotePool
from planrunner.engine.workers.ticker import each_second, keep_sweeping
from planrunner.engine.workers.worker_state import WorkerHandle
from planrunner.errors import CannotRun
from planrunner.graph.loads import ToolLoad, any_open_ended
from planrunner.graph.run_graph import Block, PhaseNode, RunGraph, SearchLoad
from planrunner.metrics.judging.evidence import Baseline
from planrunner.metrics.snapshot import Snapshot
from planrunner.protocols.base import Client, ClientFactory
from planrunner.results.files.samples import SampleWriter
from planrunner.timing.run_queue import Waits
from planrunner.units import NS_PER_S

__all__ = ["Listener", "run"]

Listener = Callable[[Event], None]


async def run(  # noqa: PLR0913 - the one place where a run's parts meet
    graph: RunGraph,
    *,
    clients: Mapping[str, ClientFactory],
    clock: Clock,
    listener: Listener = lambda _: None,
    samples: SampleWriter | None = None,
    stop: Stop | None = None,
    steering: Steering | None = None,
    run_id: str = "",
    run_dir: str = "",
    now: Callable[[], float] = lambda: datetime.now(UTC).timestamp(),
    beside: Background | None = None,
    handles: Sequence[WorkerHandle] = (),
    tolerance: Tolerance = NO_LOSS,
    baseline: Baseline | None = None,
    waits: Callable[[], Waits] | None = None,
    mask: RunMasker | None = None,
    tools: StartTool | None = None,
) -> RunOutcome:
    """Run all phases of the graph and return what happened; call it once per event loop task.

    Args:
        graph: What to run.
        clock: Source of all time.
        run_id: What expressions see as `run.id`.
        clients: How to open a client, by protocol; only those the plan uses are opened.
        listener: Called from the event loop for each event; returns at once and never raises.
        samples: Gets a row for each request; flushed here, closed by the caller.
        stop: Ask it to end the run early.
        steering: Ask it to change the load of a phase that runs.
        run_dir: What expressions see as `run.dir`.
        beside: What goes on beside the load, and what it measures.
        now: What expressions see as `now()`: seconds since 1970 in UTC.
        handles: Workers that run the users; without any, that happens in this process.
        tolerance: What the run bears of them.
        baseline: Gives values of the baseline, so that thresholds that use it can abort too.
        waits: Says how long this thread has waited for its processor, on the same time as `clock`.
        mask: Takes secrets out of what is told, and learns those that users meet.
        tools: Makes a phase's run of another tool; only plans with such phases need it.

    Raises:
        CannotRun: A client could not be opened, the hooks file not be imported, a worker not be
            had, or preflight failed; nothing else was sent.
    """
    async with AsyncExitStack() as stack:
        opened: dict[str, Client] = {}
        # With workers, nothing is left for this process but what belongs to no phase.
        own = replace(graph, users=(), phases=(), data=()) if handles else graph
        for protocol in channels_of(own):
            settings = cast("Any", graph.settings.get(protocol, {}))  # opaque to the engine
            opened[protocol] = clients[protocol](settings, clock)
            stack.push_async_callback(opened[protocol].close)
        stop = stop or Stop()
        run_names = {"id": run_id, "dir": run_dir, "seed": graph.seed}
        worker = Worker(
            own,
            clients=opened,
            clock=clock,
            samples=samples,
            stop=stop,
            scope={**graph.scope, "run": run_names, "now": now},
            waits=waits,
            mask=mask,
        )
        stack.callback(worker.close)
        pool: WorkerPool = worker
        if handles:
            pool = remote = RemotePool(
                graph,
                handles,
                home=worker,
                clock=clock,
                stop=stop,
                tell=lambda words: listener(Noticed(words)),
                tolerance=tolerance,
            )
            stack.push_async_callback(remote.dismiss)
            await remote.muster()
            worker.begin(clock.now_ns(), samples)
            remote.start(worker.started_ns, samples)
        coordinator = _Coordinator(
            graph,
            worker=worker,
            pool=pool,
            clock=clock,
            stop=stop,
            listener=listener,
            beside=beside or Background(),
            baseline=baseline,
            steering=steering or Steering(),
            tools=tools,
        )
        try:
            return await coordinator.run(run_id)
        except BaseExceptionGroup as group:
            # Task groups wrap what went wrong in one of their tasks; there is one thing to say.
            raise _first(group) from group


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    first = group.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first


class _Coordinator:
    def __init__(  # noqa: PLR0913 - the places where it touches its run
        self,
        graph: RunGraph,
        *,
        worker: Worker,
        pool: WorkerPool,
        clock: Clock,
        stop: Stop,
        listener: Listener,
        beside: Background,
        baseline: Baseline | None,
        steering: Steering,
        tools: StartTool | None,
    ) -> None:
        self._graph = graph
        self._worker = worker
        self._pool = pool
        self._clock = clock
        self._stop = stop
        self._steering = steering
        self._tools = tools
        self._tell = listener
        self._running: dict[str, Timeline] = {}
        self._phases: list[PhaseTimes] = []
        self._beside = beside
        self._accumulator = Accumulator(
            graph, started_ns=worker.started_ns, gauges=beside.gauges, baseline=baseline
        )
        self._insight = self._accumulator.insight(pool)
        self._load_ns = worker.started_ns
        self._looking = asyncio.Lock()
        self._new: Snapshot | None = None  # what no tick has told yet

    async def run(self, run_id: str) -> RunOutcome:
        graph, started_ns = self._graph, self._worker.started_ns
        planned_ns = 0 if any_open_ended(phase.load for phase in graph.phases) else graph.planned_ns
        self._tell(RunStarted(run_id, graph.name, graph.seed, started_ns, planned_ns))
        forget = self._stop.listen(self._told)
        self._steering.listen(self._tell)
        try:
            async with asyncio.TaskGroup() as background:
                control = [
                    background.create_task(keep_sweeping(self._worker, graph, self._clock)),
                    background.create_task(each_second(self._worker, self._clock, self._second)),
                    background.create_task(self._look_at_ends()),
                    *(
                        background.create_task(watch())
                        for watch in (*self._beside.watches, *self._pool.watches)
                    ),
                ]
                await self._run_all()
                for task in control:
                    task.cancel()
        finally:
            forget()
        last = self._drain().snapshot
        self._accumulator.notice_pool(self._pool)
        self._accumulator.notices += self._beside.notices()
        self._tell(RunEnded(self._stop.ending, self._stop.reason, self._new or last))
        return self._accumulator.outcome(
            run_id,
            stop=self._stop,
            ended_ns=self._clock.now_ns(),
            phases=self._in_order(),
            changes=self._steering.changes,
        )

    async def _run_all(self) -> None:
        """Run preflight, setup, the phases and teardown.

        Raises:
            CannotRun: Preflight failed; nothing else was sent.
        """
        graph = self._graph
        failed = await self._run_once("preflight", Block(graph.preflight), StopLevel.GRACEFUL)
        if failed:
            hint = "start or repair the target; nothing else was sent"
            raise CannotRun(f"preflight failed: {failed}", hint=hint)
        if self._stop.level is not StopLevel.RUNNING:
            return
        try:
            failed = await self._run_once("setup", graph.setup, StopLevel.GRACEFUL)
            if failed:
                self._stop.request(f"`setup` failed: {failed}", ending=Ending.CANNOT_RUN)
            self._load_ns = self._clock.now_ns() + self._pool.lead_ns
            await self._run_phases()
        finally:  # whatever happened: what setup made has to be taken away
            self._drain()  # lines that the load logged don't keep those of teardown out
            failed = await self._run_once("teardown", graph.teardown, StopLevel.AT_ONCE)
            if failed:
                self._accumulator.notices.append(f"`teardown` failed: {failed}")

    async def _run_once(self, name: str, block: Block | None, until: StopLevel) -> str:
        """Run a block unless the run is told to stop at the level `until`, or above it."""
        if block is None or not block.steps or self._stop.level >= until:
            return ""
        now_ns = self._clock.now_ns()
        self._running[name] = once_timeline(name, now_ns)
        async with asyncio.TaskGroup() as group:
            task = group.create_task(self._worker.run_once(name, block))

            def told() -> None:
                if self._stop.level >= until:
                    task.cancel()

            forget = self._stop.listen(told)
            task.add_done_callback(lambda _: forget())
        del self._running[name]
        return "" if task.cancelled() else task.result()

    async def _run_phases(self) -> None:
        async with asyncio.TaskGroup() as beside:
            for phase in self._graph.phases:
                if phase.start_at_ns is not None:
                    beside.create_task(self._run_phase(phase))
            for phase in self._graph.phases:
                if phase.start_at_ns is None:
                    await self._run_phase(phase)

    async def _run_phase(self, phase: PhaseNode) -> None:
        sleeper = InterruptibleSleep(self._clock)
        forget = self._stop.listen(sleeper.cut_short)
        lead_ns, due_ns = self._pool.lead_ns, 0
        try:
            if phase.start_at_ns is not None:
                due_ns = self._load_ns + phase.start_at_ns
                await sleeper.until(due_ns - lead_ns)
            if self._stop.level is StopLevel.RUNNING:
                await self._run_at(max(due_ns, self._clock.now_ns() + lead_ns), phase, sleeper)
        finally:
            forget()

    async def _run_at(self, begin_ns: int, phase: PhaseNode, sleeper: InterruptibleSleep) -> None:
        load = phase.load
        timeline = timeline_of(phase, begin_ns)
        self._running[phase.name] = timeline
        self._tell(
            PhaseStarted(
                phase.name,
                timeline.started_ns,
                load.planned_ns,
                load.most_users,
                _ending_ns(self._graph, phase),
            )
        )
        if isinstance(load, ToolLoad):
            await self._run_tool(phase, timeline)
        elif isinstance(load, SearchLoad):
            await self._search(phase, timeline, self._pool.open_phase(phase, timeline), sleeper)
        else:
            bound = self._pool.open_phase(phase, timeline)
            shares = [program.share for program in self._graph.programs_of(phase)]
            with self._steering.running(phase, shares, timeline, bound, self._clock):
                await bound.run(load, timeline.started_ns)
        times = _times(phase, timeline, self._clock.now_ns())
        del self._running[phase.name]
        self._phases.append(times)
        self._tell(PhaseEnded(times))

    async def _run_tool(self, phase: PhaseNode, timeline: Timeline) -> None:
        """Have another tool run, once, beside this process however many workers there are."""
        assert self._tools is not None
        tool = self._worker.open_tool(phase, timeline, self._tools(phase))
        ended = await tool.run(self._stop)
        self._accumulator.notices += tool.notices(ended)
        self._accumulator.tool_faults += tool.doubts(ended)
        if fault := tool.fault(ended):
            self._stop.request(fault, ending=Ending.CANNOT_RUN)

    async def _search(
        self, phase: PhaseNode, timeline: Timeline, bound: RunningPhase, sleeper: InterruptibleSleep
    ) -> None:
        assert isinstance(timeline, SearchTimeline)
        search = Search(
            phase,
            bound=bound,
            timeline=timeline,
            accumulator=self._accumulator,
            drain=self._drain,
            stop=self._stop,
            sleeper=sleeper,
        )
        found = await search.run(self._clock.now_ns)
        self._accumulator.steps += search.steps
        self._accumulator.found.append(found)

    async def _look_at_ends(self) -> None:
        """Look as well whenever a window of a threshold ends that may abort the run."""
        while True:
            now_ns = self._clock.now_ns()
            end_ns = self._accumulator.next_end_ns(now_ns)
            # A phase that begins meanwhile has windows too.
            await self._clock.sleep_until(min(end_ns or FOREVER_NS, now_ns + NS_PER_S))
            if end_ns is not None and self._clock.now_ns() >= end_ns:
                async with self._looking:
                    await self._pool.catch_up()
                    self._judge()

    async def _second(self, second: int) -> None:
        async with self._looking:
            await self._pool.second_is_in(second)
            drained = self._judge()
        new, self._new = self._new, None
        self._tell(
            Tick(
                second,
                tuple(phase.name for phase in self._graph.phases if phase.name in self._running),
                new or drained.snapshot,
                self._accumulator.total,
                drained.health,
                self._insight,
            )
        )

    def _judge(self) -> Drained:
        drained, accumulator = self._drain(), self._accumulator
        if (reason := accumulator.unreachable()) is not None:
            self._stop.request(reason, ending=Ending.CANNOT_RUN)
        if (reason := accumulator.broken()) is not None:
            self._stop.request(reason, ending=Ending.ABORTED)
        return drained

    def _drain(self) -> Drained:
        drained = self._pool.drain()
        self._new = drained.snapshot if self._new is None else self._new.then(drained.snapshot)
        measured = [part for times in self._phases for part in times.measured]
        for timeline in self._running.values():
            measured += timeline.measured(drained.snapshot.end_ns)
        self._accumulator.add(drained, tuple(measured))
        if drained.log.lines:
            self._tell(Logged(drained.log.lines, drained.log.suppressed))
        return drained

    def _in_order(self) -> tuple[PhaseTimes, ...]:
        """Return the phases that ran as the plan has them: which ended first is chance."""
        ran = {times.name: times for times in self._phases}
        return tuple(ran[phase.name] for phase in self._graph.phases if phase.name in ran)

    def _told(self) -> None:
        """Somebody asked the run to end, or asked once more."""
        if self._stop.level is StopLevel.GRACEFUL:
            self._tell(Stopping(self._stop.ending, self._stop.reason))


def _times(phase: PhaseNode, timeline: Timeline, gone_ns: int) -> PhaseTimes:
    warmup_ends_ns = timeline.warmup_ends_ns
    if phase.load.is_foreign:  # what comes before its first request is no warm-up
        warmup_ends_ns = timeline.started_ns + phase.warmup_ns
    return PhaseTimes(
        timeline.phase,
        begin_ns=timeline.started_ns,
        end_ns=timeline.ends_ns,
        gone_ns=gone_ns,
        warmup_end_ns=min(warmup_ends_ns, timeline.ends_ns),
        stages=tuple(StageTimes(*stage) for stage in timeline.stages()),
        measured=tuple(timeline.measured(timeline.ends_ns)),
        steered_ns=timeline.steered_ns if timeline.steered_ns < timeline.ends_ns else None,
    )


def _ending_ns(graph: RunGraph, phase: PhaseNode) -> int:
    """Return how long a phase may take to end when it is asked to."""
    has_on_stop = any(program.on_stop for program in graph.programs_of(phase))
    return phase.graceful_stop_ns + has_on_stop * ON_STOP_NS

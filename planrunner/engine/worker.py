"""A worker: runs the users of each phase in this process and drains what they wrote.

It knows neither listeners nor thresholds nor other workers; the coordinator (`run`) does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Final

from planrunner.clock import Clock
from planrunner.compiler.graph import (
    GroupNode,
    PhaseNode,
    RequestNode,
    RunGraph,
    StepNode,
    UserProgram,
)
from planrunner.engine.crowd import Surroundings
from planrunner.engine.health import Health, HealthProbe
from planrunner.engine.outcome import PhaseTimes, StageTimes
from planrunner.engine.phases.closed import ClosedPhase
from planrunner.engine.recorder import PhaseRecorder
from planrunner.engine.steps import Binder, Place, Wires
from planrunner.engine.stop import Stop
from planrunner.engine.tally import Tally
from planrunner.engine.timeline import Timeline
from planrunner.engine.user import BoundProgram, BoundTask
from planrunner.metrics.book import SeriesBook
from planrunner.metrics.snapshot import Snapshot
from planrunner.protocols.base import Client, Scope
from planrunner.results.samples import SampleWriter
from planrunner.units import NS_PER_MS

__all__ = ["Drained", "Worker", "protocols_of", "requests_of", "sweep_interval_ns"]

_SWEEP_MOST_NS: Final = 100 * NS_PER_MS
_SWEEP_LEAST_NS: Final = 10 * NS_PER_MS
_SWEEPS_PER_TIMEOUT: Final = 20  # a request may outlive its timeout by 5 %


@dataclass(frozen=True, slots=True)
class Drained:
    """What a worker sends about once a second; `tally` holds totals, the rest is new."""

    snapshot: Snapshot
    tally: Tally
    health: Health


class Worker:
    """Runs users in the current process.

    Attributes:
        started_ns: The start of the run (clock time).
    """

    def __init__(
        self,
        graph: RunGraph,
        *,
        clients: Mapping[str, Client],
        clock: Clock,
        samples: SampleWriter | None,
        stop: Stop,
        scope: Scope,
    ) -> None:
        self._graph = graph
        self._clock = clock
        self._samples = samples
        self._stop = stop
        self.started_ns = clock.now_ns()
        self._book = SeriesBook(self.started_ns)
        self._around = Surroundings(clock=clock, wires=Wires(clients), scope=scope, seed=graph.seed)
        self._tasks: dict[tuple[str, str], tuple[BoundTask, ...]] = {}
        self._probe = HealthProbe(self.started_ns)
        self._undelivered: Snapshot | None = None
        for request in requests_of(graph):
            self._around.wires.bind(request.exchange)  # what can't be bound says so before load

    @property
    def overflowed(self) -> bool:
        return self._book.overflowed

    async def run_phase(self, phase: PhaseNode, timeline: Timeline) -> PhaseTimes:
        """Run all of a phase; returns when its last user has gone."""
        recorder = PhaseRecorder(
            phase.name,
            timeline=timeline,
            book=self._book,
            samples=self._samples,
            origin_ns=self.started_ns,
        )
        closed = ClosedPhase(
            phase,
            programs=self._bind(phase, recorder),
            timeline=timeline,
            surroundings=self._around,
            stop=self._stop,
        )
        await closed.run()
        return PhaseTimes(
            phase.name,
            begin_ns=timeline.started_ns,
            end_ns=timeline.ends_ns,
            gone_ns=self._clock.now_ns(),
            warmup_end_ns=timeline.warmup_ends_ns,
            stages=tuple(StageTimes(*stage) for stage in timeline.stages()),
            measured=tuple(timeline.measured(timeline.ends_ns)),
        )

    def sweep(self, due_ns: int) -> None:
        """Fail the requests whose deadline has passed."""
        now_ns = self._clock.now_ns()
        self._probe.woke(due_ns=due_ns, now_ns=now_ns)
        for client in self._around.wires.clients:
            client.sweep(now_ns)

    def collect(self) -> None:
        """Turn what the hot path wrote into histograms, and write raw samples, a part at a time.

        Several times a second: a pause of the loop that is one long would show in latencies.
        """
        part = self._book.drain(self._clock.now_ns(), self._around.alive)
        self._undelivered = part if self._undelivered is None else self._undelivered.then(part)
        if self._samples is not None:
            self._samples.flush(self._book.opened)

    def drain(self) -> Drained:
        """Return what happened since the last time."""
        self.collect()
        snapshot, self._undelivered = self._undelivered, None
        assert snapshot is not None  # collect has just set it
        return Drained(snapshot, self._tally(), self._probe.read(self._clock.now_ns()))

    def _tally(self) -> Tally:
        tally = Tally()
        tally.add(self._around.tally)
        for (phase, user_class), tasks in self._tasks.items():
            for task in tasks:
                tally.picks[phase, user_class, task.name] = task.begun
        return tally

    def _bind(self, phase: PhaseNode, recorder: PhaseRecorder) -> dict[str, BoundProgram]:
        next_iteration = count().__next__
        named = {name for name, _ in phase.load.exact}
        return {
            program.name: self._bind_program(program, recorder, next_iteration)
            for program in self._graph.users
            if program.name in phase.classes or program.name in named
        }

    def _bind_program(
        self, program: UserProgram, recorder: PhaseRecorder, next_iteration: Callable[[], int]
    ) -> BoundProgram:
        binder = Binder(recorder, self._around.wires)
        tasks = []
        for task in program.tasks:
            place = Place(program.name, task.name, tags=task.tags)
            record = binder.span("iteration", "", place)
            tasks.append(BoundTask(task.name, binder.steps(task.steps, place), record))
        self._tasks[recorder.phase, program.name] = tuple(tasks)
        outside = Place(program.name)
        return BoundProgram(
            program=program,
            phase=recorder.phase,
            timeline=recorder.timeline,
            tasks=tuple(tasks),
            on_start=binder.steps(program.on_start, outside),
            on_stop=binder.steps(program.on_stop, outside),
            next_iteration=next_iteration,
        )


def requests_of(graph: RunGraph) -> Iterator[RequestNode]:
    """Yield every request of every class."""
    for program in graph.users:
        for steps in (program.on_start, *(task.steps for task in program.tasks), program.on_stop):
            yield from _requests(steps)


def _requests(steps: tuple[StepNode, ...]) -> Iterator[RequestNode]:
    for step in steps:
        if isinstance(step, RequestNode):
            yield step
        elif isinstance(step, GroupNode):
            yield from _requests(step.steps)


def protocols_of(graph: RunGraph) -> tuple[str, ...]:
    """Return the protocols that the plan's requests use, in the order of their first use."""
    return tuple(dict.fromkeys(request.exchange.protocol for request in requests_of(graph)))


def sweep_interval_ns(graph: RunGraph) -> int:
    """Return how often to look for requests whose time is up."""
    shortest_ns = min((r.exchange.timeout_ns for r in requests_of(graph)), default=_SWEEP_MOST_NS)
    return min(max(shortest_ns // _SWEEPS_PER_TIMEOUT, _SWEEP_LEAST_NS), _SWEEP_MOST_NS)

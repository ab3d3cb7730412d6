"""A worker: runs the users of each phase in this process and drains what they wrote.

It knows neither listeners nor thresholds nor other workers; the coordinator (`run`) does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import field
from typing import Final

from planrunner.clock import Clock
from planrunner.engine.load_models.blocks import once_timeline, run_block
from planrunner.engine.load_models.bound_phase import BoundPhase
from planrunner.engine.load_models.user_pool import WorkerContext
from planrunner.engine.recording.counters import Counters
from planrunner.engine.recording.failure_samples import FailingRequests
from planrunner.engine.recording.generator_health import Health, HealthProbe
from planrunner.engine.recording.recorder import PhaseRecorder
from planrunner.engine.recording.run_masker import RunMasker
from planrunner.engine.scheduling.lateness import Punctuality
from planrunner.engine.scheduling.timeline import Timeline
from planrunner.engine.sharing.sharing import Sharing
from planrunner.engine.steps.binder import Binder, StepPlace
from planrunner.engine.steps.step_services import LogLines, LogSink, StepServices
from planrunner.engine.steps.wires import Wires
from planrunner.engine.stop import Ending, Stop
from planrunner.engine.tool_runs.tool_phase import RunningTool, ToolPhase
from planrunner.engine.users.bound_class import BoundProgram
from planrunner.engine.users.bound_task import BoundTask
from planrunner.engine.users.data_feeds import Feeds
from planrunner.engine.workers.assignment import held_rows, iteration_numbers, throttle_of
from planrunner.graph.run_graph import (
    Block,
    FunctionNode,
    PhaseNode,
    RequestNode,
    RunGraph,
    StepNode,
    UserProgram,
    barriers_of,
    walk_steps,
)
from planrunner.metrics.book import Crowded, SeriesBook
from planrunner.metrics.histogram import Histogram
from planrunner.metrics.judging.evidence import ArrivalCounts
from planrunner.metrics.snapshot import Snapshot
from planrunner.protocols import registry
from planrunner.protocols.base import Client, Scope
from planrunner.results.files.samples import SampleWriter
from planrunner.results.record import FailingSample
from planrunner.schedule.partition import ALL, WorkerShare
from planrunner.schedule.turns import Turns
from planrunner.timing.run_queue import Waits
from planrunner.units import NS_PER_MS
from planrunner.values import dataclass

__all__ = [
    "Drained",
    "Worker",
    "channels_of",
    "protocols_of",
    "requests_of",
    "run_masker",
    "sent_requests",
    "steps_of",
    "sweep_interval_ns",
]

_SWEEP_MOST_NS: Final = 100 * NS_PER_MS
_SWEEP_LEAST_NS: Final = 10 * NS_PER_MS
_SWEEPS_PER_TIMEOUT: Final = 20  # a request may outlive its timeout by 5 %


@dataclass(frozen=True, slots=True)
class Drained:
    """What a worker sends about once a second; `counters` holds totals, the rest is new.

    Attributes:
        arrivals: What became of iterations that had a due time, in order of time.
        lateness: How long after it they started, by phase.
        failing: The first requests that failed in each way.
        learnt: Secrets that users met.
    """

    snapshot: Snapshot
    counters: Counters
    health: Health
    log: LogSink
    arrivals: tuple[ArrivalCounts, ...] = ()
    lateness: Mapping[str, Histogram] = field(default_factory=dict)
    failing: tuple[FailingSample, ...] = ()
    learnt: tuple[str, ...] = field(default=(), repr=False)


class Worker:
    """Runs users in the current process.

    Attributes:
        started_ns: The start of the run (clock time).
        mask: Takes secrets out of what is told of users, those included that they meet.
        sharing: What its users share.
        lead_ns: How long before its begin a phase has to be opened.
    """

    lead_ns: Final = 0
    watches: Final = ()
    size: Final = 1
    start_spread_ns: Final = 0
    apart: Final = None
    links: Final = ()
    standings: Final = staticmethod(tuple)

    def __init__(  # noqa: PLR0913 - all that a worker is made of
        self,
        graph: RunGraph,
        *,
        clients: Mapping[str, Client],
        clock: Clock,
        samples: SampleWriter | None,
        stop: Stop,
        scope: Scope,
        share: WorkerShare = ALL,
        waits: Callable[[], Waits] | None = None,
        mask: RunMasker | None = None,
    ) -> None:
        self._graph = graph
        self._clock = clock
        self._samples = samples
        self._stop = stop
        context = WorkerContext(
            clock=clock, wires=Wires(clients), scope=scope, seed=graph.seed, share=share
        )
        self._context = context
        self.mask = mask or run_masker(graph)
        self._log = LogLines(self.mask)
        self.sharing = Sharing(graph, scope)
        # Before the clock starts: listing the places of many rows takes its time.
        self._feeds = Feeds(
            graph,
            scope=scope,
            stop=stop,
            counters=context.counters,
            share=share,
            needs=held_rows(graph, share.workers),
        )
        self._feeds.tell_secrets(self.mask.learn)
        self.started_ns = clock.now_ns()
        self._failing = FailingRequests(self.mask, self.mask.message)
        self._book = SeriesBook(self.started_ns, mask=self.mask)
        self._tasks: dict[tuple[str, str], tuple[BoundTask, ...]] = {}
        self._warm_tasks: dict[tuple[str, str], tuple[BoundTask, ...]] = {}
        self._waits = waits
        self._probe = HealthProbe(self.started_ns, waits=waits)
        self._undelivered: Snapshot | None = None
        self._punctual: list[Punctuality] = []
        context.wires.listen(self._log.write)
        context.wires.bind_all(requests_of(graph))  # what can't be bound says so before load
        context.counters.costs = context.wires.costs(requests_of(graph))

    @property
    def overflowed(self) -> bool:
        return self._book.overflowed

    @property
    def crowded(self) -> tuple[Crowded, ...]:
        """What had more words than it may."""
        return self._book.crowded

    @property
    def sampling_stopped(self) -> str:
        """Why raw samples are written no more; empty while they are."""
        return "" if self._samples is None else self._samples.notice

    @property
    def scope(self) -> Scope:
        """The names that every user starts with; `setup` adds some."""
        return self._context.scope

    def begin(self, started_ns: int, samples: SampleWriter | None) -> None:
        """Count time from a moment that all workers have in common; before any phase."""
        self.started_ns = started_ns
        self._samples = samples
        self._book = SeriesBook(started_ns, mask=self.mask)
        self._probe.close()
        self._probe = HealthProbe(started_ns, waits=self._waits)

    async def catch_up(self) -> None:
        """Do as a `WorkerPool` of one: what happened until now is known here."""

    async def second_is_in(self, second: int) -> None:
        """Do as a `WorkerPool` of one: what happened until then is known here."""

    async def run_once(self, name: str, block: Block) -> str:
        """Run a block that belongs to no phase; returns what failed, in words, or nothing."""
        recorder = self._recorder(name, once_timeline(name, self._clock.now_ns()))
        binder = Binder(recorder, self._context.wires, self._services(_stop_no_phase))
        return self.mask(await run_block(name, block, context=self._context, binder=binder))

    def _recorder(
        self, phase: str, timeline: Timeline, *, is_warmup: bool = False
    ) -> PhaseRecorder:
        return PhaseRecorder(
            phase,
            timeline=timeline,
            book=self._book,
            samples=self._samples,
            origin_ns=self.started_ns,
            mask=self.mask.words,
            look_at=self.mask.look_at,
            seek=self.mask.seek,
            failing=self._failing,
            measures=self._graph.measures,
            is_warmup=is_warmup,
        )

    def open_phase(self, phase: PhaseNode, timeline: Timeline) -> BoundPhase:
        """Bind a phase, so that it can run now."""
        recorder = self._recorder(phase.name, timeline)
        bound = BoundPhase(
            phase,
            timeline=timeline,
            bind=lambda stop_phase: self._bind(phase, recorder, stop_phase=stop_phase),
            context=self._context,
            stop=self._stop,
        )
        self._punctual.append(bound.punctual)
        return bound

    def open_tool(self, phase: PhaseNode, timeline: Timeline, run: RunningTool) -> ToolPhase:
        """Make the run of another tool ready."""
        recorder = self._recorder(phase.name, timeline)
        return ToolPhase(phase, recorder, run, clock=self._clock, alive=self._context.alive)

    def sweep(self, due_ns: int) -> None:
        """Fail the requests whose deadline has passed."""
        now_ns = self._clock.now_ns()
        self._probe.woke(due_ns=due_ns, now_ns=now_ns)
        for client in self._context.wires.clients:
            client.sweep(now_ns)

    def collect(self) -> None:
        """Turn what the hot path wrote into histograms, and write raw samples, a part at a time.

        Several times a second: a pause of the loop that is one long would show in latencies.
        """
        self.mask.prepare()
        part = self._book.drain(self._clock.now_ns(), self._context.alive)
        self._undelivered = part if self._undelivered is None else self._undelivered.then(part)
        if self._samples is not None:
            self._samples.flush(self._book.opened)

    def close(self) -> None:
        """Let go of the data files."""
        self._feeds.close()
        self._probe.close()

    def drain(self) -> Drained:
        """Return what happened since the last time."""
        self.collect()
        snapshot, self._undelivered = self._undelivered, None
        assert snapshot is not None  # collect has just set it
        now_ns = self._clock.now_ns()
        arrived = [pair for punctual in self._punctual for pair in punctual.drain(now_ns)]
        arrived.sort(key=lambda pair: pair[0].at_ns)
        lateness: dict[str, Histogram] = {}
        for arrivals, lateness_ns in arrived:
            lateness.setdefault(arrivals.phase, Histogram()).record_many(lateness_ns)
        return Drained(
            snapshot,
            self._counters(),
            self._probe.read(now_ns),
            self._log.drain(),
            tuple(arrivals for arrivals, _ in arrived),
            lateness,
            self._failing.drain(),
            self.mask.drain(),
        )

    def _counters(self) -> Counters:
        counters = Counters()
        counters.add(self._context.counters)
        for protocol, account in self._context.wires.accounts():
            counters.account(protocol, account)
        for name, pool in self.sharing.kept.items():
            counters.pool_drops[name] = pool.dropped
        for (phase, user_class), tasks in self._tasks.items():
            for task in tasks:
                key = phase, user_class, task.name
                warm = self._warm_tasks[phase, user_class]
                counters.picks[key] = task.begun + sum(
                    one.begun for one in warm if one.name == task.name
                )
                counters.skips[key] = task.skipped
                counters.substitutions[key] = task.substituted
                counters.gained[key] = task.gained
        return counters

    def _bind(
        self, phase: PhaseNode, recorder: PhaseRecorder, *, stop_phase: Callable[[], None]
    ) -> dict[str, BoundProgram]:
        share = self._context.share
        next_iteration = iteration_numbers(self._graph, phase, share)
        throttle = throttle_of(self._graph, phase, share)
        turns = None if throttle is None else Turns(throttle)
        services = self._services(stop_phase)
        binder = Binder(recorder, self._context.wires, services, turns)
        warm_up = None
        if phase.warmup_iterations:
            warm = self._recorder(phase.name, recorder.timeline, is_warmup=True)
            warm_up = Binder(warm, self._context.wires, services, turns)
        return {
            program.name: self._bind_program(
                program, recorder, binder, next_iteration, warm_up=warm_up
            )
            for program in self._graph.programs_of(phase)
        }

    def _services(self, stop_phase: Callable[[], None]) -> StepServices:
        return StepServices(
            log=self._log,
            stop_phase=stop_phase,
            stop_plan=self._stop_plan,
            sharing=self.sharing,
        )

    def _stop_plan(self) -> None:
        self._stop.request("a step of the plan ran `stop: plan`", ending=Ending.FINISHED)

    def _fail_plan(self, reason: str) -> None:
        self._stop.request(self.mask(reason), ending=Ending.CANNOT_RUN)

    def _bind_program(
        self,
        program: UserProgram,
        recorder: PhaseRecorder,
        binder: Binder,
        next_iteration: Callable[[], int],
        *,
        warm_up: Binder | None = None,
    ) -> BoundProgram:
        tasks, warm_tasks = _tasks(program, binder), _tasks(program, warm_up)
        self._tasks[recorder.phase, program.name] = tasks
        self._warm_tasks[recorder.phase, program.name] = warm_tasks
        services = StepPlace(program.name)
        gates = (self.sharing.gate(recorder.phase, node) for node in barriers_of(program))
        return BoundProgram(
            program=program,
            phase=recorder.phase,
            timeline=recorder.timeline,
            tasks=tasks,
            on_start=binder.steps(program.on_start, services),
            on_stop=binder.steps(program.on_stop, services),
            next_iteration=next_iteration,
            feeds=self._feeds.of(program),
            warm_tasks=warm_tasks,
            stop_plan=self._fail_plan,
            gatherings=tuple(dict.fromkeys(gates)),
        )


def _tasks(program: UserProgram, binder: Binder | None) -> tuple[BoundTask, ...]:
    return tuple(binder.task(task, program.name) for task in program.tasks) if binder else ()


def _stop_no_phase() -> None:
    """Do nothing: the compiler lets no block that runs outside of phases stop one."""


def steps_of(graph: RunGraph) -> Iterator[StepNode]:
    """Yield every step of the plan, those inside others included."""
    yield from graph.preflight
    for block in (graph.setup, graph.teardown):
        if block is not None:
            yield from walk_steps(block.steps)
    for program in graph.programs():
        for steps in (program.on_start, *(task.steps for task in program.tasks), program.on_stop):
            yield from walk_steps(steps)


def run_masker(graph: RunGraph) -> RunMasker:
    """Return what masks the plan's secrets, and can learn those that its users meet."""
    return RunMasker(graph, steps_of(graph))


def requests_of(graph: RunGraph) -> Iterator[RequestNode]:
    """Yield every request of the plan; of functions what is known of them before they run."""
    for step in steps_of(graph):
        if isinstance(step, RequestNode):
            yield step
        elif isinstance(step, FunctionNode):
            yield from step.likely


def sent_requests(graph: RunGraph) -> Iterator[RequestNode]:
    """Yield every request of the plan, and those that its functions have sent so far."""
    for step in steps_of(graph):
        if isinstance(step, RequestNode):
            yield step
        elif isinstance(step, FunctionNode):
            yield from step.compiled


def protocols_of(graph: RunGraph) -> tuple[str, ...]:
    """Return the protocols that the plan's requests use, in the order of their first use."""
    found: dict[str, None] = {}
    for step in steps_of(graph):
        if isinstance(step, RequestNode):
            found[step.exchange.protocol] = None
        elif isinstance(step, FunctionNode):
            found |= dict.fromkeys(step.channels)
    return tuple(found)


def channels_of(graph: RunGraph) -> tuple[str, ...]:
    """Return what needs a client: these protocols, and those that they build on."""
    used = protocols_of(graph)
    bases = (registry.base_of(channel, graph.settings) for channel in used)
    return tuple(dict.fromkeys((*used, *filter(None, bases))))


def sweep_interval_ns(graph: RunGraph) -> int:
    """Return how often to look for requests whose time is up."""
    shortest_ns = min((r.exchange.timeout_ns for r in requests_of(graph)), default=_SWEEP_MOST_NS)
    return min(max(shortest_ns // _SWEEPS_PER_TIMEOUT, _SWEEP_LEAST_NS), _SWEEP_MOST_NS)

"""Run graphs made by hand, and a protocol that answers in virtual time."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from planrunner.clock import Clock
from planrunner.engine import Event, RunOutcome, Steering, Stop, Tick, run
from planrunner.engine.tool_runs.tool_phase import StartTool
from planrunner.graph.run_graph import (
    ClosedLoad,
    Pause,
    PauseKind,
    PhaseNode,
    ReportSettings,
    RequestNode,
    RunGraph,
    Stage,
    StepNode,
    TaskProgram,
    ThinkNode,
    UserProgram,
)
from planrunner.metrics.judging.evidence import Baseline
from planrunner.metrics.series import Labels
from planrunner.metrics.snapshot import SeriesTotal
from planrunner.metrics.thresholds import parse_threshold
from planrunner.protocols.base import (
    Check,
    Client,
    Exchange,
    Extractor,
    FailureKind,
    Reply,
    Scope,
    Session,
)
from planrunner.results.files.samples import SampleWriter
from planrunner.timing.run_queue import Waits
from planrunner.units import NS_PER_MS, NS_PER_S
from tests.support.own_steps import OWN_CLIENTS
from tests.support.virtual_time import VirtualClock, run_virtual

__all__ = [
    "NEVER",
    "Answer",
    "FakeClient",
    "FakeSession",
    "FakeTarget",
    "Told",
    "closed",
    "counts",
    "make_graph",
    "pause",
    "request",
    "run_graph",
    "task",
    "think",
    "user_class",
]

NEVER = -1
"""The delay of an answer that doesn't come: the request waits for the deadline sweep."""


@dataclass(frozen=True)
class Answer:
    """What the fake target answers to a request.

    Attributes:
        connect_ns: Time until the first byte is written.
        delay_ns: Time from then to the reply's end.
        rest_ns: Of that, what comes after the reply's first byte.
    """

    delay_ns: int = 10 * NS_PER_MS
    status: int = 200
    failure: FailureKind | None = None
    connect_ns: int = 0
    received: int = 10
    body: bytes | None = None
    detail: str = ""
    rest_ns: int = 0


Operation = Answer | Callable[[Scope], Answer]


@dataclass
class FakeTarget:
    """What all clients of a test talk to, and what they did."""

    requests: int = 0
    by_user: Counter[object] = field(default_factory=Counter)
    asked_ns: list[int] = field(default_factory=list)
    scopes: list[Scope] = field(default_factory=list)
    headers: list[tuple[str, str | None]] = field(default_factory=list)
    sessions_opened: int = 0
    sessions_closed: int = 0
    clients_closed: int = 0
    sweeps: int = 0
    renewed: int = 0
    waiting: int = 0

    def open(self, settings: Mapping[str, Any], clock: Clock) -> Client:
        return FakeClient(self, clock)


class FakeClient:
    """Implements `protocols.base.Client`: an operation is an `Answer`, or what gives one."""

    def __init__(self, target: FakeTarget, clock: Clock) -> None:
        self.target = target
        self.clock = clock
        self.deadlines: dict[asyncio.Future[None], int] = {}

    def bind(self, exchange: Exchange) -> Exchange:
        return exchange

    def session(self) -> Session:
        self.target.sessions_opened += 1
        return FakeSession(self)

    def sweep(self, now_ns: int) -> None:
        self.target.sweeps += 1
        for waiter, deadline_ns in tuple(self.deadlines.items()):
            if deadline_ns <= now_ns and not waiter.done():
                waiter.set_result(None)

    async def close(self) -> None:
        self.target.clients_closed += 1


class FakeSession:
    def __init__(self, client: FakeClient) -> None:
        self._client = client
        self._reply = Reply()
        self._others: list[FakeSession] = []

    async def send(self, bound: Any, scope: Scope) -> Reply:
        exchange: Exchange = bound
        target, clock = self._client.target, self._client.clock
        operation = exchange.operation
        answer = operation if isinstance(operation, Answer) else operation(scope)
        reply = self._reply
        reply.asked_ns = clock.now_ns()
        target.requests += 1
        target.asked_ns.append(reply.asked_ns)
        target.scopes.append(dict(scope))
        target.waiting += 1
        try:
            late = await self._wait(answer, exchange, reply.asked_ns)
        finally:
            target.waiting -= 1
        reply.failure = FailureKind.TIMEOUT if late else answer.failure
        reply.detail = answer.detail
        reply.status = 0 if reply.failure else answer.status
        reply.sent_ns = reply.asked_ns + answer.connect_ns
        is_open = answer.connect_ns > 0 and reply.failure is not FailureKind.CONNECT
        reply.connect_ns, reply.connects = answer.connect_ns, int(is_open)
        reply.ended_ns = clock.now_ns()
        reply.first_byte_ns = 0 if reply.failure else reply.ended_ns - answer.rest_ns
        reply.received, reply.sent, reply.body = answer.received, 5, answer.body
        return reply

    async def _wait(self, answer: Answer, exchange: Exchange, asked_ns: int) -> bool:
        client = self._client
        if answer.delay_ns != NEVER:
            await client.clock.sleep_until(asked_ns + answer.connect_ns + answer.delay_ns)
            return False
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        client.deadlines[waiter] = asked_ns + exchange.timeout_ns
        try:
            await waiter
        finally:
            del client.deadlines[waiter]
        return True

    def set_header(self, name: str, value: str | None) -> None:
        self._client.target.headers.append((name, value))

    def renew(self) -> None:
        self._client.target.renewed += 1

    def lanes(self, count: int) -> Sequence[Session]:
        self._others += [FakeSession(self._client) for _ in range(count - 1 - len(self._others))]
        return (self, *self._others[: count - 1])

    async def close(self) -> None:
        self._client.target.sessions_closed += 1


def request(
    name: str = "GET /",
    operation: Operation = Answer(),
    *,
    checks: Sequence[Check] = (),
    extractors: Sequence[Extractor] = (),
    timeout_ns: int = 30 * NS_PER_S,
    **node: Any,
) -> RequestNode:
    exchange = Exchange(
        protocol="fake",
        operation=operation,
        method="GET",
        accept=range(200, 400),
        checks=tuple(checks),
        extractors=tuple(extractors),
        timeout_ns=timeout_ns,
    )
    return RequestNode(name, exchange, **node)


def pause(seconds: float, until: float | None = None) -> Pause:
    if until is None:
        return Pause(PauseKind.CONSTANT, round(seconds * NS_PER_S))
    return Pause(PauseKind.UNIFORM, round(seconds * NS_PER_S), round(until * NS_PER_S))


def think(seconds: float, until: float | None = None) -> ThinkNode:
    return ThinkNode(pause(seconds, until))


def task(name: str, *steps: StepNode, weight: int = 1) -> TaskProgram:
    return TaskProgram(name, weight, steps)


def user_class(
    *tasks: TaskProgram,
    name: str = "Visitor",
    weight: int = 1,
    count: int | None = None,
    wait: Pause | None = None,
    **program: Any,
) -> UserProgram:
    return UserProgram(name, weight, count, wait, tasks or (task("get", request()),), **program)


def closed(
    users: int,
    hold: float,
    *,
    ramp_up: float = 0,
    name: str = "main",
    stages: Sequence[Stage] | None = None,
    classes: Sequence[str] = ("Visitor",),
    exact: Mapping[str, int] | None = None,
    warmup: float = 0,
    graceful_stop: float = 30,
    start_at: float | None = None,
) -> PhaseNode:
    if stages is None:
        ramp = Stage("ramp", round(ramp_up * NS_PER_S), users)
        stages = (ramp, Stage("hold", round(hold * NS_PER_S), users))
    return PhaseNode(
        name,
        ClosedLoad(tuple(stages), tuple((exact or {}).items())),
        tuple(classes),
        start_at_ns=None if start_at is None else round(start_at * NS_PER_S),
        warmup_ns=round(warmup * NS_PER_S),
        graceful_stop_ns=round(graceful_stop * NS_PER_S),
    )


def make_graph(
    users: Sequence[UserProgram] | UserProgram,
    *phases: PhaseNode,
    seed: int = 7,
    scope: Scope | None = None,
    thresholds: Sequence[str] = (),
    **parts: Any,
) -> RunGraph:
    """Return a graph of these users and phases; `parts` are other fields of `RunGraph`."""
    return RunGraph(
        source="plan.yaml",
        name="plan",
        slug="plan",
        description="",
        plan_hash="0",
        seed=seed,
        seed_was_drawn=False,
        profile="",
        params={},
        settings={},
        services=(),
        users=(users,) if isinstance(users, UserProgram) else tuple(users),
        phases=phases,
        thresholds=tuple(parse_threshold(text) for text in thresholds),
        report=ReportSettings(),
        scope=scope or {},
        **parts,
    )


@dataclass
class Told:
    """A run in virtual time: its outcome, and all that it told on the way."""

    outcome: RunOutcome
    events: list[Event]
    target: FakeTarget

    @property
    def ticks(self) -> list[Tick]:
        return [event for event in self.events if isinstance(event, Tick)]

    def seconds(self, moment_ns: int) -> float:
        """A moment as seconds from the start of the run."""
        return (moment_ns - self.outcome.started_ns) / NS_PER_S

    def asked(self) -> list[float]:
        """When each request was asked for, in seconds from the start of the run."""
        return [self.seconds(moment_ns) for moment_ns in self.target.asked_ns]


def run_graph(
    graph: RunGraph,
    *,
    target: FakeTarget | None = None,
    stop_at: Mapping[float, str] | None = None,
    samples: SampleWriter | None = None,
    listener: Callable[[Event], None] | None = None,
    baseline: Baseline | None = None,
    waits: Callable[[], Waits] | None = None,
    steering: Steering | None = None,
    tools: StartTool | None = None,
) -> Told:
    """Run a graph against a fake target; `stop_at` asks it to stop at those seconds."""
    target = target or FakeTarget()
    events: list[Event] = []
    stop = Stop()

    def listen(event: Event) -> None:
        events.append(event)
        if listener is not None:
            listener(event)

    async def main() -> RunOutcome:
        loop = asyncio.get_running_loop()
        for second, reason in (stop_at or {}).items():
            loop.call_later(second, stop.request, reason)
        return await run(
            graph,
            clients={"fake": target.open, **OWN_CLIENTS},
            clock=VirtualClock(),
            listener=listen,
            samples=samples,
            steering=steering,
            stop=stop,
            run_id="r1",
            baseline=baseline,
            waits=waits,
            tools=tools,
        )

    return Told(run_virtual(main()), events, target)


def counts(outcome: RunOutcome, *by: str, kind: str = "request") -> dict[Any, int]:
    """Samples by the given labels: one label gives plain keys, several give tuples."""
    found: Counter[Any] = Counter()
    for labels, total in _totals(outcome).items():
        if labels.kind == kind:
            key = tuple(getattr(labels, name) for name in by)
            found[key[0] if len(by) == 1 else key] += total.count
    return dict(found)


def _totals(outcome: RunOutcome) -> Mapping[Labels, SeriesTotal]:
    return outcome.total.totals

"""Several workers as one: tells them what to run, and merges what they send.

| a worker …             | is noticed           | and then                                         |
|------------------------|----------------------|--------------------------------------------------|
| ends in any way        | as its socket closes | what it has sent counts; the run goes on if it   |
|                        |                      | bears that, else it ends gracefully (exit 3)     |
| asks for the run's end | as it asks           | all end gracefully; where it shares with others  |
|                        |                      | what has come to its end, when all of them ask   |
| is silent              | within a second      | see `presence.attendance`                        |
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Final

from planrunner.clock import Clock
from planrunner.engine.recording.counters import Counters
from planrunner.engine.scheduling.timeline import FOREVER_NS, Timeline
from planrunner.engine.sharing.desk import SharingDesk
from planrunner.engine.sharing.messages import SharedMessage
from planrunner.engine.stop import Ending, Stop, StopLevel
from planrunner.engine.workers.assignment import users_by_worker
from planrunner.engine.workers.local import Drained, Worker
from planrunner.engine.workers.merge import limited, merge_drained
from planrunner.engine.workers.messages import (
    Asked,
    Begin,
    Broken,
    Ended,
    EndPhase,
    Halt,
    Look,
    Quit,
    SaidStop,
    Start,
    Steer,
    WorkerSecond,
)
from planrunner.engine.workers.presence.attendance import (
    NO_LOSS,
    Attendance,
    Tolerance,
)
from planrunner.engine.workers.presence.begins import BeginsApart, begins_apart
from planrunner.engine.workers.presence.muster import muster
from planrunner.engine.workers.presence.stop_asks import StopAsks
from planrunner.engine.workers.worker_state import WorkerHandle, WorkerStanding, WorkerState
from planrunner.errors import CannotRun
from planrunner.graph.loads import LoadModel, RunnableLoad
from planrunner.graph.run_graph import PhaseNode, RunGraph
from planrunner.metrics.book import Crowded
from planrunner.metrics.limited_words import MOST_NAMES_OF_A_TEMPLATE, LimitedWords
from planrunner.results.files.samples import SampleWriter
from planrunner.units import NS_PER_MS, NS_PER_US

__all__ = ["RemotePool", "lead_ns"]

LEAD_NS: Final = 150 * NS_PER_MS
"""For a message to arrive and a phase to be bound, on a busy machine too …"""

LEAD_OF_USER_NS: Final = 20 * NS_PER_US
"""… and for each user to be dealt to a worker, which takes some 4 us."""


class _RemotePhase:
    """One phase on all workers."""

    def __init__(self, pool: RemotePool, phase: PhaseNode, timeline: Timeline) -> None:
        self._pool = pool
        self.lead_ns = pool.lead_ns
        self.phase = phase
        self.timeline = timeline
        self.stopped = False
        self.begin_ns = 0

    @property
    def shortage(self) -> str:
        return self._pool.shortage

    async def run(self, load: RunnableLoad, begin_ns: int) -> None:
        """Run a load that begins then (clock time) until the last user has gone."""
        name, self.begin_ns = self.phase.name, begin_ns
        if self.phase.load.is_search:
            *_, (level, _, _) = self.timeline.stages()
            begin = Begin(name, begin_ns, self._pool.names(), level, load)
        else:
            begin = Begin(name, begin_ns, self._pool.names())
        await self._pool.run(replace(begin, scope=self.phase.scope))

    def change(self, load: LoadModel, begin_ns: int) -> None:
        """Go on with another load of the same model from then on (clock time)."""
        self.timeline.steer(begin_ns)
        self._pool.tell_all(Steer(self.phase.name, begin_ns, load))


def lead_ns(graph: RunGraph, handles: Sequence[WorkerHandle]) -> int:
    """Return how long before its begin a phase has to be announced to all workers."""
    most_users = max((phase.load.most_users for phase in graph.phases), default=0)
    # A clock is known to half a round trip. One may be over before the message is sent: so many
    # wait for the one before to arrive.
    trips_ns = 4 * max((handle.clock.error_ns for handle in handles), default=0)
    return LEAD_NS + most_users * LEAD_OF_USER_NS + trips_ns


class RemotePool:
    """The workers of a run.

    Args:
        graph: What runs.
        handles: The workers, in their order.
        home: Runs what belongs to no phase: preflight, setup, teardown.
        clock: The same for all.
        stop: Of the run; workers are told when it rises.
        tell: Takes a sentence about a worker, as it happens.
        tolerance: What the run bears of its workers.

    Attributes:
        start_spread_ns: How far apart workers were, at most, when they began a phase.
        apart: Hosts whose workers were further apart than their clocks explain, the worst two.
        links: The workers.
        lead_ns: How long before its begin a phase is announced.
    """

    def __init__(  # noqa: PLR0913 - the places where it touches its run
        self,
        graph: RunGraph,
        handles: Sequence[WorkerHandle],
        *,
        home: Worker,
        clock: Clock,
        stop: Stop,
        tell: Callable[[str], None] = lambda _: None,
        tolerance: Tolerance = NO_LOSS,
    ) -> None:
        self.lead_ns = lead_ns(graph, handles)
        self._graph = graph
        self._home = home
        self._clock = clock
        self._stop = stop
        self.links = [
            WorkerState(handle, number, clock.now_ns()) for number, handle in enumerate(handles)
        ]
        self._open: dict[str, _RemotePhase] = {}
        self._asks = StopAsks(graph, self.links, stop)
        self._samples: SampleWriter | None = None
        self._drained_ns = 0
        self._names = LimitedWords(MOST_NAMES_OF_A_TEMPLATE)
        self._looks = 0
        self._halted_ns = FOREVER_NS
        self._attendance = Attendance(
            self.links,
            clock=clock,
            stop=stop,
            over_ns=self._over_ns,
            tell=tell,
            tolerance=tolerance,
        )
        self._tell, self._bears = tell, tolerance.lost
        self._desk = SharingDesk(
            graph,
            home.sharing.kept,
            lambda phase, classes: users_by_worker(graph, phase, self.size, classes),
        )
        self.start_spread_ns = 0
        self.apart: BeginsApart | None = None

    @property
    def size(self) -> int:
        return len(self.links)

    @property
    def overflowed(self) -> bool:
        return self._home.overflowed or any(link.overflowed for link in self.links)

    @property
    def crowded(self) -> tuple[Crowded, ...]:
        found = [("name", template) for template in self._names.full]
        found += (one for link in self.links for one in link.crowded)
        return tuple(dict.fromkeys((*found, *self._home.crowded)))

    @property
    def sampling_stopped(self) -> str:
        reasons = (self._home.sampling_stopped, *(link.sampling_stopped for link in self.links))
        return next(filter(None, reasons), "")

    @property
    def shortage(self) -> str:
        """Why loads can't be sent as the plan has them; empty when they can."""
        lost = [link.handle.name for link in self.links if not link.alive]
        return f"{', '.join(lost)} lost" if lost else ""

    def standings(self) -> tuple[WorkerStanding, ...]:
        return tuple(link.standing() for link in self.links)

    @property
    def watches(self) -> Sequence[Callable[[], Coroutine[Any, Any, None]]]:
        return [
            *(partial(self._listen, link) for link in self.links),
            self._attendance.end_at_once,
        ]

    async def muster(self) -> None:
        """Wait until every worker has compiled the plan.

        Raises:
            CannotRun: One can't, or has compiled another one.
            UsageError: The plan asks for what there is not.
        """
        await muster(self._graph, [link.handle for link in self.links])

    def start(self, started_ns: int, samples: SampleWriter | None) -> None:
        """Begin the run: everybody counts time from then."""
        self._drained_ns = started_ns
        self._samples = samples
        for link in self.links:
            file = None if samples is None else samples.beside(link.number + 1)
            link.heard_ns = self._clock.now_ns()
            link.told_ns = started_ns
            link.handle.transport.send(Start(started_ns, file))
        self._stop.listen(self._relay_stop)

    async def dismiss(self) -> None:
        """End all workers."""
        if self._samples is not None:
            # What came later than a worker's last word is in its file and in no metrics.
            for link in self.links:
                self._samples.reported(link.number + 1, link.rows)
            self._samples.limited(self._names.kept())
        for link in self.links:
            link.handle.transport.send(Quit())
        await asyncio.gather(*(link.handle.close() for link in self.links))

    def names(self) -> dict[str, object]:
        """Return what `setup` set so far, for every user."""
        setup = self._graph.setup
        scope = self._home.scope
        return {name: scope[name] for name in setup.names if name in scope} if setup else {}

    def open_phase(self, phase: PhaseNode, timeline: Timeline) -> _RemotePhase:
        opened = self._open[phase.name] = _RemotePhase(self, phase, timeline)
        return opened

    async def run(self, begin: Begin) -> None:
        """Let all run their part of a phase, until the last user of the last one has gone."""
        loop = asyncio.get_running_loop()
        self._desk.begin(begin.phase)
        for link in self.links:
            link.ends_ns.pop(begin.phase, None)
        alive = [link for link in self.links if link.alive]
        futures = []
        # What was in the pools of a lost worker is lost, and no more than that.
        for link, given in zip(alive, self._home.sharing.deal(len(alive)), strict=True):
            link.done.discard(begin.phase)
            future = link.running[begin.phase] = loop.create_future()
            futures.append(future)
            self._send(link, replace(begin, given=given))
        moments = [await future for future in futures]
        self._note_begins(
            [(link, at) for link, at in zip(alive, moments, strict=True) if at is not None]
        )
        self._cut(begin.phase)

    def _note_begins(self, began: Sequence[tuple[WorkerState, int]]) -> None:
        if not began:
            return
        moments = [moment for _, moment in began]
        self.start_spread_ns = max(self.start_spread_ns, max(moments) - min(moments))
        if (apart := begins_apart(began)) is not None and (
            self.apart is None or apart.excess_ns > self.apart.excess_ns
        ):
            self.apart = apart

    def tell_all(self, message: object) -> None:
        """Say the same to every worker."""
        for link in self.links:
            link.handle.transport.send(message)

    def _send(self, link: WorkerState, begin: Begin) -> None:
        try:
            link.handle.transport.send(begin)
        except Exception as error:  # pickle raises what it likes
            raise CannotRun(
                f"a value that `setup` made can't be sent to workers: {error}",
                hint="let it set text, numbers, lists and mappings, or run with --workers 1",
            ) from error

    async def second_is_in(self, second: int) -> None:
        await self._attendance.second_is_in(second)

    def _over_ns(self, link: WorkerState) -> int:
        """Return when the graceful stop of all that a worker runs is over."""
        return max(
            (
                min(self._open[name].timeline.ends_ns, self._halted_ns)
                + self._open[name].phase.graceful_stop_ns
                for name in link.running
            ),
            default=FOREVER_NS,
        )

    async def catch_up(self) -> None:
        look = self._looks = self._looks + 1
        self.tell_all(Look(look))
        await self._attendance.all_are_in(lambda link: link.look >= look)

    def drain(self) -> Drained:
        """Return what is new of all workers, and of what belongs to no phase."""
        parts = []
        for link in self.links:
            sent = [limited(part, self._names) for part in link.parts]
            parts.append((sent, link.users if link.alive else {}))
            link.parts = []
        counters = Counters()
        for link in self.links:
            counters.add(link.counters)
        drained = merge_drained(
            self._home.drain(), parts, counters=counters, start_ns=self._drained_ns
        )
        self._drained_ns = drained.snapshot.end_ns
        return drained

    async def _listen(self, link: WorkerState) -> None:
        """Take in what a worker says until it is gone."""
        try:
            while True:
                message = await link.handle.transport.receive()
                self._attendance.heard(link)
                self._heard(link, message)
        except EOFError:
            self._lose(link, link.verdict or await link.handle.fate())

    def _heard(self, link: WorkerState, message: object) -> None:
        match message:
            case WorkerSecond():
                self._take(link, message)
            case Ended():
                link.done.add(message.phase)
                link.running.pop(message.phase).set_result(message.began_ns)
            case SharedMessage():
                self._desk.heard(link.number, link.handle.transport.send, message)
            case SaidStop():
                self._end_phase(message.phase)
            case Asked():
                self._asks.heard(link.number, message)
            case Broken():
                link.verdict = f"failed: {message.words}"
            case _:
                raise TypeError(f"no coordinator knows what to do with {message!r}")

    def _take(self, link: WorkerState, said: WorkerSecond) -> None:
        link.second = max(link.second, said.number)
        link.look = max(link.look, said.look)
        link.rows = said.rows
        link.take(said.drained, said.traffic)
        link.began_ns = said.began_ns
        for secret in said.drained.learnt:
            self._home.mask.learn(secret)
        for phase, ends_ns in said.ends_ns.items():
            if ends_ns >= self._open[phase].begin_ns:  # not of the level before
                link.ends_ns[phase] = ends_ns
        link.overflowed, link.crowded = said.overflowed, said.crowded
        link.sampling_stopped = said.sampling_stopped
        for phase, counts_ns in said.counts_ns.items():
            self._open[phase].timeline.count_from(counts_ns)
        for phase in said.ends_ns:
            self._cut(phase)
        self._attendance.look()

    def _cut(self, phase: str) -> None:
        """Cut a phase short where the last of its workers did; now, if it has had none."""
        timeline = self._open[phase].timeline
        ends_ns = [link.ends_ns.get(phase) for link in self.links]
        known = [moment for moment in ends_ns if moment is not None]
        if all(link.alive is False or phase in link.ends_ns for link in self.links):
            timeline.cut(max(known, default=self._clock.now_ns()))

    def _end_phase(self, phase: str) -> None:
        self._open[phase].stopped = True
        self.tell_all(EndPhase(phase))

    def _lose(self, link: WorkerState, verdict: str) -> None:
        """Go on without a worker, or end the run: all that it has sent is here."""
        link.verdict, link.alive = verdict, False
        for name, future in link.running.items():
            ended_ns = max(link.told_ns, self._open[name].begin_ns)
            link.ends_ns[name] = min(link.ends_ns.get(name, FOREVER_NS), ended_ns)
            if not future.done():
                future.set_result(None)
        link.running.clear()
        self._desk.lost(link.number)
        self._say_lost(link)
        self._asks.look()
        self._attendance.look()
        for phase in self._open:
            self._cut(phase)

    def _say_lost(self, link: WorkerState) -> None:
        words = f"{link.handle.name} {link.verdict}"
        lost = sum(not one.alive for one in self.links)
        bears = min(self._bears, self.size - 1)
        if self._open and lost <= bears:
            link.is_tolerated = True
            self._tell(f"{words}; the run goes on with the load of the others")
            return
        if self._bears:
            words += (
                f"; {lost} of {self.size} workers are lost, and the run bears no more than {bears}"
                if self._open
                else "; no load had begun, so the run does not go on without it"
            )
        self._stop.request(words, ending=Ending.CANNOT_RUN)

    def _relay_stop(self) -> None:
        stop = self._stop
        if stop.level is StopLevel.RUNNING:
            return
        self._halted_ns = min(self._halted_ns, self._clock.now_ns())
        for link in self.links:
            link.handle.transport.send(Halt(stop.level, stop.reason, stop.ending))
            if stop.level is StopLevel.AT_ONCE:
                link.handle.transport.send(Look(0))
        if stop.level is StopLevel.AT_ONCE:
            self._attendance.hurry()

"""One of several workers: does what the coordinator says, and reports once a second."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

from planrunner.clock import Clock, ShiftedClock
from planrunner.engine.load_models.bound_phase import BoundPhase
from planrunner.engine.scheduling.timeline import SearchTimeline, Timeline, timeline_of
from planrunner.engine.sharing.messages import Given
from planrunner.engine.stop import Among, Ending, Stop
from planrunner.engine.workers.local import Worker
from planrunner.engine.workers.messages import (
    Asked,
    Begin,
    Ended,
    EndPhase,
    Halt,
    Look,
    Quit,
    Ready,
    SaidStop,
    Shift,
    Start,
    Steer,
    WorkerSecond,
    fingerprint,
)
from planrunner.engine.workers.ticker import each_second, keep_sweeping
from planrunner.engine.workers.traffic import Traffic
from planrunner.engine.workers.transport import Transport
from planrunner.graph.loads import ToolLoad
from planrunner.graph.run_graph import RunGraph, SearchLoad
from planrunner.results.files.samples import SampleWriter

__all__ = ["RelayedStop", "RemoteWorker"]


class RelayedStop(Stop):
    """Asks the coordinator, which alone decides; what is clear ends here at once."""

    def __init__(self, send: Callable[[object], None]) -> None:
        super().__init__()
        self._send = send
        self._shared: set[Among] = set()

    def request(
        self,
        reason: str,
        *,
        ending: Ending = Ending.INTERRUPTED,
        among: Among | None = None,
    ) -> None:
        if among is not None and among in self._shared:
            return  # said already: each user that comes to it says so
        self._send(Asked(reason, ending, among))
        if among is not None:
            self._shared.add(among)
        else:
            super().request(reason, ending=ending)


class RemoteWorker:
    """One worker under a coordinator at the other end of `transport`."""

    def __init__(
        self, graph: RunGraph, *, worker: Worker, transport: Transport, clock: Clock, stop: Stop
    ) -> None:
        self._graph = graph
        self._phases = {phase.name: phase for phase in graph.phases}
        self._worker = worker
        self._transport = transport
        self._clock = clock
        self._stop = stop
        self._open: dict[str, tuple[Timeline, BoundPhase]] = {}
        worker.sharing.connect(transport.send, worker.mask)
        self._samples: SampleWriter | None = None
        self._traffic = Traffic()
        self._began_ns = 0

    async def serve(self) -> None:
        """Obey until there is nothing more to do.

        Raises:
            EOFError: The coordinator is gone.
        """
        self._transport.send(Ready(fingerprint(self._graph)))
        try:
            await self._obey()
        finally:
            if self._samples is not None:
                self._samples.close()

    async def _obey(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            running = []
            while True:
                order = await self._transport.receive()
                match order:
                    case Start():
                        self._start(order)
                        running.append(tasks.create_task(self._sweep()))
                        running.append(tasks.create_task(self._report()))
                    case Begin():
                        running.append(tasks.create_task(self._run(order)))
                    case Quit():
                        break
                    case _:
                        self._obey_at_once(order)
            for task in running:
                task.cancel()

    def _obey_at_once(self, order: object) -> None:
        match order:
            case EndPhase() | Steer():
                self._change(order)
            case Given():
                self._worker.sharing.heard(order)
            case Look():
                self._send_drained(0, look=order.number)
            case Shift() if isinstance(self._clock, ShiftedClock):
                self._clock.follow(order.offset_ns)
            case Halt():
                self._stop.rise(order.level, order.reason, order.ending)
            case _:
                raise TypeError(f"no worker knows what to do with {order!r}")

    def _change(self, order: EndPhase | Steer) -> None:
        if order.phase not in self._open:
            return
        _, phase = self._open[order.phase]
        if isinstance(order, Steer):
            phase.change(order.load, order.begin_ns)
        else:
            phase.end()

    def _start(self, start: Start) -> None:
        self._samples = None if start.samples is None else start.samples.open()
        self._worker.begin(start.started_ns, self._samples)

    async def _sweep(self) -> None:
        await keep_sweeping(self._worker, self._graph, self._clock)

    async def _report(self) -> None:
        async def look(second: int) -> None:
            self._send_drained(second)

        await each_second(self._worker, self._clock, look)

    def _send_drained(self, second: int, *, look: int = 0) -> None:
        worker = self._worker
        drained = worker.drain()  # which writes raw samples as well
        self._traffic = self._traffic.plus(drained.snapshot)
        self._transport.send(
            WorkerSecond(
                second,
                drained,
                {name: timeline.ends_ns for name, (timeline, _) in self._open.items()},
                {name: one.counts_ns for name, (one, _) in self._open.items() if one.counts_ns},
                look=look,
                rows=0 if self._samples is None else self._samples.written,
                traffic=self._traffic,
                began_ns=self._began_ns,
                overflowed=worker.overflowed,
                crowded=worker.crowded,
                sampling_stopped=worker.sampling_stopped,
            )
        )

    async def _run(self, begin: Begin) -> None:
        self._worker.scope.update(begin.names)
        self._worker.mask.learn_names(begin.names)
        phase = self._phases[begin.phase]
        bound = self._opened(begin)
        load = begin.load or phase.load
        # The levels of a search are loads of their own, and tools run beside the coordinator.
        assert not isinstance(load, SearchLoad | ToolLoad)
        go = bound.prepare(load, begin.begin_ns)
        await self._clock.sleep_until(begin.begin_ns)
        began_ns = self._clock.now_ns()
        self._began_ns = self._began_ns or began_ns
        self._worker.sharing.begin(begin.phase, begin.given)
        await go()
        self._send_drained(0)
        self._transport.send(Ended(phase.name, began_ns))

    def _opened(self, begin: Begin) -> BoundPhase:
        """Bind a phase, unless this is a further level of it."""
        name = begin.phase
        phase = replace(self._phases[name], scope=begin.scope)
        if name not in self._open:
            timeline = timeline_of(phase, begin.begin_ns)
            bound = self._worker.open_phase(phase, timeline)
            bound.on_stop = lambda: self._transport.send(SaidStop(name))
            self._open[name] = (timeline, bound)
        timeline, bound = self._open[name]
        if isinstance(timeline, SearchTimeline):
            timeline.open_level(begin.level, begin.begin_ns)
        return bound

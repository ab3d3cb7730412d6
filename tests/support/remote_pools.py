"""Runs a graph on several workers in one virtual-time loop: everything but the processes."""

from __future__ import annotations

import asyncio
import pickle
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from planrunner.clock import Clock
from planrunner.cluster.cluster_workers import ClusterPlan, cluster_workers
from planrunner.engine import Event, RunOutcome, Steering, Stop, run
from planrunner.engine.workers.local import Worker, protocols_of
from planrunner.engine.workers.presence.attendance import NO_LOSS, Tolerance
from planrunner.engine.workers.remote_worker import RelayedStop, RemoteWorker
from planrunner.engine.workers.transport import Transport
from planrunner.engine.workers.worker_state import ClockFacts, WorkerHandle
from planrunner.graph.run_graph import RunGraph
from planrunner.results.files.samples import SampleWriter
from planrunner.schedule.partition import WorkerShare
from tests.support.graphs import FakeTarget, Told
from tests.support.own_steps import OWN_CLIENTS
from tests.support.remote_clusters import MemoryCluster
from tests.support.virtual_time import VirtualClock, run_virtual

__all__ = ["MemoryTransport", "MemoryWorker", "run_fleet"]


class MemoryTransport:
    """One end of a pair of queues; messages are copied, and not pickled where plans aren't."""

    def __init__(self) -> None:
        self.inbox: asyncio.Queue[object] = asyncio.Queue()
        self.other: MemoryTransport = self
        self.is_mute = False
        self.held: list[object] = []

    @classmethod
    def pair(cls) -> tuple[MemoryTransport, MemoryTransport]:
        here, there = cls(), cls()
        here.other, there.other = there, here
        return here, there

    def send(self, message: object) -> None:
        message = pickle.loads(pickle.dumps(message))
        if self.is_mute:
            self.held.append(message)
        else:
            self.other.inbox.put_nowait(message)

    async def receive(self) -> object:
        message = await self.inbox.get()
        if message is None:
            raise EOFError
        return message

    async def close(self) -> None:
        self.inbox.put_nowait(None)
        self.other.inbox.put_nowait(None)


async def serve(
    graph: RunGraph, target: FakeTarget, share: WorkerShare, there: Transport, clock: Clock
) -> None:
    """Do what a worker does, with clients of its own."""
    stop = RelayedStop(there.send)
    factories = {"fake": target.open, **OWN_CLIENTS}
    opened = {name: factories[name]({}, clock) for name in protocols_of(graph)}
    worker = Worker(
        graph,
        clients=opened,
        clock=clock,
        samples=None,
        stop=stop,
        scope={**graph.scope, "run": {"id": "r1"}},
        share=share,
    )
    try:
        await RemoteWorker(graph, worker=worker, transport=there, clock=clock, stop=stop).serve()
    finally:
        worker.close()
        for client in opened.values():
            await client.close()


class MemoryWorker:
    """A worker in this process, with clients of its own."""

    def __init__(
        self,
        number: int,
        share: WorkerShare,
        graph: RunGraph,
        target: FakeTarget,
        host: str = "here",
    ) -> None:
        self.name = f"worker {number} of {share.workers}"
        self.host = host
        self.clock = ClockFacts()
        self.transport, self._there = MemoryTransport.pair()
        self.share = share
        self._graph = graph
        self._target = target
        self._task: asyncio.Task[None] | None = None
        self._was_killed = False

    def start(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._live())

    async def _live(self) -> None:
        await serve(self._graph, self._target, self.share, self._there, VirtualClock())

    async def fate(self) -> str:
        return "was killed"

    def mute(self) -> None:
        """Let the coordinator hear no more of it."""
        self._there.is_mute = True

    def speak(self) -> None:
        """Let it hear again, of what was said meanwhile first."""
        self._there.is_mute = False
        for message in self._there.held:
            self.transport.inbox.put_nowait(message)

    def kill(self) -> None:
        assert self._task is not None
        self._was_killed = True
        self._task.cancel()
        self.transport.inbox.put_nowait(None)

    async def close(self) -> None:
        assert self._task is not None
        await asyncio.gather(self._task, return_exceptions=self._was_killed)


def run_fleet(
    graph: RunGraph,
    workers: int,
    *,
    target: FakeTarget | None = None,
    stop_at: Mapping[float, str] | None = None,
    kill_at: Mapping[float, int] | None = None,
    mute_at: Mapping[float, int] | None = None,
    speak_at: Mapping[float, int] | None = None,
    theirs: RunGraph | Sequence[RunGraph] | None = None,
    samples: Path | None = None,
    listener: Callable[[Event], None] = lambda _: None,
    tolerance: Tolerance = NO_LOSS,
    host_of: Callable[[int], str] = lambda _: "here",
    steering: Steering | None = None,
    hosts: int = 0,
) -> Told:
    """Do as `run_graph`, with workers; `kill_at` kills some, `theirs` is the graph of each.

    They are on this machine, or on so many hosts of a cluster.
    """
    target = target or FakeTarget()
    events: list[Event] = []
    stop = Stop()

    def listen(event: Event) -> None:
        events.append(event)
        listener(event)

    is_one = theirs is None or isinstance(theirs, RunGraph)
    graphs = [theirs or graph] * workers if is_one else theirs

    async def main() -> RunOutcome:
        loop = asyncio.get_running_loop()
        for second, reason in (stop_at or {}).items():
            loop.call_later(second, stop.request, reason)
        crew = (
            _hosted(graphs, target, hosts, samples) if hosts else _beside(graphs, target, host_of)
        )
        async with crew as (handles, acts):
            for moments, act in zip((kill_at, mute_at, speak_at), acts, strict=True):
                for second, number in (moments or {}).items():
                    loop.call_later(second, act, number)
            writer = None if samples is None else SampleWriter(samples, started_unix_ns=0)
            try:
                return await run(
                    graph,
                    clients={"fake": target.open, **OWN_CLIENTS},
                    clock=VirtualClock(),
                    listener=listen,
                    samples=writer,
                    steering=steering,
                    stop=stop,
                    run_id="r1",
                    handles=handles,
                    tolerance=tolerance,
                )
            finally:
                if writer is not None:
                    writer.close()

    return Told(run_virtual(main()), events, target)


_Acts = tuple[Callable[[int], object], Callable[[int], object], Callable[[int], object]]
"""What kills a worker, lets the coordinator hear no more of it, and lets it hear again."""


@asynccontextmanager
async def _beside(
    graphs: Sequence[RunGraph], target: FakeTarget, host_of: Callable[[int], str]
) -> AsyncIterator[tuple[Sequence[WorkerHandle], _Acts]]:
    handles = [
        MemoryWorker(number + 1, WorkerShare(number, len(graphs)), one, target, host_of(number))
        for number, one in enumerate(graphs)
    ]
    for handle in handles:
        handle.start()
    yield (
        handles,
        (
            lambda number: handles[number].kill(),
            lambda number: handles[number].mute(),
            lambda number: handles[number].speak(),
        ),
    )


class _Nothing:
    """What workers make their graph from that have it, wherever they are."""

    def on(self, host: object) -> _Nothing:
        del host
        return self


@asynccontextmanager
async def _hosted(
    graphs: Sequence[RunGraph], target: FakeTarget, hosts: int, samples: Path | None
) -> AsyncIterator[tuple[Sequence[WorkerHandle], _Acts]]:
    async def live(share: WorkerShare, there: Transport, clock: Clock) -> None:
        await serve(graphs[share.worker], target, share, there, clock)

    cluster = MemoryCluster(hosts, live)
    nothing: Any = _Nothing()
    with TemporaryDirectory() as folder:
        directory = Path(folder) if samples is None else samples.parent
        plan = ClusterPlan(len(graphs), "", nothing, nothing, {}, directory, open_files=lambda _: 0)
        async with cluster_workers(cluster, plan, VirtualClock().now_ns) as crew:
            yield crew.handles, (cluster.kill, cluster.mute, cluster.speak)
    assert all(agent.is_closed for agent in cluster.agents)

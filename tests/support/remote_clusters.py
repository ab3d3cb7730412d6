"""Hosts of a cluster in one virtual-time loop: all of a cluster but Dask and the processes.

Their clocks are far off and drift, calls take milliseconds, and some fail: before they reached the
host, or on their way back.
"""

from __future__ import annotations

import asyncio
import pickle
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

from planrunner import clock as clocks
from planrunner.clock import ShiftedClock
from planrunner.cluster.dask_cluster import DaskNode
from planrunner.cluster.host_facts import HostFacts, own_facts
from planrunner.cluster.parcels import Bundled, Inbox, Outbox, Parcel
from planrunner.cluster.software import own_software
from planrunner.engine.workers.messages import Assignment, StillHere
from planrunner.engine.workers.transport import Transport
from planrunner.schedule.partition import WorkerShare
from planrunner.units import NS_PER_S, NS_PER_US
from tests.support.virtual_time import VirtualTimeLoop

__all__ = ["MemoryAgent", "MemoryCluster", "Serve"]

Serve = Callable[[WorkerShare, Transport, ShiftedClock], Awaitable[None]]
"""What a worker does, once it knows its clock."""

_FAULTS: Mapping[int, tuple[type[Exception] | None, type[Exception] | None]] = {
    3: (OSError, None),
    6: (None, TimeoutError),
}
"""Of seven calls of a kind, which fail: before, and after they have done their work."""


class HostClock(ShiftedClock):
    """What a worker of a host reads: the host's own time, moved to the coordinator's."""

    def __init__(self, offset_ns: int, local_ns: Callable[[], int]) -> None:
        loop, is_waiting = _loop(), False

        def read_ns() -> int:
            if is_waiting:
                loop.stall(NS_PER_US)
            return local_ns()

        super().__init__(offset_ns, local_ns=read_ns)
        step_by = self._move

        def move(step_ns: int) -> None:
            nonlocal is_waiting
            is_waiting = step_ns < 0  # it reads until time has passed, which takes none here
            step_by(step_ns)
            is_waiting = False

        self._move = move
        self._alarm = _VirtualAlarm(loop, self.now_ns)


class _VirtualAlarm(clocks._Alarm):
    def _fine_timer(self) -> Callable[[int], object]:
        timer: asyncio.TimerHandle | None = None

        def set_timer(wait_ns: int) -> None:
            nonlocal timer
            if timer is not None:
                timer.cancel()
            timer = self.loop.call_later(wait_ns / NS_PER_S, self._ring) if wait_ns else None

        return set_timer


def _text_of(file: str) -> str:
    return Path(file).read_text("utf-8")


def _loop() -> VirtualTimeLoop:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualTimeLoop)
    return loop


class _WorkerEnd:
    """A worker's end of its conversation, which its agent carries."""

    def __init__(self, number: int, outbox: Outbox) -> None:
        self.inbox: asyncio.Queue[object] = asyncio.Queue()
        self.is_mute = False
        self._held: list[Parcel] = []
        self._number = number
        self._outbox = outbox

    def send(self, message: object) -> None:
        parcel = Parcel(self._number, pickle.dumps(message))
        if self.is_mute:
            self._held.append(parcel)
        else:
            self._outbox.put(parcel)

    def speak(self) -> None:
        self.is_mute = False
        for parcel in self._held:
            self._outbox.put(parcel)

    async def receive(self) -> object:
        while isinstance(message := await self.inbox.get(), StillHere):
            pass
        return message

    async def close(self) -> None:
        """Nothing is its own."""


class MemoryAgent:
    """Does what an agent does, with workers in this process.

    Args:
        number: Of the host, from 0.
        serve: What a worker does.
        facts: Of the host.
    """

    def __init__(self, number: int, serve: Serve, facts: HostFacts) -> None:
        self.ends: dict[int, _WorkerEnd] = {}
        self.tasks: dict[int, asyncio.Task[None]] = {}
        self.is_closed = self.was_called = False
        self._serve = serve
        self._facts = facts
        self._inbox, self._outbox = Inbox(), Outbox(1 << 20)
        self._ahead_ns = (number * 2 - 1) * 1_000 * NS_PER_S
        self._ppm = (90, -70, 40)[number % 3]
        self._rng = Random(number)
        self._calls: defaultdict[str, int] = defaultdict(lambda: number + 2)
        self._began_ns = _loop().now_ns()

    def local_ns(self) -> int:
        now_ns = _loop().now_ns()
        return now_ns + self._ahead_ns + (now_ns - self._began_ns) * self._ppm // 1_000_000

    async def facts(self) -> HostFacts:
        async with self._call("facts"):
            return self._facts

    async def beat(self) -> int:
        async with self._call("beat"):
            return self.local_ns()

    async def start(self, shares: Mapping[int, WorkerShare]) -> Mapping[int, str]:
        async with self._call("start"):
            for number, share in shares.items():
                if number not in self.ends:
                    self.ends[number] = end = _WorkerEnd(number, self._outbox)
                    self.tasks[number] = _loop().create_task(self._live(number, share, end))
            return {
                one.worker: f"worker {one.worker + 1} of {one.workers}" for one in shares.values()
            }

    async def _live(self, number: int, share: WorkerShare, end: _WorkerEnd) -> None:
        fate = "was killed"
        try:
            assignment = await end.receive()
            assert isinstance(assignment, Assignment)
            assert assignment.clock_offset_ns is not None
            await self._serve(share, end, HostClock(assignment.clock_offset_ns, self.local_ns))
            fate = "has ended"
        finally:
            self._outbox.put(Parcel(number, None, fate))

    async def deliver(self, bundled: Bundled) -> int:
        async with self._call("deliver"):
            for parcel in self._inbox.new(bundled):
                assert parcel.data is not None
                self.ends[parcel.worker].inbox.put_nowait(pickle.loads(parcel.data))
            return self._inbox.taken

    async def collect(self, arrived: int) -> Bundled:
        async with self._call("collect"):
            self._outbox.arrived(arrived)
            await self._outbox.filled(2)
            return self._outbox.bundled(1 << 20)

    async def kill(self, worker: int) -> None:
        async with self._call("kill"):
            self.tasks[worker].cancel()

    async def sees(self, file: str, content: str) -> bool:
        async with self._call("sees"):
            return _text_of(file) == content

    async def close(self) -> None:
        self.is_closed = True
        for task in self.tasks.values():
            task.cancel()
        await asyncio.gather(*self.tasks.values(), return_exceptions=True)

    @asynccontextmanager
    async def _call(self, name: str) -> AsyncIterator[None]:
        """Take some milliseconds each way, and fail now and then."""
        self.was_called |= name != "facts"  # which leaves nothing to close
        self._calls[name] += 1
        before, after = _FAULTS.get(self._calls[name] % 7, (None, None))
        await asyncio.sleep(self._rng.uniform(0.0005, 0.004))
        if before is not None:
            raise before(name)
        yield
        await asyncio.sleep(self._rng.uniform(0.0005, 0.004))
        if after is not None:
            raise after(name)


class MemoryCluster:
    """Some hosts, as `cluster_workers` asks for them."""

    def __init__(self, hosts: int, serve: Serve) -> None:
        self.agents: list[MemoryAgent] = []
        self._hosts = hosts
        self._serve = serve

    async def nodes(self) -> Sequence[DaskNode]:
        return [
            DaskNode(f"host{number}", f"host{number}", own_software())
            for number in range(self._hosts)
        ]

    async def addresses(self) -> frozenset[str]:
        return frozenset(node.address for node in await self.nodes())

    async def place(self, node: DaskNode, module: str) -> Any:
        del module
        facts = replace(own_facts(), name=node.host, time=node.host)
        self.agents.append(MemoryAgent(len(self.agents), self._serve, facts))
        return self.agents[-1]

    def kill(self, worker: int) -> None:
        self._at(worker).tasks[worker].cancel()

    def mute(self, worker: int) -> None:
        self._at(worker).ends[worker].is_mute = True

    def speak(self, worker: int) -> None:
        self._at(worker).ends[worker].speak()

    def _at(self, worker: int) -> MemoryAgent:
        return self.agents[worker % len(self.agents)]

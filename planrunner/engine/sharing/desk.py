"""The coordinator's end: keeps the pools of the run, and opens barriers for all workers."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping

from planrunner.engine.sharing.barriers import Barrier
from planrunner.engine.sharing.claimants import Claimant
from planrunner.engine.sharing.messages import (
    Arrive,
    Given,
    Leave,
    Present,
    Push,
    PutBack,
    SharedMessage,
    Take,
    Tell,
    WaitFor,
)
from planrunner.engine.sharing.pools import NOTHING, ValuePool
from planrunner.graph.run_graph import RunGraph, barriers_of

__all__ = ["SharingDesk"]


class _AwayClaimant(Claimant):
    """A user of another process."""

    __slots__ = ("_forget", "_number", "_pool", "_send", "place")

    def __init__(
        self,
        send: Tell,
        number: int,
        place: ValuePool | Barrier,
        forget: Callable[[], object],
        pool: str = "",
    ) -> None:
        self._send = send
        self._number = number
        self._forget = forget
        self._pool = pool
        self.place = place

    def give(self, value: object) -> None:
        self._forget()
        self._send(Given(self._number, self._pool, value))


class SharingDesk:
    """Serves the workers of a run.

    Args:
        graph: What runs.
        pools: The pools of the run, by name.
        workers: How many there are.
    """

    def __init__(self, graph: RunGraph, pools: Mapping[str, ValuePool], workers: int) -> None:
        self._pools = pools
        self._workers = range(workers)
        self._users = {
            (phase.name, node.name): node.users
            for phase in graph.phases
            for program in graph.programs_of(phase)
            for node in barriers_of(program)
        }
        self._barriers: dict[tuple[str, str], Barrier] = {}
        self._present: dict[tuple[str, str], dict[int, int]] = {}
        self._waiting: dict[tuple[int, int], _AwayClaimant] = {}

    def begin(self, phase: str) -> None:
        """Make the barriers of a phase, or of a level, anew: nobody is there yet."""
        for key, users in self._users.items():
            if key[0] == phase:
                self._barriers[key] = Barrier(users, is_ready=False)
                self._present[key] = {}

    def heard(
        self, worker: int, send: Tell, message: SharedMessage, *, lost: Container[int] = ()
    ) -> None:
        """Do what a worker asks for; `lost` are those that say nothing any more."""
        match message:
            case Push():
                self._pools[message.pool].push(message.value)
            case PutBack():
                self._pools[message.pool].put_back(message.value)
            case Take() | WaitFor():
                self._take(worker, send, message)
            case Arrive():
                barrier = self._barriers[message.phase, message.barrier]
                barrier.arrive(self._waiter(worker, send, message.number, barrier))
            case Leave():
                waiter_gone = self._waiting.pop((worker, message.number), None)
                if waiter_gone is not None:
                    waiter_gone.place.withdraw(waiter_gone)
            case Present():
                self._count(worker, message, lost)
            case _:
                raise TypeError(f"nothing that users share has to do with {message!r}")

    def _take(self, worker: int, send: Tell, asked: Take | WaitFor) -> None:
        pool = self._pools[asked.pool]
        value = pool.take(asked.which, asked.draw)
        if value is not NOTHING:
            send(Given(asked.number, asked.pool, value))
        elif isinstance(asked, Take):
            send(Given(asked.number, asked.pool, found=False))
        else:
            pool.wait(self._waiter(worker, send, asked.number, pool, asked.pool))

    def _waiter(
        self, worker: int, send: Tell, number: int, place: ValuePool | Barrier, pool: str = ""
    ) -> _AwayClaimant:
        key = worker, number
        waiter = _AwayClaimant(send, number, place, lambda: self._waiting.pop(key, None), pool)
        self._waiting[key] = waiter
        return waiter

    def _count(self, worker: int, present: Present, lost: Container[int]) -> None:
        key = present.phase, present.barrier
        barrier, seen = self._barriers[key], self._present[key]
        more = present.users - seen.get(worker, 0)
        seen[worker] = present.users
        # Before all have said who begins the phase, `all` would be those of the quickest.
        barrier.is_ready = all(one in seen or one in lost for one in self._workers)
        barrier.join(more)

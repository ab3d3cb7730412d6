"""The coordinator's end: keeps the pools of the run, and opens barriers for all workers."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence

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
from planrunner.graph.run_graph import PhaseNode, RunGraph, barriers_of

__all__ = ["SharingDesk"]

Seats = Callable[[PhaseNode, Container[str]], Sequence[int]]
"""The most users of some classes in a phase, worker by worker."""


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
        seats: Returns how many users of some classes each worker has, at most, in a phase.
    """

    def __init__(self, graph: RunGraph, pools: Mapping[str, ValuePool], seats: Seats) -> None:
        self._pools = pools
        self._users: dict[tuple[str, str], int] = {}
        self._seats: dict[tuple[str, str], Sequence[int]] = {}
        for phase in graph.phases:
            classes: dict[str, set[str]] = {}
            for program in graph.programs_of(phase):
                for node in barriers_of(program):
                    self._users[phase.name, node.name] = node.users
                    classes.setdefault(node.name, set()).add(program.name)
            for name, of_barrier in classes.items():
                self._seats[phase.name, name] = seats(phase, of_barrier)
        self._lost: set[int] = set()
        self._barriers: dict[tuple[str, str], Barrier] = {}
        self._present: dict[tuple[str, str], dict[int, int]] = {}
        self._waiting: dict[tuple[int, int], _AwayClaimant] = {}

    def begin(self, phase: str) -> None:
        """Make the barriers of a phase, or of a level, anew: nobody is there yet."""
        for key, users in self._users.items():
            if key[0] == phase:
                self._barriers[key] = Barrier(users, is_ready=False)
                self._present[key] = {}
                self._without_lost(key)

    def lost(self, worker: int) -> None:
        """Forget the users of a worker that is gone: nobody waits for them, nor they for others."""
        self._lost.add(worker)
        for waiting in [key for key in self._waiting if key[0] == worker]:
            waiter = self._waiting.pop(waiting)
            waiter.place.withdraw(waiter)
        for key, barrier in self._barriers.items():
            barrier.join(-self._present[key].pop(worker, 0))
            self._without_lost(key)

    def _without_lost(self, key: tuple[str, str]) -> None:
        barrier, seats = self._barriers[key], self._seats[key]
        barrier.is_ready = self._all_are_known(key)
        if self._lost:
            barrier.at_most(
                sum(seats[worker] for worker in range(len(seats)) if worker not in self._lost)
            )

    def _all_are_known(self, key: tuple[str, str]) -> bool:
        known = self._present[key].keys() | self._lost
        return len(known) == len(self._seats[key])

    def heard(self, worker: int, send: Tell, message: SharedMessage) -> None:
        """Do what a worker asks for."""
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
                self._count(worker, message)
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

    def _count(self, worker: int, present: Present) -> None:
        key = present.phase, present.barrier
        barrier, seen = self._barriers[key], self._present[key]
        more = present.users - seen.get(worker, 0)
        seen[worker] = present.users
        # Before all have said who begins the phase, `all` would be those of the quickest.
        barrier.is_ready = self._all_are_known(key)
        barrier.join(more)

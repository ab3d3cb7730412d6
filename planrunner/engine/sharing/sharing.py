"""What the users of a worker share, and how they reach what those of all workers share.

| what                   | one worker | several workers                                   |
|------------------------|------------|---------------------------------------------------|
| a pool of each worker  | here       | here; what it has at first is dealt to them       |
| a pool of the run      | here       | at the coordinator                                |
| a barrier              | here       | at the coordinator, which knows the users of all  |
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import count

from planrunner.engine.sharing.barriers import Barrier
from planrunner.engine.sharing.claimants import Wait
from planrunner.engine.sharing.messages import (
    Arrive,
    Covered,
    Given,
    Leave,
    Present,
    Push,
    PutBack,
    Take,
    Tell,
    WaitFor,
)
from planrunner.engine.sharing.pools import NOTHING, ValuePool
from planrunner.engine.users.user_context import Actor
from planrunner.engine.users.virtual_user import user_stream
from planrunner.errors import CannotRun
from planrunner.graph.run_graph import BarrierNode, PoolNode, RunGraph
from planrunner.graph.shared_steps import TakenEnd
from planrunner.language.expressions.builtins.random_draws import Rand
from planrunner.language.expressions.values import EvaluationError, Scope
from planrunner.language.growing_masker import GrowingMasker, texts_in

__all__ = ["BarrierGate", "SharedPool", "Sharing"]


class SharedPool(ABC):
    """A pool as steps use it."""

    @abstractmethod
    def push(self, value: object) -> None:
        """Add a value.

        Raises:
            EvaluationError: It can't be had by others.
        """

    @abstractmethod
    async def take(self, user: Actor, which: TakenEnd, draw: float) -> object:
        """Return an element; `NOTHING` if it has none. For the arguments see `ValuePool.take`."""

    @abstractmethod
    async def wait(self, user: Actor, which: TakenEnd, draw: float, wait_ns: int) -> object:
        """Do as `take`, and wait for one; `NOTHING` when the time was up or the user is to end."""


class BarrierGate(ABC):
    """A barrier as the users of a phase meet it."""

    @abstractmethod
    def join(self) -> None:
        """Count a user that has started."""

    @abstractmethod
    def leave(self) -> None:
        """Count a user that won't come any more."""

    @abstractmethod
    async def pass_with_others(self, user: Actor, limit_ns: int) -> bool:
        """Wait; False when the time was up or the user is to end."""


class _LocalPool(SharedPool):
    """A pool in this process; nobody waits for it where `waits` is false."""

    def __init__(self, pool: ValuePool, *, waits: bool) -> None:
        self._pool = pool
        self._waits = waits

    def push(self, value: object) -> None:
        self._pool.push(value)

    async def take(self, user: Actor, which: TakenEnd, draw: float) -> object:
        return self._pool.take(which, draw)

    async def wait(self, user: Actor, which: TakenEnd, draw: float, wait_ns: int) -> object:
        if not self._waits:
            return NOTHING
        wait = Wait(user)
        self._pool.wait(wait)
        try:
            await wait.until_over(wait_ns)
        except asyncio.CancelledError:
            if wait.is_over:
                self._pool.put_back(wait.value)
            raise
        finally:
            self._pool.withdraw(wait)
        return wait.value if wait.is_over else NOTHING


class _LocalGate(BarrierGate):
    def __init__(self, barrier: Barrier) -> None:
        self._barrier = barrier

    def join(self) -> None:
        self._barrier.join()

    def leave(self) -> None:
        self._barrier.leave()

    async def pass_with_others(self, user: Actor, limit_ns: int) -> bool:
        wait = Wait(user)
        self._barrier.arrive(wait)
        try:
            await wait.until_over(limit_ns)
        finally:
            self._barrier.withdraw(wait)
        return wait.is_over


class _Line:
    """What a worker and its coordinator say about what is shared: each question has a number."""

    def __init__(self, send: Tell, mask: GrowingMasker) -> None:
        self.send = send
        self._mask = mask
        self._number = count().__next__
        self._asking: dict[int, Wait] = {}

    def ask(self, user: Actor, question: Callable[[int], object]) -> tuple[int, Wait]:
        number, wait = self._number(), Wait(user)
        self._asking[number] = wait
        self.send(question(number))
        return number, wait

    def covered(self, value: object) -> object:
        """Return a value as it is sent: with a note if it is, or holds, a secret."""
        mask = self._mask
        return Covered(value) if any(mask(text) != text for text in texts_in(value)) else value

    def uncovered(self, value: object) -> object:
        """Return a value that was sent; one that is secret is learnt."""
        if isinstance(value, Covered):
            self._mask.learn(value.value)
            return value.value
        return value

    def is_forgotten(self, number: int) -> bool:
        """Forget a question; whether there was no answer to it."""
        return self._asking.pop(number, None) is not None

    def heard(self, given: Given) -> None:
        wait = self._asking.pop(given.number, None)
        if wait is not None:
            wait.give(given.value if given.found else NOTHING)
        elif given.pool and given.found:  # it came when nobody waited any more
            self.send(PutBack(given.pool, given.value))


class _RunPool(SharedPool):
    """A pool at the coordinator."""

    def __init__(self, name: str, line: _Line) -> None:
        self._name = name
        self._line = line

    def push(self, value: object) -> None:
        try:
            self._line.send(Push(self._name, self._line.covered(value)))
        except Exception as error:  # pickle raises what it likes
            words = f"the value can't be sent to other workers: {error}"
            raise EvaluationError(words) from error

    async def take(self, user: Actor, which: TakenEnd, draw: float) -> object:
        asked = self._line.ask(user, lambda number: Take(number, self._name, which, draw))
        return await self._answer(*asked, 0, soundly=True)

    async def wait(self, user: Actor, which: TakenEnd, draw: float, wait_ns: int) -> object:
        asked = self._line.ask(user, lambda number: WaitFor(number, self._name, which, draw))
        return await self._answer(*asked, wait_ns, soundly=False)

    async def _answer(self, number: int, wait: Wait, limit_ns: int, *, soundly: bool) -> object:
        try:
            await wait.until_over(limit_ns, soundly=soundly)
        except asyncio.CancelledError:
            if wait.is_over and wait.value is not NOTHING:
                self._line.send(PutBack(self._name, wait.value))
            raise
        finally:
            if self._line.is_forgotten(number):
                self._line.send(Leave(number))
        return self._line.uncovered(wait.value) if wait.is_over else NOTHING


class _RunGate(BarrierGate):
    """A barrier at the coordinator, which is told once in a while how many users are here."""

    def __init__(self, phase: str, node: BarrierNode, line: _Line) -> None:
        self._phase = phase
        self._node = node
        self._line = line
        self._live = 0
        self._is_telling = False

    def join(self) -> None:
        self._live += 1
        self.tell()

    def leave(self) -> None:
        self._live -= 1
        self.tell()

    def tell(self) -> None:
        """Say how many users are here, once all of this moment have come or gone."""
        if not self._is_telling:
            self._is_telling = True
            asyncio.get_running_loop().call_soon(self._tell)

    def _tell(self) -> None:
        self._is_telling = False
        self._line.send(Present(self._phase, self._node.name, self._live))

    async def pass_with_others(self, user: Actor, limit_ns: int) -> bool:
        phase, name = self._phase, self._node.name
        number, wait = self._line.ask(user, lambda number: Arrive(number, phase, name))
        try:
            await wait.until_over(limit_ns)
        finally:
            if self._line.is_forgotten(number):
                self._line.send(Leave(number))
        return wait.is_over


class _Shown:
    """The pools of a worker as expressions read them: `pool.NAME`."""

    def __init__(self, pools: Mapping[str, ValuePool]) -> None:
        self._pools = pools

    def __getitem__(self, name: str) -> tuple[object, ...]:
        return self._pools[name].shown


class Sharing:
    """What the users of a worker share.

    Args:
        graph: What runs.
        scope: What first values may read; gets `pool`.
        waits: False where no other user could end a wait.

    Attributes:
        kept: The pools that are kept here, by name.
    """

    def __init__(self, graph: RunGraph, scope: Scope, *, waits: bool = True) -> None:
        self._nodes = {node.name: node for node in graph.pools}
        self.kept = {node.name: ValuePool(node.most) for node in graph.pools}
        self._gates: dict[tuple[str, str], BarrierGate] = {}
        self._waits = waits
        self._line: _Line | None = None
        for node in graph.pools:
            rng = user_stream(graph.seed, "", f"pool.{node.name}", 0)
            for value in _first_values(node, {**scope, "rand": Rand(rng)}):
                self.kept[node.name].push(value)
        if graph.pools:
            scope["pool"] = _Shown(self.kept)

    def connect(self, send: Tell, mask: GrowingMasker) -> None:
        """Share with other workers from now on; first values come from the coordinator.

        Args:
            send: Reaches it.
            mask: Knows the secrets of this worker.
        """
        self._line = _Line(send, mask)
        for pool in self.kept.values():
            pool.take_all()

    def pool(self, name: str) -> SharedPool:
        if self._line is not None and self._nodes[name].of_run:
            return _RunPool(name, self._line)
        return _LocalPool(self.kept[name], waits=self._waits)

    def gate(self, phase: str, node: BarrierNode) -> BarrierGate:
        """Return the barrier of the phase with that name: always the same one."""
        key = phase, node.name
        if key not in self._gates:
            if self._line is not None:
                self._gates[key] = _RunGate(phase, node, self._line)
            else:
                self._gates[key] = _LocalGate(Barrier(node.users if self._waits else 1))
        return self._gates[key]

    def deal(self, workers: int) -> list[dict[str, list[object]]]:
        """Take what is in the pools of the workers, and return the share of each."""
        shares: list[dict[str, list[object]]] = [{} for _ in range(workers)]
        for name, pool in self.kept.items():
            if not self._nodes[name].of_run:
                for index, value in enumerate(pool.take_all()):
                    shares[index % workers].setdefault(name, []).append(value)
        return shares

    def begin(self, phase: str, given: Mapping[str, Sequence[object]]) -> None:
        """Take what was dealt to this worker, and tell of the users that a phase begins with."""
        for name, values in given.items():
            for value in values:
                self.kept[name].push(value)
        for (of, _), gate in self._gates.items():
            if of == phase and isinstance(gate, _RunGate):
                gate.tell()

    def heard(self, given: Given) -> None:
        """Take an answer of the coordinator's."""
        assert self._line is not None  # it answers what was asked
        self._line.heard(given)


def _first_values(node: PoolNode, scope: Scope) -> Iterator[object]:
    for evaluate in node.values:
        try:
            yield evaluate(scope)
        except EvaluationError as error:
            raise CannotRun(f"a value of the pool `{node.name}` can't be had: {error}") from error

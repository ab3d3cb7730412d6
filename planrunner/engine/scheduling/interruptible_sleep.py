"""Waiting that can be cut short: the only place in the engine where a timer is set."""

from __future__ import annotations

import asyncio
from typing import Final, Protocol

from planrunner.clock import Clock
from planrunner.units import NS_PER_MS

__all__ = ["SHORTEST_NS", "Awaited", "InterruptibleSleep"]

SHORTEST_NS: Final = NS_PER_MS
"""What a user that has nothing to wait for gives to the others."""


class Awaited(Protocol):
    """What a sleeper may wait for beside a moment."""

    @property
    def is_over(self) -> bool: ...


class InterruptibleSleep:
    """One sleeper, and a way to wake it.

    Attributes:
        cut: Once true, only sound sleepers sleep here any more.
        hurried: Once true, not even they do.
    """

    __slots__ = ("_clock", "_waiter", "cut", "hurried")

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._waiter: asyncio.Future[None] | None = None
        self.cut = False
        self.hurried = False

    async def until(self, due_ns: int, *, soundly: bool = False) -> None:
        """Return at or after `due_ns`, never before, unless the sleep is cut.

        Who sleeps soundly is not woken by `cut_short`, only by `hurry`.
        """
        clock = self._clock
        # Cutting it short wakes a sound sleeper too, who then looks again.
        while not self.hurried and (soundly or not self.cut) and due_ns > clock.now_ns():
            waiter = self._waiter = asyncio.get_running_loop().create_future()
            clock.wake(waiter, due_ns)
            try:
                await waiter
            finally:
                self._waiter = None

    async def until_over(self, wait: Awaited, due_ns: int, *, soundly: bool = False) -> None:
        """Do as `until`, and return as well once `wait` is over, of which `wake` tells."""
        clock = self._clock
        while (
            not wait.is_over
            and not self.hurried
            and (soundly or not self.cut)
            and due_ns > clock.now_ns()
        ):
            waiter = self._waiter = asyncio.get_running_loop().create_future()
            clock.wake(waiter, due_ns)
            try:
                await waiter
            finally:
                self._waiter = None

    def wake(self) -> None:
        """Let the sleeper look whether what it waits for has come."""
        if self._waiter is not None:
            _release(self._waiter)

    async def give_way(self) -> None:
        """Let every other ready task have a turn."""
        loop = asyncio.get_running_loop()
        waiter = loop.create_future()
        loop.call_soon(_release, waiter)
        await waiter

    def cut_short(self) -> None:
        """Wake the sleeper now, and let only sound sleepers sleep here again."""
        self.cut = True
        if self._waiter is not None:
            _release(self._waiter)

    def hurry(self) -> None:
        """Wake the sleeper now, however soundly it sleeps."""
        self.cut = self.hurried = True
        if self._waiter is not None:
            _release(self._waiter)


def _release(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)

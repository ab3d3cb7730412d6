"""Messages that arrive once and in order, over calls that may fail after they have done their work.

A call that brought something may seem to fail: its answer was lost. So whoever sends keeps what it
sends until it hears that it came, and sends it again until then; whoever receives knows the number
of what it has, and takes nothing twice.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence

from planrunner.values import dataclass

__all__ = ["Bundled", "Inbox", "Outbox", "Parcel"]


@dataclass(frozen=True, slots=True)
class Parcel:
    """What goes between a coordinator and one of its workers.

    Attributes:
        worker: Whose it is, from 0.
        data: A message; None once the worker has ended.
        fate: How it ended, in words.
    """

    worker: int
    data: bytes | None
    fate: str = ""


Bundled = tuple[int, Sequence[Parcel]]
"""Some parcels, and the number of the first of them."""


class Outbox:
    """Keeps what is to be sent until the other end has it.

    Args:
        most_bytes: What `room` waits for; `put` takes more.
    """

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._kept: deque[Parcel] = deque()
        self._bytes = 0
        self._first = 1
        self._filled = asyncio.Event()
        self._eased = asyncio.Event()
        self._eased.set()

    def put(self, parcel: Parcel) -> None:
        self._kept.append(parcel)
        self._bytes += len(parcel.data or b"")
        self._filled.set()
        if self._bytes > self._most_bytes:
            self._eased.clear()

    async def room(self) -> None:
        """Return when less waits than may."""
        await self._eased.wait()

    async def filled(self, seconds: float) -> None:
        """Return when there is something to send, or time is up."""
        try:
            async with asyncio.timeout(seconds):
                await self._filled.wait()
        except TimeoutError:
            return

    def bundled(self, most_bytes: int) -> Bundled:
        """Return the oldest of what the other end may not have: about so much, and one at least."""
        taken: list[Parcel] = []
        size = 0
        for parcel in self._kept:
            size += len(parcel.data or b"")
            if taken and size > most_bytes:
                break
            taken.append(parcel)
        return self._first, taken

    def arrived(self, number: int) -> None:
        """Forget all up to a number: the other end has it."""
        while self._kept and self._first <= number:
            self._bytes -= len(self._kept.popleft().data or b"")
            self._first += 1
        if self._bytes <= self._most_bytes:
            self._eased.set()
        if not self._kept:
            self._filled.clear()


class Inbox:
    """Takes what comes, each parcel once.

    Attributes:
        taken: The number of the last one that was taken.
    """

    def __init__(self) -> None:
        self.taken = 0

    def new(self, bundled: Bundled) -> Sequence[Parcel]:
        """Return those that were not here before.

        Raises:
            ValueError: Some before them are missing, which is a fault of the sender.
        """
        first, parcels = bundled
        if first > self.taken + 1:
            raise ValueError(f"parcel {self.taken + 1} is missing: {first} came")
        fresh = parcels[self.taken + 1 - first :]
        self.taken += len(fresh)
        return fresh

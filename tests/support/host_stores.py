"""Stores of hosts as a coordinator asks them, without anything in between."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from planrunner.cluster.files.chunks import LaidFile
from planrunner.cluster.files.store import HostStore

__all__ = ["StoreCalls"]


class StoreCalls:
    """What an agent does with a store.

    Args:
        failing: Calls of `put`, by number, whose answer is lost.
        held: Calls of `put` that wait until there are so many, and a little longer for more.

    Attributes:
        at_once: The most that ever waited.
    """

    def __init__(self, store: HostStore, *, failing: Sequence[int] = (), held: int = 1) -> None:
        self.store = store
        self.puts: list[tuple[str, int, int]] = []
        self.at_once = self._now = 0
        self._held, self._enough = held, asyncio.Event()
        self._failing = failing

    async def lacks(self, sizes: Mapping[str, int]) -> Mapping[str, int]:
        return self.store.lacks(sizes)

    async def put(self, key: str, offset: int, data: bytes) -> int:
        self.puts.append((key, offset, len(data)))
        number = len(self.puts)
        self._now += 1
        self.at_once = max(self.at_once, self._now)
        if self.at_once >= self._held:
            self._enough.set()
        await self._enough.wait()
        for _ in range(self._held):  # in which the next piece would have been read
            await asyncio.to_thread(int)
        self._now -= 1
        have = self.store.put(key, offset, data)
        if number in self._failing:
            raise OSError("the connection was lost")
        return have

    async def lay_out(self, files: Sequence[LaidFile], folders: Sequence[str]) -> str:
        return str(self.store.lay_out(files, folders))

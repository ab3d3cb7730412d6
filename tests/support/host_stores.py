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
    """

    def __init__(self, store: HostStore, *, failing: Sequence[int] = ()) -> None:
        self.store = store
        self.puts: list[tuple[str, int, int]] = []
        self.at_once = self._now = 0
        self._failing = failing

    async def lacks(self, sizes: Mapping[str, int]) -> Mapping[str, int]:
        return self.store.lacks(sizes)

    async def put(self, key: str, offset: int, data: bytes) -> int:
        self.puts.append((key, offset, len(data)))
        number = len(self.puts)
        self._now += 1
        self.at_once = max(self.at_once, self._now)
        await asyncio.sleep(0)
        self._now -= 1
        have = self.store.put(key, offset, data)
        if number in self._failing:
            raise OSError("the connection was lost")
        return have

    async def lay_out(self, files: Sequence[LaidFile], folders: Sequence[str]) -> str:
        return str(self.store.lay_out(files, folders))

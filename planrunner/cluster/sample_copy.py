"""Raw samples on their way back: the files of workers on another host, copied as they grow."""

from __future__ import annotations

import asyncio
import shutil
import zlib
from pathlib import Path
from typing import Final

from planrunner.cluster.agent import AgentCalls

__all__ = ["SampleCopy"]

_PART: Final = 1 << 20
_LEAST_FREE: Final = 500_000_000
"""Bytes: of one call, and of the disk, which reports need as well."""


class SampleCopy:
    """Copies the files of samples in an agent's folder to the run's directory.

    A copy is what the file begins with, whatever fails in between; so are both files of a worker
    together: the one that says what rows mean is always at least as far as the rows are.

    Attributes:
        loss: Why nothing is copied any more; empty while all is well.
    """

    def __init__(self, agent: AgentCalls, directory: Path) -> None:
        self._agent = agent
        self._directory = directory
        self._copied: dict[str, int] = {}
        self._copying = asyncio.Lock()
        self.loss = ""

    async def copy(self) -> None:
        """Copy what is new.

        Raises:
            OSError: A call failed; what came before it is here.
        """
        async with self._copying:
            # Rows follow the words that say what they mean: so the rows that are there now have
            # theirs in what the other file has a moment later.
            rows = await self._sizes(".bin")
            words = await self._sizes(".jsonl")
            for file, size in (*words.items(), *rows.items()):
                await self._copy_up_to(file, size)

    async def _sizes(self, suffix: str) -> dict[str, int]:
        sizes = await self._agent.sizes()
        return {file: size for file, size in sizes.items() if file.endswith(suffix)}

    async def _copy_up_to(self, file: str, size: int) -> None:
        while not self.loss and (have := self._copied.get(file, 0)) < size:
            packed = await self._agent.part(file, have, min(size - have, _PART))
            data = await asyncio.to_thread(self._append, file, packed)
            self._copied[file] = have + data

    def _append(self, file: str, packed: bytes) -> int:
        path, data = self._directory / file, zlib.decompress(packed)
        try:
            if shutil.disk_usage(self._directory).free < _LEAST_FREE:
                self.loss = f"less than 500 MB is free where `{path}` is"
                return 0
            with path.open("ab") as out:
                out.write(data)
        except OSError as error:
            self.loss = f"cannot write `{path}`: {error.strerror}"
            return 0
        return len(data)

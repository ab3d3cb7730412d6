"""Collections of garbage during a stretch: part of what calls take, so they are counted."""

from __future__ import annotations

import gc
from time import perf_counter_ns
from types import TracebackType
from typing import Self

__all__ = ["GarbageWatch"]


class GarbageWatch:
    """Counts collections of any generation, in any thread, while it is entered.

    A collection stops every thread of the interpreter, so it doesn't matter whose allocation it
    was. Several watches at once each count all of them.

    Attributes:
        collections: How many ended.
        took_ns: What they took together.
    """

    __slots__ = ("_began_ns", "collections", "took_ns")

    def __init__(self) -> None:
        self.collections = self.took_ns = 0
        self._began_ns: int | None = None

    def __enter__(self) -> Self:
        gc.callbacks.append(self._on_collection)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        gc.callbacks.remove(self._on_collection)

    def _on_collection(self, phase: str, _facts: dict[str, int]) -> None:
        if phase == "start":
            self._began_ns = perf_counter_ns()
        elif self._began_ns is not None:  # else it had begun before the watch was entered
            self.took_ns += perf_counter_ns() - self._began_ns
            self.collections += 1
            self._began_ns = None

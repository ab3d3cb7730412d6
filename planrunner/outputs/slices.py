"""Long work in pieces that are too short for the load to notice.

A piece is a time and not a number of things, as some things take a hundred times what others do.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterable, Iterator
from time import perf_counter_ns
from typing import Final, TypeVar

__all__ = ["in_slices", "paced"]

T = TypeVar("T")

_PIECE_NS: Final = 200_000
"""As long as the load may wait; a request takes about as much of the processor."""

_PAUSE_S: Final = 20e-6
"""A thread that only works has the interpreter 5 ms long; one that sleeps gives it away."""


async def in_slices(things: Iterable[T]) -> AsyncIterator[T]:
    """Yield all things on the load's thread, which has its turn after each piece.

    Making a thing, and whatever is done with it before the next one, is part of the piece.
    """
    began_ns = perf_counter_ns()
    for thing in things:
        yield thing
        if perf_counter_ns() - began_ns > _PIECE_NS:
            await asyncio.sleep(0)
            began_ns = perf_counter_ns()


def paced(things: Iterable[T]) -> Iterator[T]:
    """Yield all things in another thread, which gives the interpreter away after each piece."""
    began_ns = perf_counter_ns()
    for thing in things:
        yield thing
        if perf_counter_ns() - began_ns > _PIECE_NS:
            time.sleep(_PAUSE_S)
            began_ns = perf_counter_ns()

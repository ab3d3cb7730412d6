"""The series of a second, a few at a time, so that the load goes on between them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from itertools import islice
from typing import Final, TypeVar

__all__ = ["in_slices"]

T = TypeVar("T")

_EACH: Final = 10
"""Things between two looks at the load. A line of text with percentiles takes some 50 µs, so that
is half a millisecond, as long as a few requests take."""


async def in_slices(things: Iterable[T], each: int = _EACH) -> AsyncIterator[T]:
    """Yield all things; after every few, whatever else runs on this thread has its turn."""
    rest = iter(things)
    while few := list(islice(rest, each)):
        for thing in few:
            yield thing
        await asyncio.sleep(0)

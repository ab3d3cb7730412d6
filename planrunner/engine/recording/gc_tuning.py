"""Keeps garbage collections short while users run: what has lived long is looked through no more.

A full collection looks at every object. Where thousands of users are alive it stops the loop for
a tenth of a second or more, again and again as they start, and finds nothing. So what survives one
that did not end at once is frozen. Frozen objects are still freed when nothing refers to them any
more, as users that have ended are. Only those that refer to each other in a circle stay. Who makes
such circles is mostly known from collections of younger objects: if these found some, and there
are twice as many frozen objects as were found alive, and some more, the next one looks at all; if
they found none, at four times as many.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Mapping
from typing import Final

from planrunner.units import NS_PER_MS

__all__ = ["CollectionWatch", "keep_collections_short", "look_past_what_came"]

_LONG_NS: Final = 2 * NS_PER_MS
"""Of the processor. Shorter ones may look again at what they know."""

_SPARE: Final = 500_000
"""Objects, some 50 MB or 6,000 users."""

_THRESHOLDS: Final = (700, 10, 1)
"""Python's own, but for full collections, of which there are more with less to look at: 8,000 to
15,000 new objects, and not 70,000."""

_IN_CIRCLES: Final = 0.01
"""The share of circles among objects from which on they are looked for …"""

_WITHOUT_CIRCLES: Final = 4
"""… and how many times later they are looked for all the same: 25,000 users may be alive."""

_FULL_GENERATION: Final = 2


class CollectionWatch:
    """Called by the garbage collector before and after each collection."""

    def __init__(self) -> None:
        self._began_ns = 0
        self._looks_at_all = False
        self._most = self._limit()
        self._in_circles = 0

    def __call__(self, phase: str, info: Mapping[str, int]) -> None:
        self._in_circles += info["collected"]
        if info["generation"] < _FULL_GENERATION:
            return
        now_ns = time.thread_time_ns()
        if phase == "start":
            self._began_ns = now_ns
        elif now_ns - self._began_ns > _LONG_NS:
            self._freeze()

    def _freeze(self) -> None:
        gc.freeze()
        frozen = gc.get_freeze_count()
        if self._looks_at_all:
            self._looks_at_all = False
            self._most, self._in_circles = self._limit(), 0
            return
        has_circles = self._in_circles > _IN_CIRCLES * frozen
        if frozen > self._most * (1 if has_circles else _WITHOUT_CIRCLES):
            self._looks_at_all = True
            gc.unfreeze()

    def _limit(self) -> int:
        return 2 * gc.get_freeze_count() + _SPARE


def keep_collections_short() -> None:
    """Begin, in a process that is ours, with the modules and the plan as what lives long."""
    gc.freeze()
    gc.set_threshold(*_THRESHOLDS)
    gc.enable()
    gc.callbacks.append(CollectionWatch())


def look_past_what_came() -> None:
    """Take what came since for what lives long, too, just before the load begins.

    Outputs bring modules of 100,000 objects, which the first full collection would look through
    for some 20 ms. In a process that isn't ours nothing is frozen.
    """
    if any(isinstance(one, CollectionWatch) for one in gc.callbacks):
        gc.freeze()

"""Keeps garbage collections short while users run: what has lived long is looked through no more.

A full collection looks at every object. Where thousands of users are alive it stops the loop for
a tenth of a second or more, again and again as they start, and finds nothing. So what survives one
that took long is frozen. Frozen objects are still freed when nothing refers to them any more, as
users that have ended are. Only those that refer to each other in a circle stay, so when there are
twice as many frozen ones as were found alive, and some more, the next collection looks at all.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Mapping
from typing import Final

from planrunner.units import NS_PER_MS

__all__ = ["CollectionWatch", "keep_collections_short", "look_past_what_came"]

_LONG_NS: Final = 10 * NS_PER_MS
"""Of the processor. Shorter ones may look again at what they know."""

_SPARE: Final = 500_000
"""Objects, some 50 MB or 6,000 users."""

_THRESHOLDS: Final = (700, 10, 3)
"""Python's own, but for full collections, of which there are more with less to look at: 20,000
new objects, and not 70,000."""

_FULL_GENERATION: Final = 2


class CollectionWatch:
    """Called by the garbage collector before and after each collection."""

    def __init__(self) -> None:
        self._began_ns = 0
        self._looks_at_all = False
        self._most = self._limit()

    def __call__(self, phase: str, info: Mapping[str, int]) -> None:
        if info["generation"] < _FULL_GENERATION:
            return
        now_ns = time.thread_time_ns()
        if phase == "start":
            self._began_ns = now_ns
        elif now_ns - self._began_ns > _LONG_NS:
            self._freeze()

    def _freeze(self) -> None:
        gc.freeze()
        if self._looks_at_all:
            self._looks_at_all = False
            self._most = self._limit()
        elif gc.get_freeze_count() > self._most:
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

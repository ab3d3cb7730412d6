"""Whether iterations start when they are due: counted where arrivals or a pace say when that is."""

from __future__ import annotations

from typing import Final

from planrunner.engine.scheduling.timeline import FOREVER_NS, Timeline
from planrunner.metrics.judging.evidence import ArrivalCounts
from planrunner.units import NS_PER_MS

__all__ = ["LATE_NS", "Punctuality"]

LATE_NS: Final = 5 * NS_PER_MS
"""An iteration that starts this long after it was due is late."""


class Punctuality:
    """The due iterations of one phase on one worker since the last drain.

    The hot path appends to `lateness_ns` and adds to counters; they become `Arrivals` values that
    never straddle two windows of the phase, so that warm-up and stages count exactly.

    Attributes:
        lateness_ns: Of each iteration that started: how long after it was due.
        dropped: Arrivals that found all users busy.
        missed: Due iterations that no user was given: a pace came round while the one before was
            still running, or the phase was cut while arrivals were overdue.
        unbegun: Of those in `lateness_ns`, now or earlier, ones that were given to a user who was
            gone before it could begin.
        overran: Iterations that a pace started late, but by no more than `LATE_NS`.
        window_ends_ns: When to call `enter` next.
    """

    __slots__ = (
        "_began_ns",
        "_done",
        "_timeline",
        "dropped",
        "lateness_ns",
        "missed",
        "overran",
        "unbegun",
        "window_ends_ns",
    )

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline
        self._began_ns = timeline.started_ns
        self._done: list[tuple[ArrivalCounts, list[int]]] = []
        self.lateness_ns: list[int] = []
        self.dropped = self.missed = self.overran = self.unbegun = 0
        self.window_ends_ns = 0

    def enter(self, due_ns: int) -> None:
        """Go on in the window of `due_ns`; what was counted so far belongs to those before."""
        self.close(min(due_ns, self.window_ends_ns or due_ns))
        self.window_ends_ns = self._timeline.at(due_ns).end_ns

    def close(self, until_ns: int) -> None:
        """Keep what was counted until then as one interval, and begin another."""
        lateness_ns, self.lateness_ns = self.lateness_ns, []
        given = len(lateness_ns)
        due = given + self.dropped + self.missed
        if due or self.unbegun:
            last_ns = min(self.window_ends_ns or FOREVER_NS, self._timeline.ends_ns) - 1
            late = sum(late_ns > LATE_NS for late_ns in lateness_ns) + self.overran
            arrivals = ArrivalCounts(
                # What a late generator gives out after its time still belongs to it.
                at_ns=min((self._began_ns + until_ns) // 2, last_ns),
                phase=self._timeline.phase,
                due=due,
                started=given - self.unbegun,
                dropped=self.dropped,
                late=late,
            )
            self._done.append((arrivals, lateness_ns))
        self.dropped = self.missed = self.overran = self.unbegun = 0
        self._began_ns = max(self._began_ns, until_ns)

    def drain(self, now_ns: int) -> list[tuple[ArrivalCounts, list[int]]]:
        """Return the intervals since the last time, each with its latenesses, and forget them."""
        self.close(now_ns)
        done, self._done = self._done, []
        return done

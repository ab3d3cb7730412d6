"""When the pieces of a streamed reply came: what `first_event`, `gap` and `events` are made of."""

from __future__ import annotations

from typing import Final

from planrunner.metrics.histogram import Histogram

__all__ = ["Arrivals", "PooledValues"]

_MOST_SINGLE_GAPS: Final = 10_000
"""Gaps kept one by one; those of a longer stream become a histogram, so that it may be endless."""


class Arrivals:
    """The arrivals of one reply's pieces: events, lines or messages.

    Attributes:
        count: How many came.
        first_ns: When the first one came (clock time); 0 while none has.
        last_ns: When the last one did.
        is_met: The plan had seen enough: what it waits for has come.
        last: The last piece, as expressions see it; None while none has come.
        last_words: Why it can't be said whether the last piece was that; empty if it can.
        text: The beginning of what came, for people; empty where nobody looks.
        longest_gap_ns: The longest time between two that followed each other.
        gaps_ns: The times between them, but for those in `earlier`.
        earlier: The gaps before those of `gaps_ns`; None while there are none.
    """

    __slots__ = (
        "count",
        "earlier",
        "first_ns",
        "gaps_ns",
        "is_met",
        "last",
        "last_ns",
        "last_words",
        "longest_gap_ns",
        "text",
    )

    def __init__(self) -> None:
        self.count = self.first_ns = self.last_ns = self.longest_gap_ns = 0
        self.gaps_ns: list[int] = []
        self.earlier: Histogram | None = None
        self.is_met = False
        self.last: object = None
        self.last_words = ""
        self.text = b""

    def note(self, at_ns: int) -> None:
        """Count a piece that came at this moment."""
        if self.count:
            gap_ns = at_ns - self.last_ns
            if len(self.gaps_ns) == _MOST_SINGLE_GAPS:
                self._count_gaps()
            self.gaps_ns.append(gap_ns)
            if gap_ns > self.longest_gap_ns:  # noqa: PLR1730 - `max` costs a call for each piece
                self.longest_gap_ns = gap_ns
        else:
            self.first_ns = at_ns
        self.last_ns = at_ns
        self.count += 1

    def _count_gaps(self) -> None:
        if self.earlier is None:
            self.earlier = Histogram()
        self.earlier.record_many(self.gaps_ns)
        self.gaps_ns.clear()


class PooledValues(list[int]):
    """The values of one series since the last drain; a sample adds all of its own.

    Attributes:
        counted: Those that came as a histogram, because a sample had too many to keep.
    """

    __slots__ = ("counted",)

    def __init__(self) -> None:
        super().__init__()
        self.counted = Histogram()

    def drain(self) -> Histogram:
        """Return what came since the last drain, and forget it."""
        taken, self.counted = self.counted, Histogram()
        taken.record_many(self)
        self.clear()
        return taken

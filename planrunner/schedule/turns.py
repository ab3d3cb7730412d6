"""A cap on requests per unit of time: which user may send when, evenly spaced; pure."""

from __future__ import annotations

from planrunner.units import Rate
from planrunner.values import dataclass

__all__ = ["Turns", "shared_out"]


@dataclass(slots=True)
class Turns:
    """Gives out turns at most `rate.count` in each `rate.per_ns`, never in bursts.

    A lull isn't made up for: any stretch of n turns lasts at least (n - 1) * per_ns / count, cut
    to whole ns. Kept in `count` parts of a nanosecond, so that no rounding adds up.
    """

    rate: Rate
    _next: int = 0

    def take(self, now_ns: int) -> int:
        """Take the next turn and return when it is; it may have come already."""
        count = self.rate.count
        turn = max(self._next, now_ns * count)
        self._next = turn + self.rate.per_ns
        return -(-turn // count)


def shared_out(rate: Rate, workers: int) -> Rate:
    """Return each worker's part of a cap; together they have exactly all of it."""
    return Rate(rate.count, rate.per_ns * workers)

"""The values of a gauge as a distribution: few enough to be kept, so all of it is exact."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from fractions import Fraction
from math import ceil

__all__ = ["PointValues"]


class PointValues:
    """Answers as a `Histogram` does; without values only `count` has an answer.

    The values come in order of time.
    """

    __slots__ = ("_last", "_ordered")

    def __init__(self, values: Iterable[float]) -> None:
        in_time = list(values)
        self._last = in_time[-1] if in_time else 0.0
        self._ordered = sorted(in_time)

    @property
    def count(self) -> int:
        return len(self._ordered)

    @property
    def min(self) -> float:
        return self._ordered[0]

    @property
    def max(self) -> float:
        return self._ordered[-1]

    @property
    def mean(self) -> float:
        return sum(self._ordered) / len(self._ordered)

    @property
    def total(self) -> float:
        return sum(self._ordered)

    @property
    def last(self) -> float:
        return self._last

    @property
    def stddev(self) -> float:
        from statistics import pstdev  # noqa: PLC0415 - few thresholds want it

        return pstdev(self._ordered)

    def percentile(self, percent: float) -> float:
        # Through the decimal text, as 99.9 means 999/10.
        rank = ceil(len(self._ordered) * Fraction(str(percent)) / 100)
        return self._ordered[max(rank, 1) - 1]

    def count_at_most(self, value: float) -> int:
        return bisect_right(self._ordered, value)

"""The values of a gauge as a distribution: few enough to be kept, so all of it is exact."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from fractions import Fraction
from math import ceil
from statistics import pstdev

__all__ = ["PointValues"]


class PointValues:
    """Answers as a `Histogram` does; without values only `count` has an answer."""

    __slots__ = ("_ordered",)

    def __init__(self, values: Iterable[float]) -> None:
        self._ordered = sorted(values)

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
    def stddev(self) -> float:
        return pstdev(self._ordered)

    def percentile(self, percent: float) -> float:
        # Through the decimal text, as 99.9 means 999/10.
        rank = ceil(len(self._ordered) * Fraction(str(percent)) / 100)
        return self._ordered[max(rank, 1) - 1]

    def count_at_most(self, value: float) -> int:
        return bisect_right(self._ordered, value)

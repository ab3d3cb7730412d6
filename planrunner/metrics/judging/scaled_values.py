"""The values of a measure in its unit, where they are kept in finer pieces."""

from __future__ import annotations

from planrunner.metrics.aggregations.computation import Distribution
from planrunner.metrics.histogram import Histogram

__all__ = ["ScaledValues", "in_unit_of_measure"]


class ScaledValues:
    """Answers as the `Histogram` that it is of does, in units of which `scale` pieces make one."""

    __slots__ = ("_scale", "_values")

    def __init__(self, values: Histogram, scale: int) -> None:
        self._values = values
        self._scale = scale

    @property
    def count(self) -> int:
        return self._values.count

    @property
    def min(self) -> float:
        return self._values.min / self._scale

    @property
    def max(self) -> float:
        return self._values.max / self._scale

    @property
    def mean(self) -> float:
        return self._values.total / (self._scale * self._values.count)

    @property
    def stddev(self) -> float:
        return self._values.stddev / self._scale

    @property
    def total(self) -> float:
        return self._values.total / self._scale

    @property
    def last(self) -> float:
        return self._values.last / self._scale

    def percentile(self, percent: float) -> float:
        return self._values.percentile(percent) / self._scale

    def count_at_most(self, value: float) -> int:
        return self._values.count_at_most(int(value * self._scale))


def in_unit_of_measure(values: Histogram, scale: int) -> Distribution:
    """Return values in the unit of their measure."""
    return values if scale == 1 else ScaledValues(values, scale)

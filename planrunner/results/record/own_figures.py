"""What values that expressions give come to: the figures of a table."""

from __future__ import annotations

from typing import Final

from planrunner.metrics.recorded_values import MILLIONTHS, RecordedValues
from planrunner.values import dataclass

__all__ = ["OwnFigures", "own_figures"]

_PERCENTILES: Final = (50, 95, 99)


@dataclass(frozen=True, slots=True)
class OwnFigures:
    """The values of a metric of the plan's own, in the unit that the plan gave them.

    Attributes:
        count: How many values there are.
        total: Their sum, exactly.
        per_second: The sum by the measured time.
        last: The latest of them.
        are_booleans: Whether each was true or false, so that `avg` is the share of true.
    """

    count: int
    total: float
    per_second: float
    avg: float
    min: float
    p50: float
    p95: float
    p99: float
    max: float
    last: float
    are_booleans: bool


def own_figures(values: RecordedValues, seconds: float) -> OwnFigures:
    """Return the figures of values, at least one, that came in so many measured seconds."""
    total = values.total / MILLIONTHS
    p50, p95, p99 = (one / MILLIONTHS for one in values.percentiles(_PERCENTILES))
    return OwnFigures(
        count=values.count,
        total=total,
        per_second=total / seconds if seconds else 0.0,
        avg=values.mean / MILLIONTHS,
        min=values.min / MILLIONTHS,
        p50=p50,
        p95=p95,
        p99=p99,
        max=values.max / MILLIONTHS,
        last=values.last / MILLIONTHS,
        are_booleans=values.are_booleans,
    )

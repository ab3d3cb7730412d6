"""Aggregations that mean something else where they are of a metric of the plan's own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from planrunner.metrics.aggregations.computation import Distribution, OfAmounts, OfValues
from planrunner.metrics.aggregations.record import Aggregation
from planrunner.metrics.amounts import Unit

__all__ = ["OF_OWN_METRICS", "of_own_metric", "per_second"]


def per_second(total: float, seconds: float) -> float | None:
    """Return an amount by the time; None without any."""
    return total / seconds if seconds else None


def _average(values: Distribution, _: float) -> float:
    return values.mean


def _number(values: Distribution, _: float) -> float:
    return values.count


OF_OWN_METRICS: Final = (
    Aggregation(
        "rate",
        meaning="the sum of the values, divided by the measured time",
        computation=OfAmounts(per_second),
        units=(Unit.RATE,),
        phrase="the sum of {of} per second",
        examples=("rate of metric.tokens > 100/s",),
    ),
    Aggregation(
        "share",
        meaning="the share of true among values that are true or false, which is their average",
        computation=OfValues(_average),
        units=(Unit.PERCENT,),
        phrase="the share of true in {of}",
        examples=("share of metric.hit > 90%",),
        takes_among=True,
    ),
    Aggregation(
        "count",
        meaning="how many values there are",
        computation=OfValues(_number),
        units=(Unit.NUMBER,),
        phrase="the number of values of {of}",
        examples=("count of metric.tokens > 100",),
    ),
)  # fmt: skip
_OF_OWN: Final[Mapping[str, Aggregation]] = {record.word: record for record in OF_OWN_METRICS}


def of_own_metric(agg: Aggregation) -> Aggregation:
    """Return what an aggregation is of a metric of the plan's own: some have a meaning there."""
    return _OF_OWN.get(agg.word, agg)

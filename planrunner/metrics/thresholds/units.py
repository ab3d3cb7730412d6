"""The unit of each metric: what its limit is written in and what it is shown in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from planrunner.metrics.thresholds.model import Agg, Metric
from planrunner.metrics.thresholds.selector import SelectorKind
from planrunner.metrics.thresholds.value import Unit

__all__ = ["units_of"]

# The first is the one that a bare 0 has and that messages name.
_UNITS: Final[Mapping[Agg, tuple[Unit, ...]]] = {
    **dict.fromkeys(
        [Agg.AVG, Agg.MIN, Agg.MAX, Agg.MED, Agg.PERCENTILE, Agg.GROWTH], (Unit.DURATION,)
    ),
    **dict.fromkeys([Agg.COUNT, Agg.ERRORS, Agg.DROPPED, Agg.LATE, Agg.APDEX], (Unit.NUMBER,)),
    **dict.fromkeys([Agg.RATE, Agg.ERROR_RATE, Agg.MIX_ERROR], (Unit.PERCENT,)),
    Agg.ACHIEVED_RATE: (Unit.PERCENT, Unit.RATE),
    Agg.THROUGHPUT: (Unit.RATE,),
    Agg.MAX_SUSTAINABLE: (Unit.RATE, Unit.NUMBER),
}
_GAUGE_UNITS: Final[Mapping[str, Unit]] = {
    "cpu": Unit.PERCENT,
    "rss": Unit.SIZE,
    "loop_lag": Unit.DURATION,
}
_ANY_UNIT: Final = (Unit.NUMBER, Unit.SIZE, Unit.DURATION, Unit.PERCENT, Unit.RATE)


def units_of(metric: Metric) -> tuple[Unit, ...]:
    """Return the units that a limit of the metric may have; the first is the usual one."""
    gauge = metric.gauge
    if gauge is None:
        return _UNITS[metric.agg]
    # A monitor has the name that the plan gave it: `monitor.cpu` may well be a number.
    is_free = gauge.kind is SelectorKind.MONITOR and "." not in gauge.name
    known = None if is_free else _GAUGE_UNITS.get(gauge.name.rpartition(".")[2])
    return _ANY_UNIT if known is None else (known,)

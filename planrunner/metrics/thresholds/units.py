"""The unit of each metric: what its limit is written in and what it is shown in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from planrunner.metrics.amounts import Unit
from planrunner.metrics.thresholds.model import Metric
from planrunner.metrics.thresholds.selector import SelectorKind

__all__ = ["units_of"]

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
        usual = _ANY_UNIT if metric.measure.is_own else (metric.measure.unit,)
        return metric.agg.units or usual
    # A monitor has the name that the plan gave it: `monitor.cpu` may well be a number.
    is_free = gauge.kind is SelectorKind.MONITOR and "." not in gauge.name
    known = None if is_free else _GAUGE_UNITS.get(gauge.name.rpartition(".")[2])
    return _ANY_UNIT if known is None else (known,)

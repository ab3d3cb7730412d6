"""Growth: the median of the last tenth of a stretch of time less that of the first tenth."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from planrunner.metrics.amounts import Unit
from planrunner.metrics.judging.evidence import Evidence
from planrunner.metrics.judging.measure import (
    JudgedSpan,
    Measured,
    gauge_values,
    in_unit,
    is_member,
    is_of_any_unit,
    merged,
)
from planrunner.metrics.judging.windows import extent
from planrunner.metrics.snapshot import Snapshot
from planrunner.metrics.thresholds.model import Metric
from planrunner.units import NS_PER_S

__all__ = ["Growth"]

T = TypeVar("T")


class Growth:
    """The growth of a gauge, or of a measure of samples, which it collects by the second.

    With a window it is the largest over any stretch of that length, in steps of a tenth of it.
    """

    def __init__(self, metric: Metric, unit: Unit) -> None:
        self._metric = metric
        self._unit = unit
        # Packed: a live histogram is ten times the size, and there is one a second.
        self._seconds: list[tuple[int, bytes]] = []

    def add(self, snapshot: Snapshot, evidence: Evidence) -> None:
        """Take in one interval."""
        if self._metric.gauge is not None:
            return
        selector = self._metric.selector
        chosen = [
            (labels, delta)
            for labels, delta in snapshot.deltas.items()
            if is_member(self._metric, labels, evidence)
            and (selector is None or selector.picks(labels))
        ]
        values = merged(chosen, self._metric.measure)
        if values.count:
            middle_ns = (snapshot.start_ns + snapshot.end_ns) // 2
            self._seconds.append((middle_ns, values.to_bytes()))

    def measure(self, evidence: Evidence) -> Measured | None:
        """Return the growth; None where there are no two tenths to compare."""
        measured = evidence.time_of(self._metric.scope)
        start_ns, end_ns = extent(measured)
        if self._metric.gauge is None:
            tenths = self._tenths(start_ns, end_ns, self._seconds, self._median)
        else:
            points = gauge_values(self._metric, JudgedSpan(evidence, {}, measured))
            from statistics import median  # noqa: PLC0415 - few thresholds want it

            tenths = self._tenths(start_ns, end_ns, points, median)
        if tenths is None:
            return None
        if self._metric.gauge is None:
            tenths /= self._metric.measure.scale
        grown = in_unit(tenths, self._unit) if is_of_any_unit(self._metric) else tenths
        return Measured(grown, self._unit)

    def _tenths(
        self,
        start_ns: int,
        end_ns: int,
        points: Iterable[tuple[int, T]],
        middle: Callable[[list[T]], float],
    ) -> float | None:
        window = self._metric.window
        length_ns = end_ns - start_ns
        if window is not None:
            length_ns = min(length_ns, window.length_ns)
        # Samples come by the second, so a tenth is no shorter.
        tenth_ns = max(length_ns // 10, NS_PER_S)
        apart = max(1, length_ns // tenth_ns - 1)
        last = max(0, (end_ns - start_ns) // tenth_ns - 1)
        by_tenth: dict[int, list[T]] = {}
        for at_ns, value in points:
            # What finished after the end, in the graceful stop, belongs to the last tenth.
            number = min(max(0, at_ns - start_ns) // tenth_ns, last)
            by_tenth.setdefault(number, []).append(value)
        middles = {number: middle(values) for number, values in by_tenth.items()}
        grown = [
            value - middles[number - apart]
            for number, value in middles.items()
            if number - apart in middles
        ]
        return max(grown, default=None)

    def _median(self, packed: list[bytes]) -> float:
        values = self._metric.measure.no_values()
        for part in packed:
            values.merge(type(values).from_bytes(part))
        return values.percentile(50)

"""A scope in pieces of equal length, filled snapshot by snapshot, so that none need be kept."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from planrunner.metrics.amounts import Unit
from planrunner.metrics.judging.evidence import Evidence
from planrunner.metrics.judging.measure import (
    JudgedSpan,
    Measured,
    is_from_samples,
    is_member,
    measure,
)
from planrunner.metrics.judging.measured import MeasuredTime
from planrunner.metrics.series import Labels
from planrunner.metrics.snapshot import SeriesTotal, Snapshot
from planrunner.metrics.thresholds.model import Metric
from planrunner.units import NS_PER_MS
from planrunner.values import dataclass

__all__ = ["NEARLY_NS", "WindowResult", "Windows", "extent"]

NEARLY_NS: Final = 100 * NS_PER_MS
"""What a scope may lack of a length that is counted as reached.

A phase starts milliseconds after the run, whose seconds are what is judged: without this, what is
complete when a second ends would be found complete a second later.
"""

_Sums = dict[Labels, SeriesTotal]


@dataclass(frozen=True, slots=True)
class WindowResult:
    """One window: where it lies, in ns from the scope's start, and what it measured."""

    begin_ns: int
    end_ns: int
    measured: Measured | None


class Windows:
    """Windows of `length_ns` from the scope's start after warm-up, for one metric.

    What is left at the end joins the last whole window: no sample goes unjudged, and no window is
    shorter than asked for. A scope shorter than a window is one window.

    A window is reduced to its number as soon as it can't be the last one: memory doesn't grow
    with the run.
    """

    def __init__(self, metric: Metric, unit: Unit, length_ns: int) -> None:
        self._metric = metric
        self._unit = unit
        self._length_ns = length_ns
        self._sums: dict[int, _Sums] = {}
        self._done: list[Measured | None] = []

    def add(self, snapshot: Snapshot, evidence: Evidence) -> None:
        """Take in one interval; `evidence` is the run's at its end."""
        start_ns, end_ns = extent(evidence.time_of(self._metric.scope))
        if start_ns == end_ns or not is_from_samples(self._metric):
            return
        # The middle decides, so that a snapshot taken a little late stays in its second.
        middle_ns = (snapshot.start_ns + snapshot.end_ns) // 2
        number = max(0, middle_ns - start_ns) // self._length_ns
        sums = self._sums.setdefault(max(number, len(self._done)), {})
        for labels, delta in snapshot.deltas.items():
            if is_member(self._metric, labels, evidence):
                sums.setdefault(labels, SeriesTotal()).add(delta)
        ended = (min(snapshot.end_ns, end_ns) - start_ns) // self._length_ns
        self._reduce(ended - 1, evidence)

    def next_end_ns(self, begin_ns: int, now_ns: int) -> int:
        """Return when the window of now ends, if the first one began then (clock time)."""
        return now_ns + self._length_ns - (now_ns - begin_ns) % self._length_ns

    def complete(self, evidence: Evidence) -> Iterator[WindowResult]:
        """Yield the windows that have ended so far, whatever comes after them."""
        start_ns, end_ns = extent(evidence.time_of(self._metric.scope))
        for number in range((end_ns - start_ns + NEARLY_NS) // self._length_ns):
            yield self._result(number, number * self._length_ns, None, evidence)

    def final(self, evidence: Evidence) -> Iterator[WindowResult]:
        """Yield the windows of a scope that has ended."""
        start_ns, end_ns = extent(evidence.time_of(self._metric.scope))
        count = max(1, (end_ns - start_ns) // self._length_ns)
        for number in range(count):
            last_ns = end_ns - start_ns if number == count - 1 else None
            yield self._result(number, number * self._length_ns, last_ns, evidence)

    def _result(
        self, number: int, begin_ns: int, last_ns: int | None, evidence: Evidence
    ) -> WindowResult:
        end_ns = begin_ns + self._length_ns if last_ns is None else last_ns
        if number < len(self._done):
            return WindowResult(begin_ns, end_ns, self._done[number])
        sums = self._sums.get(number, {})
        if last_ns is not None:
            sums = _joined([sums for n, sums in sorted(self._sums.items()) if n >= number])
        return WindowResult(begin_ns, end_ns, self._measure(sums, begin_ns, end_ns, evidence))

    def _reduce(self, count: int, evidence: Evidence) -> None:
        while len(self._done) < count:
            number = len(self._done)
            result = self._result(number, number * self._length_ns, None, evidence)
            self._done.append(result.measured)
            self._sums.pop(number, None)

    def _measure(
        self, sums: _Sums, begin_ns: int, end_ns: int, evidence: Evidence
    ) -> Measured | None:
        whole = evidence.time_of(self._metric.scope)
        start_ns, _ = extent(whole)
        part = _clipped(whole, start_ns + begin_ns, start_ns + end_ns)
        return measure(self._metric, self._unit, JudgedSpan(evidence, sums, part))


def extent(measured: tuple[MeasuredTime, ...]) -> tuple[int, int]:
    """Return when the first of these stretches starts and the last one ends; 0, 0 for none."""
    if not measured:
        return 0, 0
    return min(part.start_ns for part in measured), max(part.end_ns for part in measured)


def _clipped(
    measured: tuple[MeasuredTime, ...], begin_ns: int, end_ns: int
) -> tuple[MeasuredTime, ...]:
    return tuple(
        replace(part, start_ns=start, end_ns=end)
        for part in measured
        if (start := max(part.start_ns, begin_ns)) < (end := min(part.end_ns, end_ns))
    )


def _joined(several: list[_Sums]) -> _Sums:
    joined: _Sums = {}
    for sums in several:
        for labels, total in sums.items():
            joined.setdefault(labels, SeriesTotal()).add(total)
    return joined

"""Judges the thresholds of a run: at its end, and once a second where one may abort it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import assert_never

from planrunner.metrics.amounts import Unit, distinct_amount, format_amount
from planrunner.metrics.judging.evidence import Evidence
from planrunner.metrics.judging.growth import Growth
from planrunner.metrics.judging.measure import JudgedSpan, Measured, has_data, measure
from planrunner.metrics.judging.verdict import Observation, Verdict
from planrunner.metrics.judging.windows import NEARLY_NS, WindowResult, Windows, extent
from planrunner.metrics.measures import LATENCY
from planrunner.metrics.snapshot import Snapshot
from planrunner.metrics.thresholds.model import (
    Metric,
    OnNoData,
    Operator,
    Ratio,
    Threshold,
    ThresholdLevel,
)
from planrunner.metrics.thresholds.units import units_of
from planrunner.units import write_duration

__all__ = ["Gate"]

_NO_BASELINE = "there is no baseline; make one with `planrunner baseline promote RUN`"


class Gate:
    """One threshold during one run.

    Feed it every snapshot (`add`), ask it once a second whether the run must end (`check`), and
    when the run is over what came of it (`judge`).
    """

    def __init__(self, threshold: Threshold) -> None:
        self.threshold = threshold
        self._unit = _unit(threshold)
        metric = threshold.metric
        self._growth: Growth | None = None
        self._windows: Windows | None = None
        if isinstance(metric, Ratio):
            return
        if metric.agg.is_growth:
            self._growth = Growth(metric, self._unit)
        elif metric.window is not None:
            self._windows = Windows(metric, self._unit, metric.window.length_ns)

    @property
    def unit(self) -> Unit:
        """The unit in which the observed amount is compared with the limit."""
        return self._unit

    @property
    def keeps_intervals(self) -> bool:
        """Whether totals at the end are not enough for it."""
        return self._growth is not None or self._windows is not None

    def add(self, snapshot: Snapshot, evidence: Evidence) -> None:
        """Take in one interval; `evidence` is the run's at its end. In order of time."""
        if self.threshold.not_applicable:
            return
        if self._growth is not None:
            self._growth.add(snapshot, evidence)
        if self._windows is not None:
            self._windows.add(snapshot, evidence)

    def check(self, evidence: Evidence) -> Observation | None:
        """Return the observation that must abort the run, None while it may go on."""
        abort = self.threshold.abort
        if abort is None or self.threshold.not_applicable:
            return None
        starts = [extent(evidence.time_of(metric.scope)) for metric in self.threshold.metrics]
        elapsed_ns = min(end - start for start, end in starts)
        if elapsed_ns == 0 or elapsed_ns + NEARLY_NS < abort.after_ns:
            return None
        found = self._observe(evidence, over=False)
        return self._as_declared(found) if found.verdict is Verdict.FAIL else None

    def next_end_ns(self, evidence: Evidence, now_ns: int) -> int | None:
        """Return when, after now, there is next more to abort the run for than in any second."""
        abort = self.threshold.abort
        if abort is None or self.threshold.not_applicable:
            return None
        starts = [extent(evidence.time_of(metric.scope)) for metric in self.threshold.metrics]
        begin_ns = max(start for start, _ in starts)
        if any(start == end for start, end in starts):
            return None
        ends_ns = [begin_ns + abort.after_ns]
        if self._windows is not None:
            ends_ns.append(self._windows.next_end_ns(begin_ns, now_ns))
        return min((one for one in ends_ns if one > now_ns), default=None)

    def standing(self, evidence: Evidence) -> Observation:
        """Return how the threshold stands while the run goes on; no data yet breaks nothing."""
        return self.decided(self._observe(evidence, over=False), over=False)

    def judge(self, evidence: Evidence) -> Observation:
        """Return what came of the threshold, now that the run is over."""
        return self._as_declared(self._observe(evidence, over=True))

    def decided(self, found: Observation, *, over: bool) -> Observation:
        """Return what was found as the plan declares it; no data yet breaks nothing."""
        is_final = over or found.verdict is Verdict.FAIL
        return self._as_declared(found) if is_final else found

    def _as_declared(self, found: Observation) -> Observation:
        """Turn `broken` and `no data` into what the plan says they mean."""
        warns = self.threshold.level is ThresholdLevel.WARN
        if found.verdict is Verdict.FAIL and warns:
            return replace(found, verdict=Verdict.WARN)
        if found.verdict is not Verdict.NO_DATA:
            return found
        match self.threshold.on_no_data:
            case OnNoData.FAIL:
                return replace(found, verdict=Verdict.WARN) if warns else found
            case OnNoData.PASS:
                return replace(found, verdict=Verdict.PASS, reason="on_no_data: pass")
            case OnNoData.SKIP:
                return replace(found, verdict=Verdict.NOT_APPLICABLE, reason="on_no_data: skip")
            case _ as unreachable:
                assert_never(unreachable)

    def _observe(self, evidence: Evidence, *, over: bool) -> Observation:
        """Return PASS, FAIL (broken, whatever the level), NO_DATA or NOT_APPLICABLE."""
        value = self.threshold.value
        if self.threshold.not_applicable:
            reason = self.threshold.not_applicable
            return Observation(Verdict.NOT_APPLICABLE, "", value.shown, reason)
        if not value.of_baseline:
            found = self._against(value.amount, value.shown, evidence, over=over)
            return replace(found, limit_amount=value.amount)
        if evidence.baseline is None:
            return Observation(Verdict.NOT_APPLICABLE, "", value.shown, _NO_BASELINE)
        before = evidence.baseline(self.threshold.metrics[0])
        if before is None:
            reason = "the baseline has no samples of it"
            return Observation(Verdict.NO_DATA, "not in baseline", value.shown, reason)
        limit = value.amount * before
        shown = f"{format_amount(limit, self._unit)} (of {format_amount(before, self._unit)})"
        found = self._against(limit, shown, evidence, over=over)
        return replace(found, limit_amount=limit)

    def _against(self, limit: float, shown: str, evidence: Evidence, *, over: bool) -> Observation:
        metrics = self.threshold.metrics
        if not all(has_data(metric, _whole(metric, evidence)) for metric in metrics):
            return Observation(Verdict.NO_DATA, "no samples", shown)
        if self._windows is not None:
            found = self._windows.final(evidence) if over else self._windows.complete(evidence)
            start_ns, _ = extent(evidence.time_of(metrics[0].scope))
            return self._against_windows(list(found), limit, shown, start_ns=start_ns)
        measured, parts = self._measure(evidence)
        if measured is None:
            return Observation(Verdict.NO_DATA, _missing(self.threshold), shown)
        holds = self._is_good(measured.amount, limit)
        verdict = Verdict.PASS if holds else Verdict.FAIL
        words = self._beside(measured, limit, shown)
        return Observation(verdict, *words, parts, amount=measured.amount)

    def _beside(self, measured: Measured, limit: float, shown: str) -> tuple[str, str]:
        """Return what was observed and its limit, with more digits where they would look alike."""
        observed, usual = measured.amount, format_amount(limit, self._unit)
        if format_amount(observed, measured.unit) != usual:
            return str(measured), shown
        exact = distinct_amount(observed, limit, self._unit)
        if self.threshold.value.of_baseline:  # any other is shown as the plan wrote it
            shown = shown.replace(usual, distinct_amount(limit, observed, self._unit), 1)
        is_rounded = self._unit is not Unit.NUMBER and limit
        if is_rounded and observed == limit and not self._is_good(observed, limit):
            exact = f"exactly {exact}"
        return (f"{exact} ({measured.remark})" if measured.remark else exact), shown

    def _is_good(self, observed: float, limit: float) -> bool:
        # No error is not below 110 % of no error, but as good as the baseline.
        if observed == limit == 0 and self.threshold.value.of_baseline:
            return True
        return self.threshold.op.holds(observed, limit)

    def _measure(self, evidence: Evidence) -> tuple[Measured | None, str]:
        """Return what is compared with the limit, and of a ratio what it was computed from."""
        if self._growth is not None:
            return self._growth.measure(evidence), ""
        found = [
            measure(metric, self._unit_of(metric), _whole(metric, evidence))
            for metric in self.threshold.metrics
        ]
        if isinstance(self.threshold.metric, Metric):
            return found[0], ""
        dividend, divisor = found
        if dividend is None or divisor is None or divisor.amount == 0:
            return None, ""
        remark = dividend.remark or divisor.remark
        measured = Measured(dividend.amount / divisor.amount, self._unit, remark)
        parts = " ÷ ".join(str(replace(part, remark="")) for part in (dividend, divisor))
        return measured, parts

    def _unit_of(self, metric: Metric) -> Unit:
        return self._unit if metric is self.threshold.metric else units_of(metric)[0]

    def _against_windows(
        self, windows: Sequence[WindowResult], limit: float, shown: str, *, start_ns: int
    ) -> Observation:
        window = self.threshold.window
        judged = [one for one in windows if one.measured is not None]
        if window is None or not judged:
            return Observation(Verdict.NO_DATA, _missing(self.threshold), shown)
        row = self._broken_row(judged, limit, window.count)
        worst = self._worst(row or judged, limit)
        lasted = (start_ns + worst.begin_ns, start_ns + worst.end_ns)
        assert worst.measured is not None  # those without are not judged
        words = self._beside(worst.measured, limit, shown)
        decides = self._deciding(judged, limit, window.count)
        if row:
            reason = f"in {_pieces(row)} from {write_duration(row[0].begin_ns)}"
            return Observation(Verdict.FAIL, *words, reason, None, lasted, decides)
        over = sum(not self._holds(one, limit) for one in judged)
        if over:
            row_needed = f", {window.count} in a row needed" if window.count > 1 else ""
            reason = f"{over} of {_pieces(judged)} over{row_needed}"
        else:
            reason = f"the worst of {_pieces(judged)}" if len(judged) > 1 else ""
        return Observation(Verdict.PASS, *words, reason, None, lasted, decides)

    def _deciding(self, windows: Sequence[WindowResult], limit: float, count: int) -> float | None:
        """Return the one amount that holds if and only if `count` windows in a row don't break."""
        amounts = [_amount(one) for one in windows]
        rows = [amounts[n : n + count] for n in range(len(amounts) - count + 1)]
        if not rows:
            return None
        match self.threshold.op:
            case Operator.LESS | Operator.AT_MOST:
                return max(map(min, rows))
            case Operator.GREATER | Operator.AT_LEAST:
                return min(map(max, rows))
            case Operator.EQUAL | Operator.NOT_EQUAL:
                row = self._broken_row(windows, limit, count)
                kept = row or [one for one in windows if self._holds(one, limit)]
                return _amount(kept[0])
            case _ as unreachable:
                assert_never(unreachable)

    def _broken_row(
        self, windows: Sequence[WindowResult], limit: float, count: int
    ) -> list[WindowResult]:
        """Return the worst `count` windows in a row that break it; empty when there are none.

        A window without samples is not among them: it neither breaks the threshold nor mends it.
        """
        rows: list[list[WindowResult]] = []
        row: list[WindowResult] = []
        for one in windows:
            row = [] if self._holds(one, limit) else [*row, one][-count:]
            if len(row) == count:
                rows.append(row)
        if not rows:
            return []
        worst = self._worst([self._worst(row, limit) for row in rows], limit)
        return next(row for row in rows if worst in row)

    def _holds(self, window: WindowResult, limit: float) -> bool:
        return window.measured is None or self._is_good(window.measured.amount, limit)

    def _worst(self, windows: Sequence[WindowResult], limit: float) -> WindowResult:
        broken = [one for one in windows if not self._holds(one, limit)] or windows
        match self.threshold.op:
            case Operator.LESS | Operator.AT_MOST:
                return max(broken, key=_amount)
            case Operator.GREATER | Operator.AT_LEAST:
                return min(broken, key=_amount)
            case Operator.EQUAL | Operator.NOT_EQUAL:
                return broken[0]
            case _ as unreachable:
                assert_never(unreachable)


def _missing(threshold: Threshold) -> str:
    """Say what there was none of."""
    metric = threshold.metric
    if isinstance(metric, Ratio):
        return "nothing to divide by"
    if metric.gauge is not None and not metric.agg.is_growth:
        return f"no values of {metric.gauge}"
    if metric.measure != LATENCY and not metric.agg.is_growth:
        return f"no values of {metric.measure.word}"
    return metric.agg.missing


def _unit(threshold: Threshold) -> Unit:
    """The unit in which the observed value is compared with the limit."""
    metric = threshold.metric
    if threshold.value.of_baseline and isinstance(metric, Metric):
        return units_of(metric)[0]
    return threshold.value.unit


def _whole(metric: Metric, evidence: Evidence) -> JudgedSpan:
    return JudgedSpan(evidence, evidence.series, evidence.time_of(metric.scope))


def _amount(window: WindowResult) -> float:
    return window.measured.amount if window.measured is not None else 0


def _pieces(windows: Sequence[WindowResult]) -> str:
    # A scope that was cut is a window of any length: the sentence needs no nanoseconds.
    length = write_duration(round(windows[0].end_ns - windows[0].begin_ns, -6))
    return f"{len(windows)} windows of {length}" if len(windows) > 1 else f"the {length}"

"""One metric to one number: what a scope, or a window of it, has of the samples and gauges."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from math import ceil
from typing import Final

from planrunner.metrics.histogram import Histogram, n_too_small
from planrunner.metrics.judging.evidence import ArrivalCounts, Evidence, SeriesByLabels
from planrunner.metrics.judging.measured import MeasuredTime, measured_seconds
from planrunner.metrics.series import Labels
from planrunner.metrics.snapshot import SeriesDelta, SeriesTotal
from planrunner.metrics.thresholds.model import Agg, Metric
from planrunner.metrics.thresholds.value import Unit, format_amount
from planrunner.units import NS_PER_S
from planrunner.values import dataclass

__all__ = [
    "JudgedSpan",
    "Measured",
    "gauge_values",
    "has_data",
    "in_unit",
    "is_from_samples",
    "is_member",
    "measure",
    "merged",
]

Members = Sequence[tuple[Labels, SeriesDelta | SeriesTotal]]


@dataclass(frozen=True, slots=True)
class Measured:
    """What was observed: an amount in `unit`, as `Value.amount` has it, and a remark."""

    amount: float
    unit: Unit
    remark: str = ""

    def __str__(self) -> str:
        shown = format_amount(self.amount, self.unit)
        return f"{shown} ({self.remark})" if self.remark else shown


@dataclass(frozen=True, slots=True)
class JudgedSpan:
    """A scope, or one window of it.

    Attributes:
        series: Of this stretch of time; other scopes and populations may be among them.
        measured: The measured time of this stretch.
    """

    evidence: Evidence
    series: SeriesByLabels
    measured: tuple[MeasuredTime, ...]

    @property
    def seconds(self) -> float:
        return measured_seconds(self.measured)


_FROM_ARRIVALS: Final = frozenset({Agg.ACHIEVED_RATE, Agg.DROPPED, Agg.LATE})
_ELSEWHERE: Final = _FROM_ARRIVALS | {Agg.MIX_ERROR, Agg.MAX_SUSTAINABLE}
_COUNTS: Final = frozenset({Agg.COUNT, Agg.ERRORS, Agg.THROUGHPUT, Agg.RATE})


def is_from_samples(metric: Metric) -> bool:
    """Whether the metric is computed from series: not from a gauge, arrivals or a search."""
    return metric.gauge is None and metric.agg not in _ELSEWHERE


def is_member(metric: Metric, labels: Labels, evidence: Evidence) -> bool:
    """Whether samples with these labels are what the metric picks from, its selector aside."""
    wants_aborted = metric.selector is not None and metric.selector.wants_aborted
    counts = labels.is_result or (wants_aborted and labels.measured and not labels.warmup)
    return (
        counts
        and labels.kind == metric.population
        and evidence.covers(metric.scope, labels.phase, labels.stage)
    )


def _members(metric: Metric, view: JudgedSpan) -> Members:
    """Return the series in scope that the metric picks from."""
    return [pair for pair in view.series.items() if is_member(metric, pair[0], view.evidence)]


def has_data(metric: Metric, view: JudgedSpan) -> bool:
    """Whether the scope has the samples that a judgement needs.

    Counting none is an answer (`count of status:5xx == 0`), unless what is counted was never
    tried: then no sample could have matched.
    """
    if not is_from_samples(metric):
        return True
    selector = metric.selector
    found = _members(metric, view)
    if selector is None:
        return bool(found)
    test = selector.could_match if metric.agg in _COUNTS else selector.matches
    return any(test(labels) for labels, _ in found)


def measure(metric: Metric, unit: Unit, view: JudgedSpan) -> Measured | None:
    """Return the metric's value in `unit`; None where it has none.

    `growth` isn't measured here: it compares parts of a view.
    """
    if metric.gauge is not None:
        return _of_gauge(metric, unit, view)
    if metric.agg in _FROM_ARRIVALS:
        return _of_arrivals(metric, unit, view)
    if metric.agg is Agg.MIX_ERROR:
        return _mix_error(metric, view)
    if metric.agg is Agg.MAX_SUSTAINABLE:
        return _max_sustainable(metric, unit, view)
    return _of_samples(metric, unit, view)


def _of_samples(metric: Metric, unit: Unit, view: JudgedSpan) -> Measured | None:
    candidates = _members(metric, view)
    chosen = candidates
    if metric.selector is not None:
        matches = metric.selector.matches
        chosen = [pair for pair in candidates if matches(pair[0])]
    count = _count(chosen)
    amount: float | None
    match metric.agg:
        case Agg.COUNT:
            amount = count
        case Agg.ERRORS:
            amount = _failed(chosen)
        case Agg.ERROR_RATE:
            amount = _failed(chosen) / count if count else None
        case Agg.RATE:
            amount = count / whole if (whole := _count(candidates)) else None
        case Agg.THROUGHPUT:
            amount = count / seconds if (seconds := view.seconds) else None
        case _:
            return _of_latency(metric, unit, chosen) if count else None
    return None if amount is None else Measured(amount, unit)


def _of_latency(metric: Metric, unit: Unit, chosen: Members) -> Measured:
    latency = merged(chosen)
    match metric.agg:
        case Agg.MIN:
            return Measured(latency.min, unit)
        case Agg.MAX:
            return Measured(latency.max, unit)
        case Agg.AVG:
            return Measured(latency.mean, unit)
        case Agg.APDEX:
            return Measured(_apdex(int(metric.argument), chosen), unit)
        case _:
            percent = _percent(metric)
            remark = "n too small" if n_too_small(percent, latency.count) else ""
            return Measured(latency.percentile(percent), unit, remark)


def merged(chosen: Members) -> Histogram:
    latency = Histogram()
    for _, series in chosen:
        latency.merge(series.latency)
    return latency


def _apdex(target_ns: int, chosen: Members) -> float:
    """(satisfied + tolerating / 2) / all; a failure satisfies nobody.

    Source: Apdex Technical Specification 1.1: satisfied up to T, tolerating up to 4 T.
    """
    score = 0.0
    for labels, series in chosen:
        if not labels.failure:
            satisfied = series.latency.count_at_most(target_ns)
            score += (satisfied + series.latency.count_at_most(4 * target_ns)) / 2
    return score / _count(chosen)


def _percent(metric: Metric) -> float:
    return 50 if metric.agg is Agg.MED else metric.argument


def _count(chosen: Members) -> int:
    return sum(series.count for _, series in chosen)


def _failed(chosen: Members) -> int:
    return sum(series.count for labels, series in chosen if labels.failure)


def gauge_values(metric: Metric, view: JudgedSpan) -> list[tuple[int, float]]:
    """Return the gauge's points in the view, in order of time."""
    return list(_within(view.evidence.gauges.get(str(metric.gauge), ()), view.measured))


def _within(
    points: Sequence[tuple[int, float]], measured: Sequence[MeasuredTime]
) -> Iterator[tuple[int, float]]:
    taken = 0
    for part in sorted(measured, key=lambda part: part.start_ns):
        begin = max(taken, bisect_left(points, (part.start_ns,)))
        taken = max(begin, bisect_left(points, (part.end_ns,)))
        yield from points[begin:taken]


def _of_gauge(metric: Metric, unit: Unit, view: JudgedSpan) -> Measured | None:
    values = sorted(value for _, value in gauge_values(metric, view))
    if not values:
        return None
    remark = ""
    match metric.agg:
        case Agg.MIN:
            amount = values[0]
        case Agg.MAX:
            amount = values[-1]
        case Agg.AVG:
            amount = sum(values) / len(values)
        case _:
            amount = _nearest_rank(values, percent := _percent(metric))
            remark = "n too small" if n_too_small(percent, len(values)) else ""
    return Measured(in_unit(amount, unit), unit, remark)


def _nearest_rank(ordered: Sequence[float], percent: float) -> float:
    # Through the decimal text, as 99.9 means 999/10.
    rank = ceil(len(ordered) * Fraction(str(percent)) / 100)
    return ordered[max(rank, 1) - 1]


def in_unit(base: float, unit: Unit) -> float:
    """Return a gauge's value, which is in seconds if it is a time, as `Value.amount` has it."""
    return base * NS_PER_S if unit is Unit.DURATION else base


_ARRIVALS: Final[Mapping[Agg, Callable[[ArrivalCounts], int]]] = {
    Agg.ACHIEVED_RATE: lambda arrivals: arrivals.started,
    Agg.DROPPED: lambda arrivals: arrivals.dropped,
    Agg.LATE: lambda arrivals: arrivals.late,
}


def _of_arrivals(metric: Metric, unit: Unit, view: JudgedSpan) -> Measured | None:
    everything = view.evidence.arrivals
    found = [
        arrivals
        for part in view.measured
        for arrivals in everything[
            _index(everything, part.start_ns) : _index(everything, part.end_ns)
        ]
        if arrivals.phase == part.phase
    ]
    if not found:
        return None
    count = sum(_ARRIVALS[metric.agg](arrivals) for arrivals in found)
    if metric.agg is not Agg.ACHIEVED_RATE:
        return Measured(count, unit)
    whole = view.seconds if unit is Unit.RATE else sum(arrivals.due for arrivals in found)
    return Measured(count / whole, unit) if whole else None


def _index(arrivals: Sequence[ArrivalCounts], moment_ns: int) -> int:
    return bisect_left(arrivals, moment_ns, key=lambda one: one.at_ns)


def _mix_error(metric: Metric, view: JudgedSpan) -> Measured | None:
    """Half the sum of |share run - share declared| over a class's tasks; the largest class's."""
    user = metric.selector.terms[0].name if metric.selector else None
    runs: dict[str, dict[str, list[int]]] = {}
    for row in view.evidence.task_runs:
        if row.user == (user or row.user) and view.evidence.covers(metric.scope, row.phase):
            task = runs.setdefault(row.user, {}).setdefault(row.task, [row.weight, 0])
            task[1] += row.runs
    errors = [error for tasks in runs.values() if (error := _mix_of(tasks)) is not None]
    return Measured(max(errors), Unit.PERCENT) if errors else None


def _mix_of(tasks: Mapping[str, Sequence[int]]) -> float | None:
    weights = sum(weight for weight, _ in tasks.values())
    runs = sum(count for _, count in tasks.values())
    if not runs:
        return None
    return sum(abs(count / runs - weight / weights) for weight, count in tasks.values()) / 2


def _max_sustainable(metric: Metric, unit: Unit, view: JudgedSpan) -> Measured | None:
    named = metric.scope.phase
    found = [
        level
        for phase, level in view.evidence.sustainable.items()
        if named is None or phase == named.name
    ]
    # Of several searches the limit must hold for each, so the weakest speaks.
    return Measured(min(found), unit) if found else None

"""One metric to one number: what a scope, or a window of it, has of the samples and gauges."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import assert_never

from planrunner.errors import Misuse
from planrunner.metrics.aggregations.computation import (
    ArrivalTotals,
    Distribution,
    OfAmounts,
    OfArrivals,
    OfCounts,
    OfExpectations,
    OfGrowth,
    OfSearches,
    OfSizes,
    OfSuccesses,
    OfTaskMix,
    OfValues,
    SampleCounts,
    TaskShare,
)
from planrunner.metrics.amounts import Unit, format_amount
from planrunner.metrics.histogram import Histogram, n_too_small
from planrunner.metrics.judging.evidence import ArrivalCounts, Evidence, SeriesByLabels
from planrunner.metrics.judging.measured import MeasuredTime, measured_seconds
from planrunner.metrics.judging.point_values import PointValues
from planrunner.metrics.judging.scaled_values import in_unit_of_measure
from planrunner.metrics.judging.work_time import work_seconds
from planrunner.metrics.measures import Measure
from planrunner.metrics.series import Labels
from planrunner.metrics.snapshot import SeriesDelta, SeriesTotal
from planrunner.metrics.task_mix import TaskPicks, expected_runs
from planrunner.metrics.thresholds.model import Metric
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
    "is_of_any_unit",
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


def is_from_samples(metric: Metric) -> bool:
    """Whether the metric is computed from series: not from a gauge, arrivals or a search."""
    return metric.gauge is None and metric.agg.is_of_samples


def is_member(metric: Metric, labels: Labels, evidence: Evidence) -> bool:
    """Whether samples with these labels are what the metric picks from, its selector aside."""
    counts = labels.is_in_time if metric.wants_aborted else labels.is_result
    return (
        counts
        and metric.is_of(labels.kind)
        and evidence.covers(metric.scope, labels.phase, labels.stage)
    )


def _members(metric: Metric, view: JudgedSpan) -> Members:
    """Return the series in scope that the metric picks from."""
    found = [pair for pair in view.series.items() if is_member(metric, pair[0], view.evidence)]
    among = metric.among
    return found if among is None else [pair for pair in found if among.picks(pair[0])]


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
    computation = metric.agg.computation
    counts = isinstance(computation, OfCounts) and computation.none_is_an_answer
    test = selector.could_pick if counts else selector.picks
    return any(test(labels) for labels, _ in found)


def measure(  # noqa: C901, PLR0912 - a table
    metric: Metric, unit: Unit, view: JudgedSpan
) -> Measured | None:
    """Return the metric's value in `unit`; None where it has none.

    Raises:
        Misuse: The metric is a growth, which compares parts of a view.
    """
    computation = metric.agg.computation
    match computation:
        case OfValues():
            return _of_values(computation, metric, unit, view)
        case OfAmounts():
            amount = _of_amounts(computation, metric, view)
        case OfCounts(compute):
            amount = compute(_counts(metric, view))
        case OfExpectations(compute):
            picked = _picked(metric, _members(metric, view))
            amount = compute(_asked(picked), _broken(picked))
        case OfSuccesses():
            amount = _of_successes(computation, metric, view)
        case OfArrivals(compute):
            totals = _arrivals(view)
            amount = None if totals is None else compute(totals, unit)
        case OfTaskMix(compute):
            amount = max(map(compute, _task_mixes(metric, view)), default=None)
        case OfSearches(compute):
            levels = _levels(metric, view)
            amount = compute(levels) if levels else None
        case OfSizes():
            raise Misuse(f"`{metric.agg.word}` compares phases: see `ScalabilityGate`")
        case OfGrowth():
            raise Misuse(f"`{metric.agg.word}` compares parts of a view: see `Growth`")
        case _ as unreachable:
            assert_never(unreachable)
    return None if amount is None else Measured(amount, unit)


def _of_values(
    computation: OfValues, metric: Metric, unit: Unit, view: JudgedSpan
) -> Measured | None:
    values = _values(metric, view)
    if not values.count:
        return None
    amount = computation.compute(values, metric.argument)
    remark = ""
    if computation.percent is not None:
        percent = computation.percent(metric.argument)
        remark = "n too small" if n_too_small(percent, values.count) else ""
    return Measured(in_unit(amount, unit) if is_of_any_unit(metric) else amount, unit, remark)


def is_of_any_unit(metric: Metric) -> bool:
    """Whether its values have no unit but the one that a limit gives them."""
    return metric.gauge is not None or (metric.measure.is_own and not metric.agg.units)


def _of_amounts(computation: OfAmounts, metric: Metric, view: JudgedSpan) -> float | None:
    picked = _picked(metric, _members(metric, view))
    values = merged(picked, metric.measure)
    if not values.count:
        return None
    at_work = computation.is_of_work
    seconds = work_seconds(picked, view.measured) if at_work else view.seconds
    return computation.compute(values.total / metric.measure.scale, seconds)


def _values(metric: Metric, view: JudgedSpan) -> Distribution:
    """Return what the metric's measure, or its gauge, was in this view."""
    if metric.gauge is None:
        values = merged(_picked(metric, _members(metric, view)), metric.measure)
        return in_unit_of_measure(values, metric.measure.scale)
    return PointValues([value for _, value in gauge_values(metric, view)])


def _picked(metric: Metric, members: Members) -> Members:
    """Return those that the metric's selector picks."""
    if metric.selector is None:
        return members
    picks = metric.selector.picks
    return [pair for pair in members if picks(pair[0])]


def _counts(metric: Metric, view: JudgedSpan) -> SampleCounts:
    members = _members(metric, view)
    picked = _picked(metric, members)
    return SampleCounts(
        count=_count(picked),
        failed=sum(series.count for labels, series in picked if labels.failure),
        among=_count(members),
        seconds=view.seconds,
    )


def _of_successes(computation: OfSuccesses, metric: Metric, view: JudgedSpan) -> float | None:
    picked = [
        (labels, values)
        for labels, series in _picked(metric, _members(metric, view))
        if metric.measure.word not in labels.unknown
        and (values := series.values_of(metric.measure)) is not None
    ]
    count = sum(values.count for _, values in picked)
    succeeded = [values for labels, values in picked if not labels.failure]
    return computation.compute(succeeded, count, metric.argument) if count else None


def merged(chosen: Members, measure: Measure) -> Histogram:
    """Return all values of a measure; a sample that doesn't have it adds none."""
    whole = measure.no_values()
    for labels, series in chosen:
        if not labels.has_latency or measure.word in labels.unknown:
            continue
        if (values := series.values_of(measure)) is not None:
            whole.merge(values)
    return whole


def _count(chosen: Members) -> int:
    return sum(series.count for _, series in chosen)


def _asked(chosen: Members) -> int:
    return sum(labels.expectations * series.count for labels, series in chosen)


def _broken(chosen: Members) -> int:
    return sum(sum(series.broken.values()) for _, series in chosen)


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


def in_unit(base: float, unit: Unit) -> float:
    """Return a value, which is in seconds if it is a time, as `Value.amount` has it."""
    return base * NS_PER_S if unit is Unit.DURATION else base


def _arrivals(view: JudgedSpan) -> ArrivalTotals | None:
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
    return ArrivalTotals(
        due=sum(one.due for one in found),
        started=sum(one.started for one in found),
        dropped=sum(one.dropped for one in found),
        late=sum(one.late for one in found),
        seconds=view.seconds,
    )


def _index(arrivals: Sequence[ArrivalCounts], moment_ns: int) -> int:
    return bisect_left(arrivals, moment_ns, key=lambda one: one.at_ns)


def _task_mixes(metric: Metric, view: JudgedSpan) -> Iterator[list[TaskShare]]:
    """Yield the tasks of each class that the metric is about and that ran any."""
    user = metric.selector.terms[0].name if metric.selector else None
    mixes: dict[str, dict[str, TaskPicks]] = {}
    for row in view.evidence.task_runs:
        if row.user == (user or row.user) and view.evidence.covers(metric.scope, row.phase):
            tasks = mixes.setdefault(row.user, {})
            seen = tasks.get(row.task) or TaskPicks(row.weight, 0)
            tasks[row.task] = TaskPicks(
                row.weight,
                seen.runs + row.runs,
                seen.refused + row.refused,
                seen.gained + row.gained,
            )
    for tasks in mixes.values():
        picks = list(tasks.values())
        if whole := sum(task.runs for task in picks):
            expected = expected_runs(picks)
            total = sum(expected) or 1.0
            yield [
                TaskShare(one / total, task.runs / whole)
                for one, task in zip(expected, picks, strict=True)
            ]


def _levels(metric: Metric, view: JudgedSpan) -> list[float]:
    return [
        level for phase, level in view.evidence.sustainable.items() if metric.scope.takes(phase)
    ]

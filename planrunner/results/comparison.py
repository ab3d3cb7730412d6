"""Two runs compared: what changed, and whether the change is more than noise."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from math import exp, log, sqrt
from statistics import NormalDist
from typing import Final

from planrunner.errors import UsageError
from planrunner.metrics.measures import WORK
from planrunner.results.aggregate import make_whole
from planrunner.results.bootstrap import (
    CHECKS,
    SHARES,
    WORK_RATE,
    Estimate,
    estimates,
    measured_intervals,
    too_short,
)
from planrunner.results.changes import ChangeOutcome, Comparison, FigureChange
from planrunner.results.iterations.samples import (
    is_by_samples,
    noisy,
    sample_averages,
    sample_figures,
)
from planrunner.results.matrices.picked import picked_words
from planrunner.results.model import RunResult, ValidityLevel
from planrunner.results.record import RequestPoints, measured_of, read_series
from planrunner.results.whole_figures import WHOLE_FIGURES, own_averages, whole_figures

__all__ = [
    "TOLERANCE",
    "Estimates",
    "compare",
    "figures_of",
    "judge",
    "points_by_name",
    "student",
    "sureness",
]

TOLERANCE: Final = 0.05
"""Two runs of the same thing on the same machine differ by a few percent for no reason."""

_SHARE_TOLERANCE: Final = 0.001
_DOUBT: Final = 0.05
"""The chance that any of all the changes of a comparison is called one when there is none."""

_HIGHER_IS_BETTER: Final = frozenset({"throughput", CHECKS, WORK_RATE})

Estimates = Mapping[str, Estimate]
"""Of one request, by figure."""


def compare(before: RunResult, after: RunResult, *, tolerance: float = TOLERANCE) -> Comparison:
    """Compare two runs; the same two always give the same.

    Args:
        before: The earlier run.
        after: The later one.
        tolerance: Of relative changes: those whose interval is within it are called the same, those
            beyond it better or worse.

    Raises:
        UsageError: One has no requests over time: a killed or very old run.
    """
    first, second = figures_of((before, after))
    common = [name for name in first if name in second]
    sure = sureness(sum(len(first[name].keys() & second[name].keys()) for name in common))
    changes = tuple(
        change
        for name in common
        for change in _changes(name, first[name], second[name], sure=sure, tolerance=tolerance)
    )
    return Comparison(
        before=before.run_id,
        after=after.run_id,
        tolerance=tolerance,
        changes=changes,
        gone=tuple(name for name in first if name not in second),
        new=tuple(name for name in second if name not in first),
        remarks=tuple(_remarks(before, after)),
        whole=tuple(_whole(before, after, common)),
    )


def _whole(before: RunResult, after: RunResult, names: Collection[str]) -> Iterator[FigureChange]:
    if is_by_samples((before, after)):  # tails of components together are those of the longest
        was, now = sample_averages((before, after))
        yield from _own(was, now, frozenset(names))
        return
    first, second = (whole_figures(run) for run in (before, after))
    for name in names:
        for figure in WHOLE_FIGURES:
            one, other = (found.get((name, figure), 0.0) for found in (first, second))
            if one and other:
                change = other / one - 1
                outcome = ChangeOutcome.NOT_JUDGED
                yield FigureChange(name, figure, one, other, change, 0, 0, outcome)
    yield from _own(own_averages(before), own_averages(after), frozenset(names))


def _own(
    before: Mapping[tuple[str, str], float],
    after: Mapping[tuple[str, str], float],
    names: frozenset[str],
) -> Iterator[FigureChange]:
    """Yield metrics of the plan's own; whether more of one is better, only its author knows."""
    for name, metric in before:
        if (name, metric) in after and name in names:
            one, other = before[name, metric], after[name, metric]
            change = other / one - 1 if one else 0.0
            outcome = ChangeOutcome.NOT_JUDGED
            yield FigureChange(name, metric, one, other, change, 0, 0, outcome)


def points_by_name(result: RunResult) -> Mapping[str, RequestPoints]:
    """Return each request of a run over time; the empty name stands for all together.

    Raises:
        UsageError: It has none: a killed or very old run.
    """
    found = {points.name: points for points in result.request_points}
    if not found:
        raise UsageError(
            f"the run `{result.run_id}` has no requests over time, so it can't be compared",
            hint="run the plan again with this planrunner",
        )
    return found


def figures_of(runs: Sequence[RunResult]) -> Sequence[Mapping[str, Estimates]]:
    """Return the figures of each run by request, each with its error; no name means all together.

    Components that count iterations have figures of their samples where seconds are too few.

    Raises:
        UsageError: One has no requests over time: a killed or very old run.
    """
    names = [list(points_by_name(run)) for run in runs]
    if is_by_samples(runs):
        return sample_figures(runs)
    # Different draws for each, the same ones each time.
    pairs = enumerate(zip(runs, names, strict=True))
    found = [_estimates(run, own, chr(ord("a") + n)) for n, (run, own) in pairs]
    if len(_lengths(*runs)) == 1:
        return found
    # A longer interval has a longer tail.
    return [{name: _without_percentiles(one) for name, one in each.items()} for each in found]


def _estimates(result: RunResult, names: Iterable[str], draw: str) -> Mapping[str, Estimates]:
    points, intervals = points_by_name(result), measured_intervals(result)
    rates = _work_rates(result)
    return {
        name: _with_rate(estimates(points[name], intervals, seed=f"{draw} {name}"), rates.get(name))
        for name in names
    }


def _work_rates(result: RunResult) -> Mapping[str, float]:
    """Return the work rate of each request; the empty name stands for all together."""
    work = [record for record in result.series if WORK.word in record.records]
    if not work:
        return {}
    whole = make_whole(read_series(work), measured_of(result.measured))
    rows = [row for row in result.rows if row.by == "request" and not row.phase]
    return {
        row.name: row.work_per_second for row in (whole, *rows) if row.work_per_second is not None
    }


def _with_rate(found: Estimates, rate: float | None) -> Estimates:
    """Return figures with the work rate that thresholds judge.

    In phases that count iterations it is not that of whole seconds, but spreads as much.
    """
    of_seconds = found.get(WORK_RATE)
    if of_seconds is None or rate is None or rate == of_seconds.value:
        return found
    if not of_seconds.value:  # no whole second was measured
        return {**found, WORK_RATE: Estimate(rate, -1.0)}
    scaled = (
        of_seconds.error * rate / of_seconds.value if of_seconds.error > 0 else of_seconds.error
    )
    return {**found, WORK_RATE: Estimate(rate, scaled, of_seconds.freedom)}


def _lengths(*runs: RunResult) -> set[int]:
    return {points.interval_seconds for run in runs for points in run.request_points}


def _without_percentiles(found: Estimates) -> Estimates:
    return {
        figure: Estimate(one.value, -1.0) if figure.startswith("typical_") else one
        for figure, one in found.items()
    }


def _changes(
    name: str,
    before: Estimates,
    after: Estimates,
    *,
    sure: float,
    tolerance: float,
) -> Iterator[FigureChange]:
    for figure in [one for one in before if one in after]:
        yield judge(name, figure, (before[figure], after[figure]), sure=sure, tolerance=tolerance)


def sureness(looks: int) -> float:
    """Return the normal quantile that each of so many changes must be surer than (Bonferroni).

    The more changes are looked at, the surer each must be.
    """
    return NormalDist().inv_cdf(1 - _DOUBT / (2 * max(looks, 1)))


def judge(
    request: str, figure: str, pair: tuple[Estimate, Estimate], *, sure: float, tolerance: float
) -> FigureChange:
    """Return how the second of two estimates differs from the first."""
    if figure in SHARES:
        return _difference(request, figure, *pair, sure=sure)
    return _ratio(request, figure, *pair, sure=sure, tolerance=tolerance)


def _difference(
    name: str, figure: str, one: Estimate, other: Estimate, *, sure: float
) -> FigureChange:
    change = other.value - one.value
    if one.error < 0 or other.error < 0:
        return FigureChange(
            name, figure, one.value, other.value, change, 0, 0, ChangeOutcome.UNCLEAR
        )
    reach = student(sure, min(one.freedom, other.freedom)) * sqrt(one.error**2 + other.error**2)
    low, high = change - reach, change + reach
    outcome = _outcome(figure, low, high, tolerance=_SHARE_TOLERANCE)
    return FigureChange(name, figure, one.value, other.value, change, low, high, outcome)


def _ratio(
    name: str, figure: str, one: Estimate, other: Estimate, *, sure: float, tolerance: float
) -> FigureChange:
    if figure in _HIGHER_IS_BETTER and other.value == 0 and one.error >= 0 and other.error >= 0:
        return _stop(name, figure, one.value)
    if min(one.value, other.value) <= 0:
        return FigureChange(name, figure, one.value, other.value, 0, 0, 0, ChangeOutcome.UNCLEAR)
    change = other.value / one.value - 1
    if one.error < 0 or other.error < 0:
        return FigureChange(
            name, figure, one.value, other.value, change, 0, 0, ChangeOutcome.UNCLEAR
        )
    # On the scale of logarithms, where twice as slow and twice as fast are as far apart.
    spread = sqrt((one.error / one.value) ** 2 + (other.error / other.value) ** 2)
    middle, reach = (
        log(other.value / one.value),
        student(sure, min(one.freedom, other.freedom)) * spread,
    )
    low, high = exp(middle - reach) - 1, exp(min(middle + reach, 50.0)) - 1
    outcome = _outcome(figure, low, high, tolerance=tolerance)
    return FigureChange(name, figure, one.value, other.value, change, low, high, outcome)


def _stop(name: str, figure: str, before: float) -> FigureChange:
    """Return the change of a rate to nothing at all, where no logarithm tells how sure that is."""
    if before == 0:
        return FigureChange(name, figure, 0.0, 0.0, 0, 0, 0, ChangeOutcome.SAME)
    return FigureChange(name, figure, before, 0.0, -1.0, -1.0, -1.0, ChangeOutcome.WORSE)


def student(sure: float, freedom: int) -> float:
    """Return Student's t for the normal quantile `sure`: errors from few blocks are unsure too.

    Source: the expansion of Cornish and Fisher, Abramowitz and Stegun 26.7.5. Of two runs, the
    freedom of the one that has less of it is the cautious choice.
    """
    z, freedom = sure, max(freedom, 1)
    return z + (z**3 + z) / (4 * freedom) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * freedom**2)


def _outcome(figure: str, low: float, high: float, *, tolerance: float) -> ChangeOutcome:
    if -tolerance <= low and high <= tolerance:
        return ChangeOutcome.SAME
    if low < tolerance and high > -tolerance:
        return ChangeOutcome.UNCLEAR
    good = (low > 0) == (figure in _HIGHER_IS_BETTER)
    return ChangeOutcome.BETTER if good else ChangeOutcome.WORSE


def _remarks(before: RunResult, after: RunResult) -> Iterator[str]:
    yield from _differing_plans(before, after)
    if len(_lengths(before, after)) > 1:
        yield "one run is so much longer that its percentiles cover longer intervals"
    if before.profile != after.profile:
        yield f"the profiles differ: `{before.profile}` and `{after.profile}`"
    elif any(picked := picked_words((before, after))):
        was, now = (f"`{words}`" if words else "all" for words in picked)
        yield f"the runs have different phases: {was} and {now}"
    yield from _differing_hosts(before.host, after.host)
    yield from _recorded_once(before, after)
    by_samples = is_by_samples((before, after))
    for result, which in ((before, "first"), (after, "second")):
        if by_samples:
            yield from noisy(f"the {which} run", result)
        else:
            yield from too_short(f"the {which} run", measured_intervals(result))
        if result.validity.level is not ValidityLevel.VALID:
            yield f"the numbers of the {which} run are {result.validity.level.value}"


def _differing_plans(before: RunResult, after: RunResult) -> Iterator[str]:
    changed = [
        name
        for name in sorted(before.params.keys() & after.params.keys())
        if before.params[name] != after.params[name]
    ]
    if before.plan != after.plan:
        yield f"the plans differ: `{before.plan}` and `{after.plan}`"
    elif before.plan_hash != after.plan_hash and not changed:
        yield "the plan changed between the runs"
    for name in changed:
        was, now = before.params[name], after.params[name]
        yield f"the param `{name}` differs: `{was}` and `{now}`"


def _recorded_once(before: RunResult, after: RunResult) -> Iterator[str]:
    """Say which metrics and work only one of the runs has, so that nothing of them is compared."""
    first, second = (
        {word for record in run.series if record.measured for word in record.records}
        for run in (before, after)
    )
    for words, which in ((first - second, "first"), (second - first, "second")):
        if words:
            names = ", ".join(f"`{word}`" for word in sorted(words))
            yield f"only the {which} run records {names}"


def _differing_hosts(before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[str]:
    for key in sorted(before.keys() | after.keys()):
        was, now = before.get(key, "unknown"), after.get(key, "unknown")
        if was != now:
            yield f"the host's {key} differs: `{was}` and `{now}`"

"""Figures of iterations by their samples, where seconds are too few to say anything."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from planrunner.metrics.histogram import Histogram
from planrunner.metrics.measures import OWN_PREFIX
from planrunner.metrics.recorded_values import MILLIONTHS, RecordedValues
from planrunner.metrics.series import Labels
from planrunner.metrics.snapshot import SeriesDelta
from planrunner.results.bootstrap import (
    CHECKS,
    WORK_RATE,
    Estimate,
    measured_intervals,
    too_short,
)
from planrunner.results.iterations.medians import median_estimate, share_estimate
from planrunner.results.model import RunResult
from planrunner.results.record import read_series

__all__ = ["SampleSum", "is_by_samples", "noisy", "sample_averages", "sample_figures", "sums_of"]

_MOST_NAMED: Final = 4

MEDIAN: Final = "p50"

_RequestInPhase = tuple[str, str]
"""A phase, and a request in it; empty for all together."""


class SampleSum:
    """The samples of a request in a phase."""

    def __init__(self) -> None:
        self.latency = Histogram()
        self.own: dict[str, RecordedValues] = {}
        self.count = self.failed = self.asked = self.broken = 0

    def add(self, labels: Labels, delta: SeriesDelta) -> None:
        """Take in a series."""
        self.count += delta.count
        self.failed += delta.count if labels.failure else 0
        self.asked += labels.expectations * delta.count
        self.broken += sum(delta.broken.values())
        if labels.has_latency:
            self.latency.merge(delta.latency)
        for word, values in delta.measures.items():
            if word.startswith(OWN_PREFIX):
                self.own.setdefault(word, RecordedValues()).merge(values)

    def figures(self) -> dict[str, Estimate]:
        """Return the median and the shares."""
        return {MEDIAN: median_estimate(self.latency), **self.shares()}

    def shares(self) -> dict[str, Estimate]:
        """Return the share that failed, and that of expectations that held if there are any."""
        found = {"error_rate": share_estimate(self.count, self.failed)}
        if self.asked:
            found[CHECKS] = share_estimate(self.asked, self.asked - self.broken)
        return found


def sums_of(result: RunResult) -> Mapping[_RequestInPhase, SampleSum]:
    """Return the samples of each request in each phase, and of all of a phase together."""
    sums: dict[_RequestInPhase, SampleSum] = {}
    for labels, delta in read_series(result.series).items():
        if labels.is_result and labels.kind == "request":
            for name in ("", labels.request):
                sums.setdefault((labels.phase, name), SampleSum()).add(labels, delta)
    return sums


def is_by_samples(runs: Sequence[RunResult]) -> bool:
    """Whether runs are components that count iterations, of which some are too short otherwise."""
    return all(
        run.components and run.measured and all(part.is_counted for part in run.measured)
        for run in runs
    ) and any(any(too_short("", measured_intervals(run))) for run in runs)


def noisy(whose: str, run: RunResult) -> Iterator[str]:
    """Say which components of a run are noisy, so that their medians aren't judged."""
    names = list(dict.fromkeys(f"`{one.name}`" for one in run.components if not one.stable))
    if names:
        over = len(names[_MOST_NAMED:])
        shown = ", ".join(names[:_MOST_NAMED]) + (f" and {over} more" if over else "")
        are = "are" if len(names) > 1 else "is"
        advice = "so medians aren't judged; run it with more iterations"
        yield f"{shown} of {whose} {are} noisy, {advice}"


def sample_figures(runs: Sequence[RunResult]) -> list[Mapping[str, Mapping[str, Estimate]]]:
    """Return the figures of each run: shares of all together, then each component in each phase.

    A median counts for certain only where its component is stable: what else the machine did is
    in no interval of a few samples.
    """
    each = [sums_of(run) for run in runs]
    names = _names(each)
    return [_figures(run, sums, names) for run, sums in zip(runs, each, strict=True)]


def sample_averages(runs: Sequence[RunResult]) -> list[Mapping[tuple[str, str], float]]:
    """Return the average of each metric of the plan's own, by the names of `sample_figures`."""
    each = [sums_of(run) for run in runs]
    names = _names(each)
    return [
        {
            (names[place], word): one.own[word].mean / MILLIONTHS
            for place, one in sums.items()
            if place in names
            for word in sorted(one.own)
        }
        for sums in each
    ]


def _names(each: Sequence[Mapping[_RequestInPhase, SampleSum]]) -> Mapping[_RequestInPhase, str]:
    """Return what each component is called: with its phase where there are several."""
    places = {place: None for sums in each for place in sums if place[1]}
    is_alone = len({phase for phase, _ in places}) == 1
    return {
        (phase, name): name if is_alone or phase == name else f"{phase}: {name}"
        for phase, name in places
    }


def _figures(
    run: RunResult,
    sums: Mapping[_RequestInPhase, SampleSum],
    names: Mapping[_RequestInPhase, str],
) -> Mapping[str, Mapping[str, Estimate]]:
    whole = SampleSum()
    for (_, name), one in sums.items():
        if not name:
            whole.count, whole.failed = whole.count + one.count, whole.failed + one.failed
            whole.asked, whole.broken = whole.asked + one.asked, whole.broken + one.broken
    stable = {(one.phase, one.name) for one in run.components if one.stable}
    rates = {
        (row.phase, row.name): row.work_per_second
        for row in run.rows
        if row.by == "request" and row.phase and row.work_per_second is not None
    }
    found: dict[str, Mapping[str, Estimate]] = {"": whole.shares()}
    for place, one in sums.items():
        if place in names:
            figures = one.figures()
            if place not in stable:
                figures[MEDIAN] = Estimate(figures[MEDIAN].value, -1.0)
            if (rate := rates.get(place)) is not None:
                figures[WORK_RATE] = Estimate(rate, -1.0)
            found[names[place]] = figures
    return found

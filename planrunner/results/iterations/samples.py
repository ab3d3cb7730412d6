"""Figures of iterations by their samples, where seconds are too few to say anything."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from planrunner.metrics.histogram import Histogram
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

__all__ = ["SampleSum", "is_by_samples", "noisy", "sample_figures", "sums_of"]

_MOST_NAMED: Final = 4

MEDIAN: Final = "p50"

_RequestInPhase = tuple[str, str]
"""A phase, and a request in it; empty for all together."""


class SampleSum:
    """The samples of a request in a phase."""

    def __init__(self) -> None:
        self.latency = Histogram()
        self.count = self.failed = self.asked = self.broken = 0

    def add(self, labels: Labels, delta: SeriesDelta) -> None:
        """Take in a series."""
        self.count += delta.count
        self.failed += delta.count if labels.failure else 0
        self.asked += labels.expectations * delta.count
        self.broken += sum(delta.broken.values())
        if labels.has_latency:
            self.latency.merge(delta.latency)

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
        yield f"{shown} of {whose} {are} noisy, so no change is seen; run it with more iterations"


def sample_figures(runs: Sequence[RunResult]) -> list[Mapping[str, Mapping[str, Estimate]]]:
    """Return the figures of each run: shares of all together, then each component in each phase.

    A median counts for certain only where its component is stable: what else the machine did is
    in no interval of a few samples.
    """
    each = [sums_of(run) for run in runs]
    phases = {phase for sums in each for phase, _ in sums}
    return [
        _figures(run, sums, is_alone=len(phases) == 1) for run, sums in zip(runs, each, strict=True)
    ]


def _figures(
    run: RunResult, sums: Mapping[_RequestInPhase, SampleSum], *, is_alone: bool
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
    for (phase, name), one in sums.items():
        if name:
            figures = one.figures()
            if (phase, name) not in stable:
                figures[MEDIAN] = Estimate(figures[MEDIAN].value, -1.0)
            if (rate := rates.get((phase, name))) is not None:
                figures[WORK_RATE] = Estimate(rate, -1.0)
            found[name if is_alone or phase == name else f"{phase}: {name}"] = figures
    return found

"""A result that later runs are compared with: `N% of baseline`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from planrunner.errors import CannotRun, UsageError
from planrunner.metrics.judging.evidence import Baseline, Evidence
from planrunner.metrics.judging.measure import JudgedSpan, has_data, is_from_samples, measure
from planrunner.metrics.thresholds.model import Metric
from planrunner.metrics.thresholds.units import units_of
from planrunner.results.files.metrics_json import read_metrics, write_metrics
from planrunner.results.model import RunResult, ValidityLevel
from planrunner.results.record import measured_of, read_series

__all__ = ["measure_in", "phases_in", "promote", "read_baseline"]

RunningPhases = Mapping[str, str]
"""The phases that run, each with the matrix that it is a combination of; empty without."""


def read_baseline(path: Path) -> RunResult | None:
    """Read a baseline; None when there is none.

    Raises:
        UsageError: It can't be understood.
    """
    is_there = os.path.exists(path)  # noqa: PTH110 - a name that is too long is none
    return read_metrics(path) if is_there else None


def phases_in(baseline: RunResult) -> frozenset[str]:
    """Return the phases of a baseline that measured anything."""
    return frozenset(part.phase for part in baseline.measured)


def measure_in(baseline: RunResult, running: RunningPhases | None = None) -> Baseline:
    """Return what gives a metric's value in the baseline, by the rules that judge runs.

    A scope in time (`over 30s`) is that of the whole metric there. Metrics that aren't computed
    from samples have no value. Phases that don't run now have no part in it, unless all are others,
    as after a change of name; other combinations of one matrix never stand for each other.

    Args:
        baseline: The earlier run.
        running: The phases of the run that is judged; None for any.

    Raises:
        UsageError: Its histograms are broken.
    """
    left_out = _left_out(baseline, running or {})
    evidence = Evidence(
        series={
            labels: delta
            for labels, delta in read_series(baseline.series).items()
            if labels.phase not in left_out
        },
        measured=[part for part in measured_of(baseline.measured) if part.phase not in left_out],
        gauges={
            track.name: [
                (round(second * 1e9), value)
                for second, value in zip(track.seconds, track.values, strict=False)
            ]
            for track in baseline.tracks
        },
    )

    @cache  # thresholds that may abort ask once a second
    def value_of(metric: Metric) -> float | None:
        if not is_from_samples(metric) and metric.gauge is None:
            return None
        view = JudgedSpan(evidence, evidence.series, evidence.time_of(metric.scope))
        found = measure(metric, units_of(metric)[0], view) if has_data(metric, view) else None
        return None if found is None else found.amount

    return value_of


def _left_out(baseline: RunResult, running: RunningPhases) -> frozenset[str]:
    others = phases_in(baseline) - running.keys()
    if others != phases_in(baseline):
        return others if running else frozenset()
    matrices = {*running.values()} - {""}
    return frozenset(one.phase for one in baseline.combinations if one.matrix in matrices)


def promote(result: RunResult, path: Path) -> None:
    """Make a run the baseline.

    Raises:
        UsageError: Its numbers can't be trusted, or there are none.
        CannotRun: The file can't be written.
    """
    if result.validity.level is ValidityLevel.INVALID:
        raise UsageError(
            "the run's numbers are invalid, so it can't serve as a baseline",
            hint="; ".join(result.validity.reasons[:1]),
        )
    if not result.totals.total_requests:
        raise UsageError("the run has no finished request, so there is nothing to compare with")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CannotRun(f"cannot make `{path.parent}`: {error.strerror}") from error
    write_metrics(result, path)

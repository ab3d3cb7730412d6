"""Tails of a run that the typical second leaves out: the whole run's, and its worst second's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from planrunner.metrics.histogram import Histogram
from planrunner.metrics.measures import OWN_PREFIX
from planrunner.metrics.recorded_values import MILLIONTHS, RecordedValues
from planrunner.results.bootstrap import measured_intervals
from planrunner.results.model import RunResult
from planrunner.results.record import read_series
from planrunner.units import NS_PER_S

__all__ = ["WHOLE_FIGURES", "own_averages", "whole_figures"]

WHOLE_FIGURES: Final = ("p99", "worst_p99")


def own_averages(result: RunResult) -> Mapping[tuple[str, str], float]:
    """Return the average of each metric of the plan's own, by request; no request means all."""
    recording = [one for one in result.series if any(map(_is_own, one.measures))]
    whole: dict[tuple[str, str], Histogram] = {}
    for labels, delta in read_series(recording).items():
        if labels.is_result:
            for word, values in delta.measures.items():
                for name in ("", labels.request) if _is_own(word) else ():
                    whole.setdefault((name, word), RecordedValues()).merge(values)
    return {key: whole[key].mean / MILLIONTHS for key in sorted(whole)}


def _is_own(word: str) -> bool:
    return word.startswith(OWN_PREFIX)


def whole_figures(result: RunResult) -> Mapping[tuple[str, str], float]:
    """Return each of `WHOLE_FIGURES` in seconds, by request and figure; no request means all."""
    whole: dict[str, Histogram] = {}
    for labels, delta in read_series(result.series).items():
        if labels.is_timed_request:
            for name in ("", labels.request):
                whole.setdefault(name, Histogram()).merge(delta.latency)
    found = {
        (name, "p99"): histogram.percentile(99) / NS_PER_S
        for name, histogram in whole.items()
        if histogram.count
    }
    ends = {interval.second for interval in measured_intervals(result)}
    for points in result.request_points:
        in_time = [
            p99 for end, p99 in zip(points.seconds, points.p99_ns, strict=True) if end in ends
        ]
        if in_time:
            found[points.name, "worst_p99"] = max(in_time) / NS_PER_S
    return found

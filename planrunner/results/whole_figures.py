"""Tails of a run that the typical second leaves out: the whole run's, and its worst second's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from planrunner.metrics.histogram import Histogram
from planrunner.results.bootstrap import measured_intervals
from planrunner.results.model import RunResult
from planrunner.results.record import read_series
from planrunner.units import NS_PER_S

__all__ = ["WHOLE_FIGURES", "whole_figures"]

WHOLE_FIGURES: Final = ("p99", "worst_p99")


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

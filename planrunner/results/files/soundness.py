"""What the types of metrics.json cannot say, and every reader of a result relies on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sized
from typing import Final

from planrunner.results.files.codec import BadShape
from planrunner.results.model import RunResult

__all__ = ["check_sound"]

_LATENCIES: Final = ("min", "avg", "p50", "p90", "p95", "p99", "p99.9", "max")
_TASK: Final = (
    *("user", "task", "weight", "declared_percent", "share_percent"),
    *("runs", "skipped", "substituted", "mix_error_percent"),
)


def check_sound(result: RunResult) -> None:
    """Look for what a hand that edited the file may have left out.

    Raises:
        BadShape: A list lacks values that those beside it have, or an object lacks a name.
    """
    for place, found, wanted in _objects(result):
        for name in wanted:
            if name not in found:
                raise BadShape(f"{place}.{name} is missing")
    for place, values, beside in _columns(result):
        if len(values) != len(beside):
            raise BadShape(f"{place} has {len(values)} values where `seconds` has {len(beside)}")
    for place, length in _lengths(result):
        if length < 1:
            raise BadShape(f"{place} is less than 1")


def _objects(result: RunResult) -> Iterator[tuple[str, Mapping[str, object], tuple[str, ...]]]:
    for n, row in enumerate(result.rows):
        yield f"$.rows[{n}].latency_ns", row.latency_ns, _LATENCIES
        yield f"$.rows[{n}].service_ns", row.service_ns, _LATENCIES
    for n, task in enumerate(result.task_mix):
        yield f"$.task_mix[{n}]", task, _TASK


def _columns(result: RunResult) -> Iterator[tuple[str, Sized, Sized]]:
    for n, points in enumerate(result.request_points):
        for name in ("requests", "failed", "p50_ns", "p95_ns", "p99_ns"):
            yield f"$.request_points[{n}].{name}", getattr(points, name), points.seconds
    for n, track in enumerate(result.tracks):
        yield f"$.tracks[{n}].values", track.values, track.seconds


def _lengths(result: RunResult) -> Iterator[tuple[str, int]]:
    for n, points in enumerate(result.request_points):
        yield f"$.request_points[{n}].interval_seconds", points.interval_seconds
    for n, point in enumerate(result.points):
        yield f"$.points[{n}].seconds", point.seconds

"""timeseries.csv: the run over time, by phase, by request and beside the requests."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, TextIO

from planrunner.report.formats.samples_csv import write_cell
from planrunner.report.plain import plain
from planrunner.results.model import Point, RunResult
from planrunner.results.record import RequestPoints, Track
from planrunner.units import NS_PER_S

__all__ = ["TIMESERIES_COLUMNS", "write_timeseries"]

TIMESERIES_COLUMNS: Final = (
    "second",
    "interval",
    "by",
    "name",
    "warmup",
    "users",
    "requests",
    "requests_per_second",
    "failed",
    "p50",
    "p95",
    "p99",
    "failures",
    "value",
)


def write_timeseries(result: RunResult, out: TextIO) -> None:
    """Write a line for each phase, request and track at each time; latencies in seconds."""
    out.write(",".join(TIMESERIES_COLUMNS) + "\n")
    out.writelines(_line(*_phase(point)) for point in result.points)
    for request in result.request_points:
        out.writelines(_line(*cells) for cells in _request(request))
    for track in result.tracks:
        out.writelines(_line(*cells) for cells in _track(track))


def _line(*cells: object) -> str:
    return ",".join(write_cell(plain(str(cell))) for cell in cells) + "\n"


def _phase(point: Point) -> tuple[object, ...]:
    latencies = (point.p50_ns, point.p95_ns, point.p99_ns)
    return (
        *(point.second, point.seconds, "phase", point.phase),
        *("true" if point.warmup else "false", point.users),
        *_counts(point.requests, point.failed, point.seconds, latencies),
        ";".join(f"{kind}={count}" for kind, count in point.failures.items()),
        "",
    )


def _request(request: RequestPoints) -> Iterator[tuple[object, ...]]:
    for n, second in enumerate(request.seconds):
        latencies = (request.p50_ns[n], request.p95_ns[n], request.p99_ns[n])
        interval = request.interval_seconds
        yield (
            *(second, interval, "request" if request.name else "all", request.name, "false", ""),
            *_counts(request.requests[n], request.failed[n], interval, latencies),
            *("", ""),
        )


def _track(track: Track) -> Iterator[tuple[object, ...]]:
    for second, value in zip(track.seconds, track.values, strict=False):
        yield (f"{second:g}", "", "track", track.name, *[""] * 9, f"{value:.9g}")


def _counts(
    requests: int, failed: int, seconds: int, latencies_ns: tuple[int, int, int]
) -> tuple[object, ...]:
    shown = [f"{ns / NS_PER_S:.6f}" if requests else "" for ns in latencies_ns]
    return (requests, f"{requests / max(seconds, 1):.6g}", failed, *shown)

"""timeseries.csv: the run over time, by phase, by request and beside the requests."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, TextIO

from planrunner.metrics.measures import OWN_PREFIX
from planrunner.report.charts.chart_data import measured_shares
from planrunner.report.formats.samples.results_csv import write_cell
from planrunner.report.plain import plain
from planrunner.results.bootstrap import measured_intervals
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
    "expectations",
    "broken",
    "work",
)


def write_timeseries(result: RunResult, out: TextIO) -> None:
    """Write a line for each phase, request, metric and track at each time; latencies in seconds.

    The value of a metric is the average of an interval, and its requests are those that have one.
    The last interval is seldom whole, and what follows the measured time has no rate at all.
    """
    out.write(",".join(TIMESERIES_COLUMNS) + "\n")
    shares = measured_shares(result)
    out.writelines(
        _line(*_phase(point, point.requests / (share * max(point.seconds, 1)) if share else None))
        for point, share in zip(result.points, shares, strict=True)
    )
    lengths = {interval.second: interval.seconds for interval in measured_intervals(result)}
    for request in result.request_points:
        out.writelines(_line(*cells) for cells in _request(request, lengths))
        out.writelines(_line(*cells) for cells in _metrics(request))
    for track in result.tracks:
        out.writelines(_line(*cells) for cells in _track(track))


def _line(*cells: object) -> str:
    return ",".join(map(_cell, cells)) + "\n"


def _cell(cell: object) -> str:
    # A negative number is no formula.
    return f"{cell:.9g}" if isinstance(cell, float) else write_cell(plain(str(cell)))


def _phase(point: Point, rate: float | None) -> tuple[object, ...]:
    latencies = (point.p50_ns, point.p95_ns, point.p99_ns)
    return (
        *(point.second, point.seconds, "phase", point.phase),
        *("true" if point.warmup else "false", point.users),
        *_counts(point.requests, rate, point.failed, latencies),
        ";".join(f"{kind}={count}" for kind, count in point.failures.items()),
        *("", "", "", ""),
    )


def _request(request: RequestPoints, lengths: Mapping[int, float]) -> Iterator[tuple[object, ...]]:
    for n, second in enumerate(request.seconds):
        latencies = (request.p50_ns[n], request.p95_ns[n], request.p99_ns[n])
        interval = request.interval_seconds
        length = min(lengths.get(second, 0.0), interval)
        rate = request.requests[n] / length if length else None
        yield (
            *(second, interval, "request" if request.name else "all", request.name, "false", ""),
            *_counts(request.requests[n], rate, request.failed[n], latencies),
            *("", "", *_checks(request, n)),
            float(request.work[n]) if request.work else "",
        )


def _metrics(request: RequestPoints) -> Iterator[tuple[object, ...]]:
    for metric, points in request.metrics.items():
        name = f"{OWN_PREFIX}{metric}{f' of {request.name}' if request.name else ''}"
        for second, count, average in zip(
            request.seconds, points.values, points.averages, strict=True
        ):
            if average is not None:
                place = (second, request.interval_seconds, "metric", name, "false", "")
                yield (*place, count, *[""] * 6, average, "", "", "")


def _track(track: Track) -> Iterator[tuple[object, ...]]:
    for second, value in zip(track.seconds, track.values, strict=False):
        yield (f"{second:g}", "", "track", track.name, *[""] * 9, float(value), "", "", "")


def _checks(request: RequestPoints, n: int) -> tuple[object, object]:
    """Return how many expectations were asked in an interval, and how many did not hold."""
    return (request.asked[n], request.broken[n]) if n < len(request.asked) else ("", "")


def _counts(
    requests: int, rate: float | None, failed: int, latencies_ns: tuple[int, int, int]
) -> tuple[object, ...]:
    shown = [f"{ns / NS_PER_S:.6f}" if ns else "" for ns in latencies_ns]
    return (requests, "" if rate is None else f"{rate:.6g}", failed, *shown)

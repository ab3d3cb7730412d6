"""Locust's `_stats.csv` and `_failures.csv`, with its columns, for tools that read those."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Final, TextIO

from planrunner.metrics.histogram import Histogram
from planrunner.metrics.judging.measured import measured_seconds
from planrunner.metrics.series import Labels
from planrunner.metrics.snapshot import SeriesDelta
from planrunner.report.formats.samples_csv import write_cell
from planrunner.report.plain import plain
from planrunner.results.model import RunResult
from planrunner.results.record import measured_of, read_series
from planrunner.units import NS_PER_MS

__all__ = ["FAILURES_COLUMNS", "STATS_COLUMNS", "write_locust_failures", "write_locust_stats"]

_PERCENTILES: Final = (50, 66, 75, 80, 90, 95, 98, 99, 99.9, 99.99, 100)

STATS_COLUMNS: Final = (
    "Type",
    "Name",
    "Request Count",
    "Failure Count",
    "Median Response Time",
    "Average Response Time",
    "Min Response Time",
    "Max Response Time",
    "Average Content Size",
    "Requests/s",
    "Failures/s",
    *(f"{percent:g}%" for percent in _PERCENTILES),
)
FAILURES_COLUMNS: Final = ("Method", "Name", "Error", "Occurrences")

_LocustMember = tuple[Labels, SeriesDelta]


def write_locust_stats(result: RunResult, out: TextIO) -> None:
    """Write a line for each request, and one for all of them, in milliseconds."""
    out.write(",".join(STATS_COLUMNS) + "\n")
    seconds = measured_seconds(measured_of(result.measured))
    members = _members(result)
    named: dict[tuple[str, str], list[_LocustMember]] = {}
    for labels, delta in members:
        named.setdefault((labels.method, labels.request), []).append((labels, delta))
    out.writelines(_line(*key, *_stats(named[key], seconds)) for key in sorted(named))
    out.write(_line("", "Aggregated", *_stats(members, seconds)))


def write_locust_failures(result: RunResult, out: TextIO) -> None:
    """Write how often each request failed in each way."""
    out.write(",".join(FAILURES_COLUMNS) + "\n")
    counts: Counter[tuple[str, str, str]] = Counter()
    for labels, delta in _members(result):
        if labels.failure:
            error = f"{labels.failure} {labels.status}" if labels.status else labels.failure
            counts[labels.method, labels.request, error] += delta.count
    for (method, name, error), count in sorted(counts.items()):
        out.write(_line(method, name, error, count))


def _members(result: RunResult) -> list[_LocustMember]:
    found = read_series(result.series).items()
    return [pair for pair in found if pair[0].kind == "request" and pair[0].is_result]


def _stats(members: Iterable[_LocustMember], seconds: float) -> list[object]:
    latency = Histogram()
    failed = received = 0
    for labels, delta in members:
        latency.merge(delta.latency)
        failed += delta.count if labels.failure else 0
        received += delta.received
    if not latency.count:
        return [0, 0, *[0] * 4, 0, "0.0", "0.0", *["N/A"] * len(_PERCENTILES)]
    shown = latency.percentiles((50, *_PERCENTILES))
    median, *percentiles = [_ms(value) for value in shown]
    per_second = [f"{count / seconds if seconds else 0:.6f}" for count in (latency.count, failed)]
    times = (median, f"{latency.mean / NS_PER_MS:.6f}", _ms(latency.min), _ms(latency.max))
    size = f"{received / latency.count:.6f}"
    return [latency.count, failed, *times, size, *per_second, *percentiles]


def _ms(value_ns: int) -> str:
    return f"{value_ns / NS_PER_MS:.6g}"


def _line(*cells: object) -> str:
    return ",".join(write_cell(plain(str(cell))) for cell in cells) + "\n"

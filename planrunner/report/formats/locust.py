"""Locust's CSV files, with its columns, for tools that read those; of the run or of a phase."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Final, TextIO

from planrunner.errors import UsageError
from planrunner.metrics.histogram import Histogram
from planrunner.metrics.judging.measured import measured_seconds
from planrunner.metrics.series import Labels
from planrunner.metrics.snapshot import SeriesDelta
from planrunner.report.formats.samples.results_csv import write_cell
from planrunner.report.plain import plain
from planrunner.results.model import RunResult
from planrunner.results.record import (
    PROGRESS_PERCENTILES,
    PhaseProgress,
    SeriesRecord,
    labels_of,
    measured_of,
    read_series,
)
from planrunner.units import NS_PER_MS
from planrunner.values import dataclass

__all__ = [
    "EXCEPTIONS_COLUMNS",
    "FAILURES_COLUMNS",
    "HISTORY_COLUMNS",
    "STATS_COLUMNS",
    "write_locust_exceptions",
    "write_locust_failures",
    "write_locust_history",
    "write_locust_stats",
]

_PERCENTILES: Final = (*PROGRESS_PERCENTILES, 100)
_PERCENTILE_COLUMNS: Final = tuple(f"{percent:g}%" for percent in _PERCENTILES)

# Source: locust/stats.py of Locust 2.47, StatsCSV and StatsCSVFileWriter.
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
    *_PERCENTILE_COLUMNS,
)
HISTORY_COLUMNS: Final = (
    "Timestamp",
    "User Count",
    "Type",
    "Name",
    "Requests/s",
    "Failures/s",
    *_PERCENTILE_COLUMNS,
    "Total Request Count",
    "Total Failure Count",
    "Total Median Response Time",
    "Total Average Response Time",
    "Total Min Response Time",
    "Total Max Response Time",
    "Total Average Content Size",
)
FAILURES_COLUMNS: Final = ("Method", "Name", "Error", "Occurrences", "First Seen", "Last Seen")
EXCEPTIONS_COLUMNS: Final = ("Count", "Message", "Traceback", "Nodes")

_AGGREGATED: Final = ("", "Aggregated")
_NODE: Final = "local"

_LocustMember = tuple[Labels, SeriesDelta]


def write_locust_stats(result: RunResult, out: TextIO, *, phase: str = "") -> None:
    """Write a line for each request, and one for all of them, in milliseconds."""
    out.write(_line(*STATS_COLUMNS))
    measured = [part for part in result.measured if phase in ("", part.phase)]
    seconds = measured_seconds(measured_of(measured))
    members = [
        (labels, delta)
        for labels, delta in read_series(result.series).items()
        if _is_in(labels, phase)
    ]
    named: dict[tuple[str, str], list[_LocustMember]] = {}
    for labels, delta in members:
        named.setdefault(_entry(labels), []).append((labels, delta))
    out.writelines(
        _line(*key, *_stats(named[key], seconds))
        for key in sorted(named, key=lambda entry: entry[::-1])
    )
    out.write(_line(*_AGGREGATED, *_stats(members, seconds)))


def write_locust_history(result: RunResult, out: TextIO, *, phase: str = "") -> None:
    """Write a line for each interval; all but the rates are about the time up to its end.

    Raises:
        UsageError: The result has a time or a number that cannot be.
    """
    out.write(_line(*HISTORY_COLUMNS))
    started = int(_started(result).timestamp())
    for progress in result.progress:
        if progress.phase == phase or (not phase and progress is result.progress[0]):
            try:
                out.writelines(_line(*cells) for cells in _history(progress, started))
            except OverflowError as error:
                raise UsageError(f"`progress` in metrics.json is broken: {error}") from error


def write_locust_failures(result: RunResult, out: TextIO, *, phase: str = "") -> None:
    """Write how often each request failed in each way, and when for the first and last time.

    Raises:
        UsageError: The result has a time that cannot be.
    """
    out.write(_line(*FAILURES_COLUMNS))
    started = _started(result)
    failed = list(_failed(result, phase))
    for (method, name, error), records in groupby(sorted(failed, key=_failure), key=_failure):
        group = list(records)
        first = min((record.first_second for record in group if record.first_second), default=0.0)
        last = max(record.last_second for record in group)
        times = (_utc(started, second) for second in (first, last))
        out.write(_line(method, name, error, _count(group), *times))


def write_locust_exceptions(result: RunResult, out: TextIO, *, phase: str = "") -> None:
    """Write what ended iterations early, as an exception in a task does: it is a failure, too."""
    out.write(_line(*EXCEPTIONS_COLUMNS))
    broken = [one for one in _failed(result, phase) if labels_of(one).ended_iteration]
    for (place, request, failure), records in groupby(sorted(broken, key=_step), key=_step):
        reasons = (
            sample.reason
            for sample in result.failing_samples
            if (sample.request, sample.kind) == (request, failure) and phase in ("", sample.phase)
        )
        message = next(reasons, failure)
        out.write(_line(_count(list(records)), message, f"{place}: {request}", _NODE))


def _is_in(labels: Labels, phase: str) -> bool:
    return labels.kind == "request" and labels.is_result and phase in ("", labels.phase)


def _failed(result: RunResult, phase: str) -> Iterator[SeriesRecord]:
    for record in result.series:
        if record.failure and _is_in(labels_of(record), phase):
            yield record


def _entry(labels: Labels) -> tuple[str, str]:
    """Return type and name of the entry in Locust's tables: the name without the type."""
    for verb in (labels.method, labels.action):
        if verb and labels.request.startswith(f"{verb} "):
            return labels.method, labels.request.removeprefix(f"{verb} ")
    return labels.method, labels.request


def _failure(record: SeriesRecord) -> tuple[str, str, str]:
    labels = labels_of(record)
    error = f"{labels.failure} {labels.status_text}" if labels.status else labels.failure
    return (*_entry(labels), error)


def _step(record: SeriesRecord) -> tuple[str, str, str]:
    """Return where a step is, its name, and how it fails."""
    place = f"{record.user}, task {record.task}" if record.task else record.user
    return place, record.request, record.failure


def _count(records: Sequence[SeriesRecord]) -> int:
    return sum(delta.count for delta in read_series(records).values())


@dataclass(slots=True)
class _EntryTotals:
    """The sums of an entry."""

    latency: Histogram
    requests: int = 0
    failed: int = 0
    received: int | None = None


def _stats(members: Iterable[_LocustMember], seconds: float) -> Sequence[object]:
    total = _EntryTotals(Histogram())
    for labels, delta in members:
        total.requests += delta.count
        total.failed += delta.count if labels.failure else 0
        total.received = labels.plus_told("received", total.received, delta.received)
        if labels.has_latency:
            total.latency.merge(delta.latency)
    rates = [count / seconds if seconds else 0.0 for count in (total.requests, total.failed)]
    return (
        *(total.requests, total.failed, *_times(total.latency)),
        *(_size(total.received, total.requests), *rates, *_percentiles(total.latency)),
    )


def _times(latency: Histogram) -> tuple[object, ...]:
    """Return median, average, minimum and maximum."""
    if not latency.count:
        return (0, 0.0, 0, 0)
    exact = (_ms(latency.mean), _ms(latency.min), _ms(latency.max))
    return (_whole_ms(latency.percentile(50)), *exact)


def _percentiles(latency: Histogram) -> Sequence[object]:
    if not latency.count:
        return ["N/A"] * len(_PERCENTILES)
    return [_whole_ms(value) for value in latency.percentiles(_PERCENTILES)]


def _history(progress: PhaseProgress, started: int) -> Iterator[tuple[object, ...]]:
    before = (progress.seconds[0] - progress.interval_seconds if progress.seconds else 0, 0, 0)
    for n, second in enumerate(progress.seconds):
        requests, failed = progress.requests[n], progress.failed[n]
        length = second - before[0]
        rates = [
            f"{(now - then) / length if length else 0:.6f}"
            for now, then in zip((requests, failed), before[1:], strict=True)
        ]
        latency_ns = {name: values[n] for name, values in progress.latency_ns.items()}
        shown = [
            _whole_ms(latency_ns["max" if percent == 100 else f"p{percent:g}"])
            if latency_ns["max"]
            else "N/A"
            for percent in _PERCENTILES
        ]
        exact = (_ms(latency_ns[name]) for name in ("avg", "min", "max"))
        yield (
            *(started + second, progress.users[n], *_AGGREGATED, *rates, *shown),
            *(requests, failed, _whole_ms(latency_ns["p50"]), *exact),
            _size(progress.received_bytes[n], requests),
        )
        before = (second, requests, failed)


def _size(received: int | None, requests: int) -> float | str:
    """Return the average; nothing is known of what another tool has sent and not told."""
    if received is None:
        return "N/A"
    return round(received / requests, 6) if requests else 0


def _ms(value_ns: float) -> float:
    return round(value_ns / NS_PER_MS, 6)


def _whole_ms(value_ns: int) -> int:
    """Locust's medians and percentiles are whole numbers, and tools read them as such."""
    return round(value_ns / NS_PER_MS)


def _started(result: RunResult) -> datetime:
    try:
        found = datetime.fromisoformat(result.started)
    except ValueError as error:
        raise UsageError(f"`started` in metrics.json is broken: {error}") from error
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _utc(started: datetime, second: float) -> str:
    if not second:
        return ""
    try:
        seen = (started + timedelta(seconds=second)).astimezone(UTC)
    except (OverflowError, ValueError) as error:
        raise UsageError(f"the times of a series in metrics.json are broken: {error}") from error
    return seen.strftime("%Y-%m-%dT%H:%M:%SZ")


def _line(*cells: object) -> str:
    return ",".join(write_cell(plain(str(cell))) for cell in cells) + "\n"

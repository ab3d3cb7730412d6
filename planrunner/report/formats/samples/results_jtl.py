"""results.jtl: samples as JMeter writes them in CSV, for its readers and those of Jenkins."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import IO, Final

from planrunner.metrics.series import Labels
from planrunner.report.formats.samples.results_csv import write_cell
from planrunner.results.files.sample_reader import SampleReader
from planrunner.results.model import Point, RunResult
from planrunner.units import NS_PER_MS, NS_PER_S

__all__ = ["JTL_COLUMNS", "write_jtl", "write_results_jtl"]

JTL_COLUMNS: Final = (
    "timeStamp",
    "elapsed",
    "label",
    "responseCode",
    "responseMessage",
    "threadName",
    "dataType",
    "success",
    "failureMessage",
    "bytes",
    "sentBytes",
    "grpThreads",
    "allThreads",
    "URL",
    "Latency",
    "IdleTime",
    "Connect",
)

_LINES_WRITTEN_AT_ONCE: Final = 2_000


def write_results_jtl(result: RunResult, samples: SampleReader, out: IO[str]) -> None:
    """Write results.jtl, whose lines say how many users there were."""
    write_jtl(samples, out, users_at=_UsersOverTime(result.points).at)


class _UsersOverTime:
    """How many users there were: of a long run, a point stands for many seconds."""

    def __init__(self, points: Sequence[Point]) -> None:
        self._points = sorted(points, key=attrgetter("second"))
        self._ends = [point.second for point in self._points]

    def at(self, second: int) -> int | None:
        """Return how many were alive in a second from the start of the run, None if not known."""
        n = bisect_right(self._ends, second)
        if n == len(self._points) or second < self._ends[n] - self._points[n].seconds:
            return None
        return self._points[n].users


def write_jtl(reader: SampleReader, out: IO[str], *, users_at: Callable[[int], int | None]) -> int:
    """Write every sample that is a result as a line, under the header; return how many.

    JMeter's readers know neither aborted requests nor those outside of the measured time and would
    count them, so these are left out. What no sample keeps is 0 or `null`: bytes sent, the URL.

    Args:
        reader: What to write.
        out: A text file opened with `newline=""`.
        users_at: Gives how many were alive in a second from the start of the run, None if that is
            not known.
    """
    out.write(",".join(JTL_COLUMNS) + "\n")
    formats = {i: _row_format(labels) for i, labels in reader.labels.items() if labels.is_result}
    messages = {number: write_cell(text) for number, text in reader.messages.items()}
    started_ms, rest_ns = divmod(reader.started_unix_ns, NS_PER_MS)
    lines: list[str] = []
    written, second, alive = 0, -1, 1
    for series, start_ns, latency, _, ttfb, connect, size, message in reader.tuples():
        row = formats.get(series)
        if row is None:
            continue
        if start_ns // NS_PER_S != second:  # the same for thousands of rows
            second = start_ns // NS_PER_S
            alive = alive if (known := users_at(second)) is None else known
        lines.append(
            row
            % (
                started_ms + (start_ns + rest_ns) // NS_PER_MS,
                latency // NS_PER_MS,
                messages[message],
                size,
                alive,
                alive,
                ttfb // NS_PER_MS,
                connect // NS_PER_MS,
            )
        )
        if len(lines) >= _LINES_WRITTEN_AT_ONCE:
            written += len(lines)
            out.write("".join(lines))
            lines.clear()
    out.write("".join(lines))
    return written + len(lines)


def _row_format(labels: Labels) -> str:
    """The `%` format of a series' lines: its own cells written out, holes for the numbers."""
    cells = (
        "%d",
        "%d",
        _literal(labels.request),
        _literal(labels.status_text if labels.status_text != "0" else labels.failure),
        _literal(labels.failure or "OK"),
        _literal(f"{labels.phase} {labels.user} 1-1"),
        "text",
        "false" if labels.failure else "true",
        "%s",
        "%d",
        "0",
        "%d",
        "%d",
        "null",
        "%d",
        "0",
        "%d",
    )
    return ",".join(cells) + "\n"


def _literal(text: str) -> str:
    return write_cell(text).replace("%", "%%")

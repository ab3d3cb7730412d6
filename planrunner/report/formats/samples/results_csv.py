"""results.csv: one line a sample, streamed; the plan language fixes the columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import IO, Final

from planrunner.metrics.measures import OWN_PREFIX, SERVICE_TIME, WORK
from planrunner.metrics.series import Labels
from planrunner.protocols.registry import spoken
from planrunner.results.files.sample_reader import SampleReader
from planrunner.results.files.sample_values import SampleValues, StreamFacts, value_text
from planrunner.results.model import RunResult
from planrunner.units import NS_PER_S, NS_PER_US

__all__ = ["CSV_COLUMNS", "tags_text", "write_cell", "write_csv", "write_results_csv"]

CSV_COLUMNS: Final = (
    "timestamp",
    "endpoint",
    "method",
    "status_code",
    "response_time",
    "success",
    "error_message",
    "response_size",
    "phase",
    "stage",
    "user",
    "task",
    "tags",
    "warmup",
    "service_time",
    "ttfb",
    "connect",
    "kind",
    "protocol",
    "worker",
    "first_event",
    "events",
    "work",
    "after",
)

_NOTHING: Final = "%.0s"
"""Takes a value, and writes nothing."""

_LINES_WRITTEN_AT_ONCE: Final = 2_000
_FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r")
_NEEDS_QUOTES: Final = frozenset(',"\r\n')


def write_results_csv(_: RunResult, samples: SampleReader, out: IO[str]) -> None:
    """Write results.csv, which says nothing but what the samples do."""
    write_csv(samples, out)


def write_csv(reader: SampleReader, out: IO[str]) -> int:
    """Write every sample of `reader` as a line, under the header; return how many there were.

    What is no result by the plan's word (`measure: false`, on_start, setup …) is left out: no
    column could distinguish it. Aborted requests and those of the warm-up or after the measured
    time are marked as such.

    What the samples of a series share is made text once, so a line is a single `%`: 1.6 µs, where
    csv.writer takes 2 µs for a row that is already formatted.

    Args:
        reader: What to write.
        out: A text file opened with `newline=""`.
    """
    own = [word for word in reader.recorded if word.startswith(OWN_PREFIX)]
    out.write(",".join((*CSV_COLUMNS, *own)) + "\n")
    formats = {
        index: _row_format(labels, reader.workers[index], own, has_streams=reader.has_streams)
        for index, labels in reader.labels.items()
        if labels.measured
    }
    orders = {index: _order(labels) for index, labels in reader.labels.items()}
    messages = {number: write_cell(text) for number, text in reader.messages.items()}
    started_unix_ns = reader.started_unix_ns
    second, moment = -1, ""
    lines: list[str] = []
    written = 0
    for row, values, stream, _ in reader.with_values():
        series, start_ns, latency, service, ttfb, connect, size, message = row
        if series not in formats:
            continue
        now, fraction = divmod(started_unix_ns + start_ns, NS_PER_S)
        if now != second:  # the date changes once in thousands of rows
            second, moment = now, datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%S")
        lines.append(
            formats[series]
            % (
                moment,
                fraction // NS_PER_US,
                latency / NS_PER_S,
                messages[message],
                size,
                service / NS_PER_S,
                "%.6f" % (ttfb / NS_PER_S) if ttfb else "",
                connect / NS_PER_S,
                *(_stream_cells(stream) if reader.has_streams else ()),
                *(_value_cells(orders[series], values) if orders[series] else ()),
            )
        )
        if len(lines) >= _LINES_WRITTEN_AT_ONCE:
            written += len(lines)
            out.write("".join(lines))
            lines.clear()
    out.write("".join(lines))
    return written + len(lines)


def _order(labels: Labels) -> tuple[int, ...]:
    """Return which values of a sample its cells have: its work, then its metrics by name."""
    records = labels.records
    named = sorted(word for word in records if word != WORK.word)
    work = [WORK.word] if WORK.word in records else []
    return tuple(records.index(word) for word in (*work, *named))


def _value_cells(order: Sequence[int], values: SampleValues) -> Iterator[str]:
    for n in order:
        yield value_text(values[n][0], is_boolean=values[n][1]) if n < len(values) else ""


def _stream_cells(stream: StreamFacts) -> tuple[str, str]:
    """Return the cells of a reply that is read piece by piece; empty for one that didn't begin."""
    if not stream:
        return "", ""
    first_ns, events = stream
    return "%.6f" % (first_ns / NS_PER_S) if events else "", str(events)


def _row_format(labels: Labels, worker: int, own: Sequence[str], *, has_streams: bool) -> str:
    """The `%` format of a series' lines: its own cells written out, holes for the numbers."""
    before = (labels.request, labels.method, labels.status_text)
    after = (labels.phase, labels.stage, labels.user, labels.task, tags_text(labels))
    cells = (
        "%s.%06dZ",
        *map(_literal, before),
        "%.6f",
        "false" if labels.failure else "true",
        "%s",
        _NOTHING if "received" in labels.unknown else "%d",
        *map(_literal, after),
        "true" if labels.warmup else "false",
        _NOTHING if SERVICE_TIME.word in labels.unknown else "%.6f",
        "%s",
        _NOTHING if "connects" in labels.unknown else "%.6f",
        _literal(labels.failure),
        _literal(labels.spoken or spoken(labels.protocol)),
        str(worker),
        *(("%s", "%s") if has_streams else ("", "")),
        "%s" if WORK.word in labels.records else "",
        "true" if labels.after else "false",
        *("%s" if word in labels.records else "" for word in own),
    )
    return ",".join(cells) + "\n"


def tags_text(labels: Labels) -> str:
    """Return the tags of a series as a column has them."""
    return ";".join(f"{key}={value}" if value else key for key, value in labels.tags)


def _literal(text: str) -> str:
    return write_cell(text).replace("%", "%%")


def write_cell(text: str) -> str:
    """A cell of foreign text: quoted where it must be, and never a formula to a spreadsheet."""
    if text.startswith(_FORMULA_STARTS):
        text = "'" + text
    if _NEEDS_QUOTES.isdisjoint(text):
        return text
    return '"' + text.replace('"', '""') + '"'

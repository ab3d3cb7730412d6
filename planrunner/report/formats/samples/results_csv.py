"""results.csv: one line a sample, streamed; the plan language fixes the columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import BinaryIO, Final

from planrunner.extras import is_found
from planrunner.metrics.measures import OWN_PREFIX, SERVICE_TIME, WORK
from planrunner.metrics.series import Labels
from planrunner.protocols.registry import spoken
from planrunner.report.formats.samples.line_columns import (
    MOMENT,
    NOTHING,
    NUMBER,
    SECONDS,
    TEXT,
    LineColumns,
    moment_text,
)
from planrunner.report.formats.samples.row_columns import row_columns
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

MANY_ROWS: Final = 300_000
"""From here on it pays to load Arrow."""

_LINES_WRITTEN_AT_ONCE: Final = 2_000
_FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r")
_NEEDS_QUOTES: Final = frozenset(',"\r\n')


def write_results_csv(_: RunResult, samples: SampleReader, out: BinaryIO) -> None:
    """Write results.csv, which says nothing but what the samples do."""
    write_csv(samples, out)


def write_csv(reader: SampleReader, out: BinaryIO) -> int:
    """Write every sample of `reader` as a line, under the header; return how many there were.

    What is no result by the plan's word (`measure: false`, on_start, setup …) is left out: no
    column could distinguish it. Aborted requests and those of the warm-up or after the measured
    time are marked as such.

    Of many samples, Arrow makes the lines if it is installed: the same ones, three times as fast.

    Args:
        reader: What to write.
        out: Gets UTF-8.
    """
    own = [word for word in reader.recorded if word.startswith(OWN_PREFIX)]
    out.write(_encoded(",".join((*CSV_COLUMNS, *own)) + "\n"))
    cells = {
        index: _row_cells(labels, reader.workers[index], own, has_streams=reader.has_streams)
        for index, labels in reader.labels.items()
        if labels.measured
    }
    messages = {number: write_cell(text) for number, text in reader.messages.items()}
    if not reader.has_values and reader.most_rows >= MANY_ROWS and is_found("pyarrow"):
        columns = LineColumns(reader.started_unix_ns, cells, messages)
        texts: Iterator[tuple[bytes | memoryview, int]] = map(columns.text, row_columns(reader))
    else:
        texts = _texts(reader, cells, messages)
    written = 0
    for text, count in texts:
        out.write(text)
        written += count
    return written


def _texts(
    reader: SampleReader, cells: Mapping[int, Sequence[str]], messages: Mapping[int, str]
) -> Iterator[tuple[bytes, int]]:
    """Yield lines, and how many.

    What the samples of a series share is made text once, so a line is a single `%`: 1.6 µs, where
    csv.writer takes 2 µs for a row that is already formatted.
    """
    formats = {index: ",".join(of_series) + "\n" for index, of_series in cells.items()}
    orders = {index: _order(labels) for index, labels in reader.labels.items()}
    started_unix_ns = reader.started_unix_ns
    second, moment = -1, ""
    lines: list[str] = []
    for row, values, stream, _ in reader.with_values():
        series, start_ns, latency, service, ttfb, connect, size, message = row
        if series not in formats:
            continue
        now, fraction = divmod(started_unix_ns + start_ns, NS_PER_S)
        if now != second:  # the date changes once in thousands of rows
            second, moment = now, moment_text(now)
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
            yield _encoded("".join(lines)), len(lines)
            lines.clear()
    yield _encoded("".join(lines)), len(lines)


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "backslashreplace")


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


def _row_cells(
    labels: Labels, worker: int, own: Sequence[str], *, has_streams: bool
) -> tuple[str, ...]:
    """The `%` format of each cell of a series' lines: its own written out, holes for the others."""
    before = (labels.request, labels.method, labels.status_text)
    after = (labels.phase, labels.stage, labels.user, labels.task, tags_text(labels))
    return (
        MOMENT,
        *map(_literal, before),
        SECONDS,
        "false" if labels.failure else "true",
        TEXT,
        NOTHING if "received" in labels.unknown else NUMBER,
        *map(_literal, after),
        "true" if labels.warmup else "false",
        NOTHING if SERVICE_TIME.word in labels.unknown else SECONDS,
        TEXT,
        NOTHING if "connects" in labels.unknown else SECONDS,
        _literal(labels.failure),
        _literal(labels.spoken or spoken(labels.protocol)),
        str(worker),
        *((TEXT, TEXT) if has_streams else ("", "")),
        TEXT if WORK.word in labels.records else "",
        "true" if labels.after else "false",
        *(TEXT if word in labels.records else "" for word in own),
    )


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

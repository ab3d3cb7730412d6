"""What samples recorded by expressions, and of streams, in the rows that follow theirs.

A row of values has the shape of a sample: the same series, start and latency, three values where
its other times would be, then which ones those are, and a number that no message has. Readers that
know nothing of it pass it over, as they do with any row whose message is unknown. A row of a
stream says at that place that it is one, and has the time to the first event, the number of events
and the longest gap where the values are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from planrunner.metrics.recorded_values import MILLIONTHS

__all__ = [
    "VALUES_MARK",
    "SampleValues",
    "StreamFacts",
    "joined_values",
    "stream_row",
    "value_rows",
    "value_text",
]

SampleValues = tuple[tuple[int, bool], ...]
"""Of one sample, in the order of `Labels.records`: each in millionths, and whether it was true or
false; empty for a failure."""

StreamFacts = tuple[int, ...]
"""Of one sample: the time to its first event, 0 for none, and how many it had; empty where it was
not read piece by piece."""

_IN_A_ROW: Final = 3
VALUES_MARK: Final = 0xFFFF
"""Where a sample has the number of its message."""
_OF_STREAM: Final = 1 << 15
_TRUTHS_FROM: Final = 8  # bits of the place before those that say which values are booleans


def value_rows(
    series: int, start_ns: int, latency_ns: int, values: Sequence[tuple[int, bool]]
) -> Iterator[tuple[int, int, int, int, int, int, int, int]]:
    """Yield the fields of the rows that hold the values of a sample."""
    for first in range(0, len(values), _IN_A_ROW):
        chunk = values[first : first + _IN_A_ROW]
        one, two, three = (*(value for value, _ in chunk), 0, 0)[:_IN_A_ROW]
        truths = sum(1 << n for n, (_, is_boolean) in enumerate(chunk) if is_boolean)
        place = len(chunk) | truths << _TRUTHS_FROM
        yield series, start_ns, latency_ns, one, two, three, place, VALUES_MARK


def stream_row(
    series: int, start_ns: int, latency_ns: int, first_ns: int, events: int, gap_ns: int
) -> tuple[int, int, int, int, int, int, int, int]:
    """Return the fields of the row that says how the reply of a sample came.

    Args:
        series: Of the sample, as its start and latency.
        start_ns: See `series`.
        latency_ns: See `series`.
        first_ns: From the first byte sent to the first event; 0 for none.
        events: How many came.
        gap_ns: The longest time between two of them.
    """
    return series, start_ns, latency_ns, first_ns, events, gap_ns, _OF_STREAM, VALUES_MARK


def joined_values(
    rows: Iterable[tuple[int, ...]],
) -> Iterator[tuple[tuple[int, ...], SampleValues, StreamFacts]]:
    """Yield each sample with what it has, given all rows in the order they were written in."""
    sample: tuple[int, ...] = ()
    stream: StreamFacts = ()
    values: list[tuple[int, bool]] = []
    for row in rows:
        if row[7] != VALUES_MARK:
            if sample:
                yield sample, tuple(values), stream
            sample, values, stream = row, [], ()
        elif row[:3] == sample[:3] and row[6] == _OF_STREAM:
            stream = row[3:5]
        elif row[:3] == sample[:3]:
            truths = row[6] >> _TRUTHS_FROM
            count = min(row[6] & 0xFF, _IN_A_ROW)
            values += [(row[3 + n], bool(truths >> n & 1)) for n in range(count)]
    if sample:
        yield sample, tuple(values), stream


def value_text(value: int, *, is_boolean: bool) -> str:
    """Return a value as text that reads back as it is: `true`, `12`, `-0.25`."""
    if is_boolean:
        return "true" if value else "false"
    return f"{value / MILLIONTHS:.6f}".rstrip("0").rstrip(".")

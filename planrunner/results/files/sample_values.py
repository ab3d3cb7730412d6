"""What samples recorded by expressions, of streams and of measures, in the rows that follow theirs.

A row of values has the shape of a sample: the same series, start and latency, three values where
its other times would be, then which ones those are, and a number that no message has. Readers that
know nothing of it pass it over, as they do with any row whose message is unknown. A row of a
stream says at that place that it is one, and has the time to the first event, the number of events
and the longest gap where the values are.

What a sample has of a measure is up to three values, each with the number of its measure, or, where
there are more, a histogram in pieces of 24 bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from struct import Struct, error
from typing import Final

from planrunner.metrics.arrivals import PooledValues
from planrunner.metrics.histogram import Histogram
from planrunner.metrics.recorded_values import MILLIONTHS

__all__ = [
    "VALUES_MARK",
    "MeasuredValues",
    "SampleValues",
    "StreamFacts",
    "WholeSample",
    "joined_values",
    "measure_rows",
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

MeasuredValues = tuple[tuple[str, int | Histogram], ...]
"""Of one sample: the word of a measure and a value of it, or more than three in a histogram."""

WholeSample = tuple[tuple[int, ...], SampleValues, StreamFacts, MeasuredValues]
"""A sample's own row, and what it has beside."""

_IN_A_ROW: Final = 3
VALUES_MARK: Final = 0xFFFF
"""Where a sample has the number of its message."""
_OF_STREAM: Final = 1 << 15
_OF_MEASURES: Final = 1 << 14
_OF_HISTOGRAM: Final = 1 << 13
_GOES_ON: Final = 1 << 12  # a piece of a histogram that isn't the first one
_NUMBER_BITS: Final = 16  # of a measure
_NUMBER: Final = (1 << _NUMBER_BITS) - 1
_NO_MEASURES: Final[Mapping[int, str]] = {}
_PIECE: Final = Struct("<qqq")
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


def measure_rows(
    series: int, start_ns: int, latency_ns: int, measured: Iterable[tuple[int, list[int]]]
) -> Iterator[tuple[int, int, int, int, int, int, int, int]]:
    """Yield the fields of the rows that hold what a sample has of measures.

    Args:
        series: Of the sample, as its start and latency.
        start_ns: See `series`.
        latency_ns: See `series`.
        measured: The number of each measure, with its values.
    """
    row: list[int] = []
    place = _OF_MEASURES
    for number, values in measured:
        if len(values) > _IN_A_ROW or (type(values) is PooledValues and values.counted.count):
            for one, two, three, piece in _pieces(number, values):
                yield series, start_ns, latency_ns, one, two, three, piece, VALUES_MARK
            continue
        for value in values:
            row.append(value)
            place |= (number + 1) << _NUMBER_BITS * len(row)
            if len(row) == _IN_A_ROW:
                yield series, start_ns, latency_ns, row[0], row[1], row[2], place, VALUES_MARK
                row.clear()
                place = _OF_MEASURES
    if row:
        one, two, three = (*row, 0, 0)[:_IN_A_ROW]
        yield series, start_ns, latency_ns, one, two, three, place, VALUES_MARK


def _pieces(number: int, values: list[int]) -> Iterator[tuple[int, int, int, int]]:
    """Yield contents and places; a place says of which measure, and how many bytes are left."""
    histogram = values.drain() if isinstance(values, PooledValues) else Histogram(values)
    data = histogram.to_bytes()
    for at in range(0, len(data), _PIECE.size):
        left = len(data) - at
        place = _OF_HISTOGRAM | number << _NUMBER_BITS | left << 2 * _NUMBER_BITS
        one, two, three = _PIECE.unpack(data[at : at + _PIECE.size].ljust(_PIECE.size, b"\0"))
        yield one, two, three, place | _GOES_ON if at else place


def joined_values(
    rows: Iterable[tuple[int, ...]], measures: Mapping[int, str] = _NO_MEASURES
) -> Iterator[WholeSample]:
    """Yield each sample with what it has, given all rows in the order they were written in.

    `measures` are the words of measures, by their numbers.
    """
    sample: tuple[int, ...] = ()
    stream: StreamFacts = ()
    values: list[tuple[int, bool]] = []
    measured: list[tuple[int, ...]] = []
    for row in rows:
        if row[7] != VALUES_MARK:
            if sample:
                yield sample, tuple(values), stream, _measured(measured, measures)
            sample, values, stream, measured = row, [], (), []
        elif row[:3] != sample[:3]:
            continue
        elif row[6] == _OF_STREAM:
            stream = row[3:5]
        elif row[6] & (_OF_MEASURES | _OF_HISTOGRAM):
            measured.append(row)
        else:
            truths = row[6] >> _TRUTHS_FROM
            count = min(row[6] & 0xFF, _IN_A_ROW)
            values += [(row[3 + n], bool(truths >> n & 1)) for n in range(count)]
    if sample:
        yield sample, tuple(values), stream, _measured(measured, measures)


def _measured(rows: Iterable[tuple[int, ...]], measures: Mapping[int, str]) -> MeasuredValues:
    """Return what the rows of a sample say; a histogram of which a piece is lost is none."""
    found: list[tuple[str, int | Histogram]] = []
    data, due = b"", 0
    for row in rows:
        place = row[6]
        if place & _OF_MEASURES:
            numbers = (place >> _NUMBER_BITS * n & _NUMBER for n in range(1, _IN_A_ROW + 1))
            found += [
                (measures[number - 1], value)
                for number, value in zip(numbers, row[3:6], strict=True)
                if number - 1 in measures
            ]
            continue
        number, left = place >> _NUMBER_BITS & _NUMBER, place >> 2 * _NUMBER_BITS
        is_next = left == due if place & _GOES_ON else True
        data = (data if place & _GOES_ON else b"") + _PIECE.pack(*row[3:6])[:left]
        due = left - _PIECE.size if is_next else -1
        if is_next and due <= 0 and number in measures:
            with suppress(error, ValueError):  # another program's, although its checksum holds
                found.append((measures[number], Histogram.from_bytes(data)))
    return tuple(found)


def value_text(value: int, *, is_boolean: bool) -> str:
    """Return a value as text that reads back as it is: `true`, `12`, `-0.25`."""
    if is_boolean:
        return "true" if value else "false"
    return f"{value / MILLIONTHS:.6f}".rstrip("0").rstrip(".")

"""What samples recorded by expressions, in the rows that follow theirs.

A row of values has the shape of a sample: the same series, start and latency, three values where
its other times would be, then which ones those are, and a number that no message has. Readers that
know nothing of it pass it over, as they do with any row whose message is unknown.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from planrunner.metrics.recorded_values import MILLIONTHS

__all__ = ["VALUES_MARK", "SampleValues", "joined_values", "value_rows", "value_text"]

SampleValues = tuple[tuple[int, bool], ...]
"""Of one sample, in the order of `Labels.records`: each in millionths, and whether it was true or
false; empty for a failure."""

_IN_A_ROW: Final = 3
VALUES_MARK: Final = 0xFFFF
"""Where a sample has the number of its message."""
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


def joined_values(
    rows: Iterable[tuple[int, ...]],
) -> Iterator[tuple[tuple[int, ...], SampleValues]]:
    """Yield each sample with its values, given all rows in the order in which they were written."""
    sample: tuple[int, ...] = ()
    values: list[tuple[int, bool]] = []
    for row in rows:
        if row[7] != VALUES_MARK:
            if sample:
                yield sample, tuple(values)
            sample, values = row, []
        elif row[:3] == sample[:3]:
            truths = row[6] >> _TRUTHS_FROM
            count = min(row[6] & 0xFF, _IN_A_ROW)
            values += [(row[3 + n], bool(truths >> n & 1)) for n in range(count)]
    if sample:
        yield sample, tuple(values)


def value_text(value: int, *, is_boolean: bool) -> str:
    """Return a value as text that reads back as it is: `true`, `12`, `-0.25`."""
    if is_boolean:
        return "true" if value else "false"
    return f"{value / MILLIONTHS:.6f}".rstrip("0").rstrip(".")

"""A look through a data file before the run: its columns, how many rows, what is wrong with it."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, Final

from planrunner.data.tables import (
    RowFault,
    RowFormat,
    badly_quoted,
    json_value,
    not_utf8,
    ragged,
    read_json_list,
)
from planrunner.units import format_size
from planrunner.values import dataclass

__all__ = ["LARGE", "Survey", "columns_of", "survey"]

LARGE: Final = 50_000_000
"""Bytes of a file that is not read to its end: checking a plan must not take minutes."""

FIRST_ROWS: Final = 10_000
"""How many rows of a large file are checked."""

_NUMBER: Final = re.compile(r"[-+]?[0-9]+([.][0-9]+)?")


@dataclass(frozen=True, slots=True)
class Survey:
    """What is known of a source before the run.

    Attributes:
        columns: Names of the columns; empty when its rows are plain values.
        rows: How many rows were checked.
        is_complete: False when the file has more.
    """

    columns: tuple[str, ...]
    rows: int
    is_complete: bool = True


def survey(path: Path, kind: RowFormat, *, most: int = FIRST_ROWS) -> Survey:
    """Check a data file without keeping it; of a large one the first `most` rows.

    Raises:
        OSError: It can't be read.
        RowFault: Something is wrong with it.
    """
    if not path.is_file():
        raise RowFault("this is not a file")
    size = path.stat().st_size
    limit = most if size > LARGE else None
    if kind is RowFormat.JSON:
        if limit is not None:
            message = f"a JSON list is read whole, and this one has {format_size(size)}"
            raise RowFault(message, hint="write one value a line and name it under `jsonl:`")
        rows = read_json_list(path)
        return Survey(columns_of(rows), len(rows))
    with path.open("rb") as stream:
        lines = _lines(stream)
        return _csv(lines, limit) if kind is RowFormat.CSV else _json_lines(lines, limit)


def columns_of(rows: Iterable[object]) -> tuple[str, ...]:
    """Return the columns of rows that are all mappings; empty when they are all plain values.

    Raises:
        RowFault: There are both, or no rows.
    """
    columns = _Columns()
    for number, row in enumerate(rows, 1):
        columns.add(row, f"row {number}", 0)
    return columns.found()


class _Columns:
    """Gathers the columns of rows, which must be of one kind."""

    def __init__(self) -> None:
        self._names: dict[str, None] = {}
        self._are_mappings: bool | None = None

    def add(self, row: object, which: str, line: int) -> None:
        is_mapping = isinstance(row, dict)
        if self._are_mappings is None:
            self._are_mappings = is_mapping
        elif self._are_mappings is not is_mapping:
            kinds = ("a plain value", "columns")
            raise RowFault(
                f"{which} has {kinds[is_mapping]}, the rows before have {kinds[not is_mapping]}",
                line=line,
            )
        if isinstance(row, dict):
            self._names.update(dict.fromkeys(map(str, row)))

    def found(self) -> tuple[str, ...]:
        if self._are_mappings is None:
            raise RowFault("there are no rows")
        return tuple(self._names)


def _lines(stream: BinaryIO) -> Iterator[str]:
    """Yield the lines of a file, without its byte order mark."""
    for number, line in enumerate(stream, 1):
        try:
            yield line.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError as error:
            raise not_utf8(error, number) from None


def _json_lines(lines: Iterator[str], most: int | None) -> Survey:
    columns, rows = _Columns(), 0
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        if rows == most:
            return Survey(columns.found(), rows, is_complete=False)
        rows += 1
        columns.add(json_value(line, number), "the row", number)
    return Survey(columns.found(), rows)


def _csv(lines: Iterator[str], most: int | None) -> Survey:
    reader = csv.reader(lines, strict=True)
    try:
        columns = _header(reader)
        rows, line = 0, reader.line_num
        for values in reader:
            if values:
                if rows == most:
                    return Survey(columns, rows, is_complete=False)
                if len(values) != len(columns):
                    raise ragged(values, columns, line + 1)
                rows += 1
            line = reader.line_num
    except csv.Error as error:
        raise badly_quoted(error, reader.line_num) from None
    if not rows:
        raise RowFault("there are no rows below the header", line=line)
    return Survey(columns, rows)


def _header(reader: Iterator[list[str]]) -> tuple[str, ...]:
    names = next((values for values in reader if values), None)
    if names is None:
        hint = "its first line names the columns"
        raise RowFault("the file is empty", line=1, hint=hint)
    names = [name.strip() for name in names]
    for number, name in enumerate(names, 1):
        if not name:
            raise RowFault(f"column {number} has no name", line=1)
        if name in names[: number - 1]:
            raise RowFault(f"two columns are called `{name}`", line=1, hint="rename one of them")
        if _NUMBER.fullmatch(name):
            hint = "write the names of the columns into the first line"
            raise RowFault(f"`{name}` can't be a column's name", line=1, hint=hint)
    if len(names) == 1 and re.search("[;\t|]", names[0]):
        raise RowFault("the columns are not separated by commas", line=1)
    return tuple(names)

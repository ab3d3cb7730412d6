"""JSON files as data sources: one list, or one value a line."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, Final

from planrunner.data.data_format import DataFormat
from planrunner.data.survey import ColumnNames, Survey, columns_of
from planrunner.data.tables import MemoryTable, RowFault, not_utf8
from planrunner.data.text_files import BOM, TextTable, decoded_lines, skip_bom
from planrunner.language.files import MAX_SENT, open_file, read_file
from planrunner.units import format_size

__all__ = ["JSON", "JSON_LINES", "JsonLinesTable"]


_BLANK: Final = " \t\n\r\v\f"
"""What `bytes.isspace` finds: text has more of it, which JSON has not."""

_MAX_LIST: Final = 200_000_000
"""Bytes of a list, which is read whole; one that is larger than what a survey reads has grown."""


class JsonLinesTable(TextTable):
    """A file with one JSON value per line."""

    def stream(self) -> Iterator[object]:
        with open_file(self.path, most=MAX_SENT) as stream:
            skip_bom(stream)
            for number, line in enumerate(stream, 1):
                if not line.isspace():
                    yield _value(line, number)

    def at(self, place: int) -> object:
        return _value(self.read(place), 0)

    def spans(self, stream: BinaryIO) -> Iterator[tuple[int, int]]:
        offset = skip_bom(stream)
        for line in stream:
            if not line.isspace():
                yield offset, len(line)
            offset += len(line)


def _survey_lines(path: Path, most: int | None) -> Survey:
    with open_file(path, most=MAX_SENT) as stream:
        return _lines_surveyed(decoded_lines(stream), most)


def _lines_surveyed(lines: Iterator[str], most: int | None) -> Survey:
    columns, rows = ColumnNames(), 0
    for number, line in enumerate(lines, 1):
        if not line.strip(_BLANK):
            continue
        if rows == most:
            return Survey(columns.found(), rows, is_complete=False)
        rows += 1
        columns.add(_value(line, number), "the row", number)
    return Survey(columns.found(), rows)


def _open_lines(path: Path, columns: Sequence[str]) -> JsonLinesTable:
    del columns  # each line names its own
    return JsonLinesTable(path)


def _survey_list(path: Path, most: int | None) -> Survey:
    if most is not None:
        size = format_size(path.stat().st_size)
        message = f"a JSON list is loaded as a whole, and this one is {size}"
        raise RowFault(message, hint="write one value per line and name it under `jsonl:`")
    rows = _read_list(path)
    return Survey(columns_of(rows), len(rows))


def _open_list(path: Path, columns: Sequence[str]) -> MemoryTable:
    del columns  # each row names its own
    return MemoryTable(_read_list(path))


def _read_list(path: Path) -> list[object]:
    """Return the list that a JSON file holds.

    Raises:
        FileFault, OSError: It can't be read.
        RowFault: It holds something else.
    """
    rows = _value(read_file(path, most=_MAX_LIST).removeprefix(BOM), 1)
    if not isinstance(rows, list):
        raise RowFault("the file must hold a list", line=1, hint="write `[…]` around the rows")
    return rows


def _value(text: bytes | str, line: int) -> object:
    """Return the value of a JSON text that begins in `line`."""
    try:
        return json.loads(text if isinstance(text, str) else text.decode())
    except UnicodeDecodeError as error:
        raise not_utf8(error, line) from None
    except json.JSONDecodeError as error:
        where = line + error.lineno - 1 if line else 0
        message = f"this is not JSON: {error.msg.lower()} at column {error.colno}"
        raise RowFault(message, line=where) from None
    except (RecursionError, ValueError) as error:  # ValueError: a number with 5,000 digits
        raise RowFault(f"this JSON can't be read: {error}", line=line) from None


JSON: Final = DataFormat(
    "json",
    description="A JSON file that holds a list.",
    example="data/users.json",
    survey=_survey_list,
    open_rows=_open_list,
)

JSON_LINES: Final = DataFormat(
    "jsonl",
    description="A file with one JSON value per line.",
    example="data/users.jsonl",
    survey=_survey_lines,
    open_rows=_open_lines,
)

"""The rows of data sources: read one after the other, or by the place of each.

No file but a small one is ever held in memory: reading in order keeps nothing, and reading by
place keeps 8 bytes a row.
"""

from __future__ import annotations

import csv
import io
import json
import os
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO, Final, Protocol

from planrunner.errors import PlanrunnerError

__all__ = [
    "CsvTable",
    "JsonLinesTable",
    "MadeTable",
    "MemoryTable",
    "RowFault",
    "RowFormat",
    "Table",
    "badly_quoted",
    "json_value",
    "not_utf8",
    "open_table",
    "ragged",
    "read_json_list",
]

MAX_IN_MEMORY: Final = 2_000_000
"""Bytes of a file whose rows are kept as they are read: ten times that as Python objects."""

_LENGTH_BITS: Final = 24
_MAX_LENGTH: Final = (1 << _LENGTH_BITS) - 1
_BOM: Final = b"\xef\xbb\xbf"
_BLANK: Final = (b"\n", b"\r\n")


class RowFormat(StrEnum):
    CSV = "csv"
    JSON = "json"
    JSON_LINES = "jsonl"


class RowFault(PlanrunnerError):  # noqa: N818 - a fault of the data, as the plan has its own
    """A data file is not what it must be.

    Attributes:
        line: Where, from 1; 0 when it is no matter of a line.
    """

    def __init__(self, message: str, *, line: int = 0, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.line = line

    def said_of(self, file: str) -> str:
        """Return the message with its place."""
        return f"{file}:{self.line}: {self.message}" if self.line else f"{file}: {self.message}"


class Table(Protocol):
    """The rows of one source."""

    def stream(self) -> Iterator[object]:
        """Yield all rows in order; may be called again."""

    def places(self) -> array[int]:
        """Return where each row is, in order; the caller may reorder it."""

    def at(self, place: int) -> object:
        """Return the row that is there."""

    def close(self) -> None: ...


class MemoryTable:
    """Rows that are there already."""

    def __init__(self, rows: Sequence[object]) -> None:
        self._rows = rows

    def stream(self) -> Iterator[object]:
        return iter(self._rows)

    def places(self) -> array[int]:
        return array("q", range(len(self._rows)))

    def at(self, place: int) -> object:
        return self._rows[place]

    def close(self) -> None:
        pass


class MadeTable:
    """Rows that are made when they are asked for: the same each time, from their number."""

    def __init__(self, count: int, make: Callable[[int], object]) -> None:
        self._count = count
        self.at = make

    def stream(self) -> Iterator[object]:
        return map(self.at, range(self._count))

    def places(self) -> array[int]:
        return array("q", range(self._count))

    def close(self) -> None:
        pass


class _FileTable:
    """A file with a row in each line, or in several."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = Path(path)
        self._file: io.FileIO | None = None

    def places(self) -> array[int]:
        """Return offset and length of each row, in one integer each."""
        found = array("q")
        with self._path.open("rb") as stream:
            for offset, length in self._spans(stream):
                if length > _MAX_LENGTH:
                    raise RowFault(f"row {len(found) + 1} has more than 16 MB")
                found.append(offset << _LENGTH_BITS | length)
        return found

    def _read(self, place: int) -> str:
        file = self._file
        if file is None:
            # Unbuffered: rows at random have no neighbours worth reading.
            file = self._file = io.FileIO(self._path)
        file.seek(place >> _LENGTH_BITS)
        try:
            return file.read(place & _MAX_LENGTH).decode()
        except UnicodeDecodeError as error:
            raise not_utf8(error, 0) from None

    def _spans(self, stream: BinaryIO) -> Iterator[tuple[int, int]]:
        raise NotImplementedError

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None


class CsvTable(_FileTable):
    """A CSV file (RFC 4180): commas, `"` around values, its first row names the columns."""

    def __init__(self, path: str | os.PathLike[str], columns: Sequence[str]) -> None:
        super().__init__(path)
        self._columns = tuple(columns)

    def stream(self) -> Iterator[object]:
        columns, width = self._columns, len(self._columns)
        # Lines end where bytes say so: a carriage return alone is no line end, as in `places`.
        with self._path.open(encoding="utf-8-sig", newline="\n") as text:
            reader = csv.reader(text, strict=True)
            try:
                _skip_header(reader)
                line = reader.line_num
                for values in reader:
                    if len(values) == width:
                        yield dict(zip(columns, values, strict=True))
                    elif values:
                        raise ragged(values, columns, line + 1)
                    line = reader.line_num
            except UnicodeDecodeError as error:
                raise not_utf8(error, 0) from None  # read in blocks, so the line is unknown
            except csv.Error as error:
                raise badly_quoted(error, reader.line_num) from None

    def at(self, place: int) -> object:
        text = self._read(place)
        values = _quoted([text]) if '"' in text else text.rstrip("\r\n").split(",")
        if len(values) != len(self._columns):
            raise ragged(values, self._columns, 0)
        return dict(zip(self._columns, values, strict=True))

    def _spans(self, stream: BinaryIO) -> Iterator[tuple[int, int]]:
        offset = _skip_bom(stream)
        is_header = True
        for line in stream:
            length = len(line)
            if b'"' in line:
                length += _continued(line, stream)
            if line not in _BLANK:
                if not is_header:
                    yield offset, length
                is_header = False
            offset += length


class JsonLinesTable(_FileTable):
    """A file with one JSON value a line."""

    def stream(self) -> Iterator[object]:
        with self._path.open("rb") as stream:
            _skip_bom(stream)
            for number, line in enumerate(stream, 1):
                if not line.isspace():
                    yield json_value(line, number)

    def at(self, place: int) -> object:
        return json_value(self._read(place), 0)

    def _spans(self, stream: BinaryIO) -> Iterator[tuple[int, int]]:
        offset = _skip_bom(stream)
        for line in stream:
            if not line.isspace():
                yield offset, len(line)
            offset += len(line)


def open_table(path: str, kind: RowFormat, columns: Sequence[str]) -> Table:
    """Open a data file that was checked; its rows are kept in memory when they are few.

    Raises:
        OSError: It can't be had any more.
        RowFault: It is another one now.
    """
    if kind is RowFormat.JSON:
        return MemoryTable(read_json_list(Path(path)))
    table = CsvTable(path, columns) if kind is RowFormat.CSV else JsonLinesTable(path)
    if Path(path).stat().st_size > MAX_IN_MEMORY:
        return table
    return MemoryTable(list(table.stream()))


def read_json_list(path: Path) -> list[object]:
    """Return the list that a JSON file holds.

    Raises:
        OSError: It can't be read.
        RowFault: It holds something else.
    """
    rows = json_value(path.read_bytes().removeprefix(_BOM), 1)
    if not isinstance(rows, list):
        raise RowFault("the file must hold a list", line=1, hint="write `[…]` around the rows")
    return rows


def json_value(text: bytes | str, line: int) -> object:
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


def ragged(values: Sequence[str], columns: Sequence[str], line: int) -> RowFault:
    """Return the fault of a row with too many or too few values."""
    count, width = len(values), len(columns)
    return RowFault(
        f"the row has {count} value{'s' if count != 1 else ''}, the header names {width}",
        line=line,
        hint='a value with a comma in it is written "like, this"' if count > width else "",
    )


def not_utf8(error: UnicodeDecodeError, line: int) -> RowFault:
    """Return the fault of bytes that are no text."""
    message = f"byte 0x{error.object[error.start]:02x} is not UTF-8"
    return RowFault(message, line=line, hint="save the file as UTF-8")


def badly_quoted(error: csv.Error, line: int) -> RowFault:
    """Return what the CSV reader complains about, in words for authors of data."""
    said = str(error)
    if "unexpected end" in said or "field limit" in said:
        return RowFault('a `"` that opens a value is never closed', line=line)
    if "expected after" in said:
        hint = 'double the `"` inside a value, or remove it'
        return RowFault('text follows the `"` that closes a value', line=line, hint=hint)
    if "new-line" in said:
        return RowFault("a line ends in a bare carriage return", line=line, hint="use LF or CRLF")
    return RowFault(f"this is not CSV: {said}", line=line)


def _skip_header(reader: Iterator[list[str]]) -> None:
    for values in reader:
        if values:
            return


def _skip_bom(stream: BinaryIO) -> int:
    """Skip a byte order mark; returns the offset of what follows."""
    offset = len(_BOM) if stream.read(len(_BOM)) == _BOM else 0
    stream.seek(offset)
    return offset


def _continued(line: bytes, stream: BinaryIO) -> int:
    """Read on to the end of the row that begins with `line`; returns how many bytes that were."""
    taken = 0

    def lines() -> Iterator[str]:
        nonlocal taken
        yield line.decode("latin-1")  # only commas, quotes and line ends matter here
        for more in stream:
            taken += len(more)
            yield more.decode("latin-1")

    _quoted(lines())
    return taken


def _quoted(lines: Iterable[str]) -> list[str]:
    """Return the values of the first row."""
    try:
        return next(csv.reader(lines, strict=True))
    except csv.Error as error:
        raise badly_quoted(error, 0) from None

"""CSV files as data sources."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, Final

from planrunner.data.data_format import DataFormat
from planrunner.data.survey import Survey
from planrunner.data.tables import RowFault, not_utf8
from planrunner.data.text_files import TextTable, decoded_lines, skip_bom
from planrunner.language.files import MAX_SENT, open_file

__all__ = ["CSV", "CsvTable"]

_NUMBER: Final = re.compile(r"[-+]?[0-9]+([.][0-9]+)?")


class CsvTable(TextTable):
    """A CSV file (RFC 4180): commas, `"` around values, its first row names the columns."""

    def __init__(self, path: Path, columns: Sequence[str]) -> None:
        super().__init__(path)
        self._columns = tuple(columns)

    def stream(self) -> Iterator[object]:
        columns, width = self._columns, len(self._columns)
        # Lines end where bytes say so: a carriage return alone is no line end, as in `places`.
        file = open_file(self.path, most=MAX_SENT)
        with io.TextIOWrapper(file, encoding="utf-8-sig", newline="\n") as text:
            rows = _rows(text)
            try:
                next(rows, None)
                for line, values in rows:
                    if len(values) != width:
                        raise _ragged(values, columns, line)
                    yield dict(zip(columns, values, strict=True))
            except UnicodeDecodeError as error:
                raise not_utf8(error, 0) from None  # read in blocks, so the line is unknown

    def at(self, place: int) -> object:
        text = self.read(place)
        values = _split(text, 0) if '"' in text else _trimmed(text.rstrip("\r\n").split(","))
        if len(values) != len(self._columns):
            raise _ragged(values, self._columns, 0)
        return dict(zip(self._columns, values, strict=True))

    def spans(self, stream: BinaryIO) -> Iterator[tuple[int, int]]:
        offset = skip_bom(stream)
        is_header = True
        for line in stream:
            length = len(line)
            if b'"' in line:
                length += _continued(line, stream)
            if line.strip(b"\r\n"):  # not blank, as `_rows` reads it
                if not is_header:
                    yield offset, length
                is_header = False
            offset += length


def _survey(path: Path, most: int | None) -> Survey:
    with open_file(path, most=MAX_SENT) as stream:
        return _survey_lines(decoded_lines(stream), most)


def _survey_lines(lines: Iterator[str], most: int | None) -> Survey:
    found = _rows(lines)
    line, names = next(found, (1, []))
    columns = _header(names)
    rows = 0
    for line, values in found:
        if rows == most:
            return Survey(columns, rows, is_complete=False)
        if len(values) != len(columns):
            raise _ragged(values, columns, line)
        rows += 1
    if not rows:
        raise RowFault("there are no rows below the header", line=line)
    return Survey(columns, rows)


def _header(names: Sequence[str]) -> tuple[str, ...]:
    if not names:
        hint = "its first line names the columns"
        raise RowFault("the file is empty", line=1, hint=hint)
    seen: set[str] = set()
    for number, name in enumerate(names, 1):
        if not name:
            raise RowFault(f"column {number} has no name", line=1)
        if name in seen:
            raise RowFault(f"two columns are called `{name}`", line=1, hint="rename one of them")
        if _NUMBER.fullmatch(name):
            hint = "write the names of the columns into the first line"
            raise RowFault(f"`{name}` can't be a column's name", line=1, hint=hint)
        seen.add(name)
    if len(names) == 1 and re.search("[;\t|]", names[0]):
        raise RowFault("the columns are not separated by commas", line=1)
    return tuple(names)


def _ragged(values: Sequence[str], columns: Sequence[str], line: int) -> RowFault:
    """Return the fault of a row with too many or too few values."""
    count, width = len(values), len(columns)
    return RowFault(
        f"the row has {count} value{'s' if count != 1 else ''}, but the header names {width}",
        line=line,
        hint='a value with a comma in it is written "like, this"'
        if count > width
        else "write nothing between two commas where a row has no value: `a,,c`",
    )


def _badly_quoted(error: csv.Error, line: int) -> RowFault:
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


def _continued(line: bytes, stream: BinaryIO) -> int:
    """Read on to the end of the row that begins with `line`; returns how many bytes that were."""
    taken = 0

    def lines() -> Iterator[str]:
        nonlocal taken
        yield line.decode("latin-1")  # only commas, quotes and line ends matter here
        for more in stream:
            taken += len(more)
            yield more.decode("latin-1")

    for _ in _rows(lines()):
        break
    return taken


def _rows(lines: Iterable[str]) -> Iterator[tuple[int, list[str]]]:
    """Yield each row with the line in which it begins; spaces around values are no part of them."""
    taken: list[str] = []

    def kept() -> Iterator[str]:
        for line in lines:
            taken.append(line)
            yield line

    # It finds where rows end. What is quoted in them is read anew: it doesn't tell what was.
    reader = csv.reader(kept(), skipinitialspace=True)
    line = 0
    try:
        for values in reader:
            text = taken[0] if len(taken) == 1 else "".join(taken)
            taken.clear()
            if values:
                yield line + 1, _split(text, line + 1) if '"' in text else _trimmed(values)
            line = reader.line_num
    except csv.Error as error:
        raise _badly_quoted(error, reader.line_num) from None


def _trimmed(values: Iterable[str]) -> list[str]:
    return [value.strip() for value in values]


_VALUE: Final = re.compile(r' *(?:"((?:[^"]|"")*)"[ \t]*|((?!")[^,\r\n]*))(,|\r?\n|\Z)')


def _split(text: str, line: int) -> list[str]:
    """Return the values of a row in which something is quoted; that keeps its spaces."""
    values, at, mark = [], 0, ","
    while mark == ",":
        found = _VALUE.match(text, at)
        if found is None:
            raise _badly_quoted(_complaint(text), line)
        quoted, plain, mark = found.groups()
        values.append(plain.strip() if quoted is None else quoted.replace('""', '"'))
        at = found.end()
    return values


def _complaint(text: str) -> csv.Error:
    """Return what the CSV reader says of a row that it refuses when it is strict."""
    try:
        next(csv.reader(io.StringIO(text, newline=""), strict=True, skipinitialspace=True))
    except csv.Error as error:
        return error
    return csv.Error("its quotes can't be read")


CSV: Final = DataFormat(
    "csv",
    description="A CSV file; its first line names the columns.",
    example="data/users.csv",
    survey=_survey,
    open_rows=CsvTable,
)

"""CSV files as data sources."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import BinaryIO, Final

from planrunner.data.data_format import DataFormat
from planrunner.data.layout import PLAIN, Layout
from planrunner.data.survey import Survey
from planrunner.data.tables import RowFault, not_utf8
from planrunner.data.text_files import TextTable, decoded_lines, skip_bom
from planrunner.language.files import MAX_SENT, open_file
from planrunner.late_pattern import late_pattern

__all__ = ["CSV", "CsvTable", "column_fault", "shown_delimiter"]

_NUMBER: Final = late_pattern(r"[-+]?[0-9]+([.][0-9]+)?")


class CsvTable(TextTable):
    """A CSV file (RFC 4180): `"` around values, and as its layout says for the rest."""

    def __init__(self, path: Path, columns: Sequence[str], layout: Layout = PLAIN) -> None:
        super().__init__(path)
        self._columns = tuple(columns)
        self._layout = layout

    def stream(self) -> Iterator[object]:
        columns, width = self._columns, len(self._columns)
        # Lines end where bytes say so: a carriage return alone is no line end, as in `places`.
        file = open_file(self.path, most=MAX_SENT)
        with io.TextIOWrapper(file, encoding="utf-8-sig", newline="\n") as text:
            rows = _rows(text, self._layout)
            try:
                if not self._layout.columns:
                    next(rows, None)
                for line, values in rows:
                    if len(values) != width:
                        raise self._ragged(values, line)
                    yield dict(zip(columns, values, strict=True))
            except UnicodeDecodeError as error:
                raise not_utf8(error, 0) from None  # read in blocks, so the line is unknown

    def at(self, place: int) -> object:
        text, mark = self.read(place), self._layout.delimiter
        values = _split(text, 0, mark) if '"' in text else _trimmed(text.rstrip("\r\n").split(mark))
        if len(values) != len(self._columns):
            raise self._ragged(values, 0)
        return dict(zip(self._columns, values, strict=True))

    def spans(self, stream: BinaryIO) -> Iterator[tuple[int, int]]:
        offset, skipped = skip_bom(stream), self._layout.comment.encode()
        is_header = not self._layout.columns
        for line in stream:
            length = len(line)
            if not (skipped and line.startswith(skipped)):
                if b'"' in line:
                    length += _continued(line, stream, self._layout)
                if line.strip(b"\r\n"):  # not blank, as `_rows` reads it
                    if not is_header:
                        yield offset, length
                    is_header = False
            offset += length

    def _ragged(self, values: Sequence[str], line: int) -> RowFault:
        return _ragged(values, self._columns, line, self._layout)


def _survey(path: Path, most: int | None, layout: Layout = PLAIN) -> Survey:
    with open_file(path, most=MAX_SENT) as stream:
        return _survey_lines(decoded_lines(stream), most, layout)


def _survey_lines(lines: Iterator[str], most: int | None, layout: Layout = PLAIN) -> Survey:
    found = _rows(lines, layout)
    line, columns = 1, layout.columns
    if not columns:
        line, names = next(found, (1, []))
        columns = _header(names, line, layout)
    rows = 0
    for line, values in found:
        if rows == most:
            return Survey(columns, rows, is_complete=False)
        if len(values) != len(columns):
            raise _ragged(values, columns, line, layout)
        if not rows and layout.columns == tuple(values):
            hint = "leave out `columns`, which is for files without that line"
            raise RowFault("the line names the columns, as `columns` does", line=line, hint=hint)
        rows += 1
    if not rows:
        raise RowFault(
            f"there are no rows{'' if layout.columns else ' below the header'}", line=line
        )
    return Survey(columns, rows)


def column_fault(names: Sequence[str]) -> tuple[int, str, str] | None:
    """Return which name can't be a column's, why, and what to do; None when all can."""
    seen: set[str] = set()
    for index, name in enumerate(names):
        if not name:
            return index, f"column {index + 1} has no name", ""
        if name in seen:
            return index, f"two columns are called `{name}`", "rename one of them"
        if _NUMBER.fullmatch(name):
            return index, f"`{name}` can't be a column's name", ""
        seen.add(name)
    return None


def _header(names: Sequence[str], line: int, layout: Layout) -> tuple[str, ...]:
    if not names:
        hint = "its first line names the columns"
        raise RowFault("the file is empty", line=line, hint=hint)
    if fault := column_fault(names):
        _index, message, hint = fault
        if "can't be" in message:
            hint = f"name them in the first line, or in the plan: `{_columns_for(names)}`"
        raise RowFault(message, line=line, hint=hint)
    if len(names) == 1 and (other := re.search("[,;\t|]", names[0])):
        by = "commas" if layout.delimiter == "," else shown_delimiter(layout.delimiter)
        hint = f"write `delimiter: {shown_delimiter(other[0])}`"
        raise RowFault(f"the columns are not separated by {by}", line=line, hint=hint)
    return tuple(names)


def _columns_for(names: Sequence[str]) -> str:
    """Return the key for a file without a header, with as many names as it has columns."""
    some = [f"c{number}" for number in range(1, min(len(names), 4) + 1)]
    return f"columns: [{', '.join(some)}{', …' if len(names) > len(some) else ''}]"


def shown_delimiter(mark: str) -> str:
    """Return a delimiter as plans write it."""
    return "tab" if mark == "\t" else f'"{mark}"'


def _ragged(values: Sequence[str], columns: Sequence[str], line: int, layout: Layout) -> RowFault:
    """Return the fault of a row with too many or too few values."""
    count, width = len(values), len(columns)
    says = "`columns`" if layout.columns else "the header"
    message = f"the row has {count} value{'s' if count != 1 else ''}, but {says} names {width}"
    hint = _hint_for_many(layout.delimiter) if count > width else _hint_for_few(layout.delimiter)
    if count == 1 and (other := _other_delimiter(values[0], width)):
        hint = f"write `delimiter: {shown_delimiter(other)}`"
    if not layout.comment and (values[0].startswith("#") or columns[0].startswith("#")):
        hint = 'lines that begin with `#` are skipped with `comment: "#"`'
    return RowFault(message, line=line, hint=hint)


def _other_delimiter(text: str, width: int) -> str:
    """Return what would make `width` values of a text, if one does."""
    return next((mark for mark in ",;\t|" if text.count(mark) == width - 1), "")


def _hint_for_many(mark: str) -> str:
    what = {",": "comma", "\t": "tab"}.get(mark, f"`{mark}`")
    return f'a value with a {what} in it is written "like{mark} this"'.replace("\t", "<tab>")


def _hint_for_few(mark: str) -> str:
    what = {",": "commas", "\t": "tabs"}.get(mark, f"`{mark}`")
    example = f": `a{mark}{mark}c`" if mark.isprintable() else ""
    return f"write nothing between two {what} where a row has no value{example}"


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


def _continued(line: bytes, stream: BinaryIO, layout: Layout) -> int:
    """Read on to the end of the row that begins with `line`; returns how many bytes that were."""
    taken = 0

    def lines() -> Iterator[str]:
        nonlocal taken
        yield line.decode(errors="surrogateescape")  # only marks, quotes and line ends matter here
        for more in stream:
            taken += len(more)
            yield more.decode(errors="surrogateescape")

    for _ in _rows(lines(), layout):
        break
    return taken


def _rows(lines: Iterable[str], layout: Layout) -> Iterator[tuple[int, list[str]]]:
    """Yield each row with the line in which it begins; spaces around values are no part of them."""
    taken: list[str] = []
    mark, comment = layout.delimiter, layout.comment
    read = 0

    def kept() -> Iterator[str]:
        nonlocal read
        for line in lines:
            read += 1
            if comment and not taken and line.startswith(comment):
                continue
            taken.append(line)
            yield line

    # It finds where rows end. What is quoted in them is read anew: it doesn't tell what was.
    reader = csv.reader(kept(), delimiter=mark, skipinitialspace=True)
    try:
        for values in reader:
            line = read - len(taken) + 1
            text = taken[0] if len(taken) == 1 else "".join(taken)
            taken.clear()
            if values:
                yield line, _split(text, line, mark) if '"' in text else _trimmed(values)
    except csv.Error as error:
        raise _badly_quoted(error, read) from None


def _trimmed(values: Iterable[str]) -> list[str]:
    return [value.strip() for value in values]


@cache
def _value_pattern(mark: str) -> re.Pattern[str]:
    """Return what a value and the mark behind it look like."""
    mark, blanks = re.escape(mark), " " if mark == "\t" else " \t"
    return re.compile(rf' *(?:"((?:[^"]|"")*)"[{blanks}]*|((?!")[^{mark}\r\n]*))({mark}|\r?\n|\Z)')


def _split(text: str, line: int, delimiter: str) -> list[str]:
    """Return the values of a row in which something is quoted; that keeps its spaces."""
    values, at, mark, pattern = [], 0, delimiter, _value_pattern(delimiter)
    while mark == delimiter:
        found = pattern.match(text, at)
        if found is None:
            raise _badly_quoted(_complaint(text, delimiter), line)
        quoted, plain, mark = found.groups()
        values.append(plain.strip() if quoted is None else quoted.replace('""', '"'))
        at = found.end()
    return values


def _complaint(text: str, mark: str) -> csv.Error:
    """Return what the CSV reader says of a row that it refuses when it is strict."""
    lines = io.StringIO(text, newline="")
    try:
        next(csv.reader(lines, strict=True, delimiter=mark, skipinitialspace=True))
    except csv.Error as error:
        return error
    return csv.Error("its quotes can't be read")


def _laid_out(layout: Layout) -> DataFormat:
    return replace(
        CSV, survey=partial(_survey, layout=layout), open_rows=partial(CsvTable, layout=layout)
    )


CSV: Final = DataFormat(
    "csv",
    description="A CSV file; its first line names the columns, unless `columns` does.",
    example="data/users.csv",
    survey=_survey,
    open_rows=CsvTable,
    laid_out=_laid_out,
)

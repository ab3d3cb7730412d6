"""Avro files as data sources: read a block of rows at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, Final

from planrunner.data.data_format import DataFormat
from planrunner.data.spooled import StreamedTable
from planrunner.data.survey import ColumnNames, Survey
from planrunner.data.tables import RowFault, first_line
from planrunner.extras import need
from planrunner.language.expressions.plain import plain
from planrunner.language.files import MAX_SENT, open_file

__all__ = ["AVRO"]

_CUT_SHORT: Final = "it ends too early"
"""What an error without words means."""

_MOST_KEPT: Final = 200_000
"""Bytes of a file whose rows are kept: its blocks may be compressed ten times."""


def _reader(stream: BinaryIO) -> Any:  # noqa: ANN401 - fastavro has no types
    """Return what reads the file, once its head was understood.

    Raises:
        RowFault: It is no Avro file.
        PackageMissing: fastavro is not installed.
    """
    need("fastavro", "`avro`")
    import fastavro  # noqa: PLC0415 - seldom used

    try:
        return fastavro.reader(stream)
    except Exception as error:  # noqa: BLE001 - whatever broken bytes lead to
        message = f"this is not an Avro file: {first_line(error, _CUT_SHORT)}"
        raise RowFault(message, hint="make it again: it is damaged, or of another format") from None


def _rows(path: Path) -> Iterator[object]:
    with open_file(path, most=MAX_SENT) as stream:
        reader, row = _reader(stream), 0
        while True:
            row += 1
            try:
                value = next(reader)
            except StopIteration:
                return
            except Exception as error:  # noqa: BLE001 - whatever broken bytes lead to
                message = f"row {row:,} can't be read: {first_line(error, _CUT_SHORT)}"
                raise RowFault(message, hint="the file is damaged: make it again") from None
            yield plain(value)


def _survey(path: Path, most: int | None) -> Survey:
    columns, count = ColumnNames(), 0
    for row in _rows(path):
        if count == most:
            return Survey(columns.found(), count, is_complete=False)
        count += 1
        columns.add(row, f"row {count}", 0)
    return Survey(columns.found(), count)


def _open(path: Path, columns: Sequence[str]) -> StreamedTable:
    del columns  # the file names them
    return StreamedTable(partial(_rows, path))


def _size(path: Path) -> int:
    """Return more than the rows take that are kept in memory, unless the file is small."""
    size = path.stat().st_size
    return size if size <= _MOST_KEPT else 100 * size


AVRO: Final = DataFormat(
    "avro",
    description="An Avro file; its columns have the types that the file says.",
    example="data/users.avro",
    survey=_survey,
    open_rows=_open,
    size=_size,
)

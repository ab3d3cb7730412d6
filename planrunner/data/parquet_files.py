"""Parquet files as data sources: read a batch of rows at a time."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, Final

from planrunner.data.data_format import DataFormat
from planrunner.data.spooled import StreamedTable
from planrunner.data.survey import Survey
from planrunner.data.tables import RowFault, first_line
from planrunner.extras import need
from planrunner.language.expressions.plain import plain
from planrunner.language.files import MAX_SENT, open_file

__all__ = ["PARQUET"]

_BATCH: Final = 4_096
_MOST_CHECKED: Final = 100_000
"""Rows that are read before the run; how many there are, and of which columns, the file says."""

_BYTES_OF_ROW: Final = 16
"""At least, in memory: a column with one value for all rows takes no room in a file."""


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """Open a file for a block.

    Raises:
        FileFault: It can't be read.
        RowFault: It is no Parquet file.
        PackageMissing: pyarrow is not installed.
    """
    need("pyarrow", "`parquet`")
    import pyarrow.parquet  # noqa: PLC0415 - seldom used

    with open_file(path, most=MAX_SENT) as stream:
        try:
            file = pyarrow.parquet.ParquetFile(stream)
        except (OSError, ValueError) as error:  # pyarrow's own errors are both
            message = f"this is not a Parquet file: {first_line(error)}"
            hint = "make it again: it is damaged, or of another format"
            raise RowFault(message, hint=hint) from None
        yield file


def _rows(path: Path) -> Generator[object, None, None]:
    row = 0
    with _opened(path) as file:
        try:
            for batch in file.iter_batches(_BATCH):
                for values in batch.to_pylist():
                    yield plain(values)
                row += batch.num_rows
        except (OSError, ValueError, OverflowError) as error:
            message = f"the rows from {row + 1:,} on can't be read: {first_line(error)}"
            raise RowFault(message, hint="the file is damaged: make it again") from None


def _survey(path: Path, most: int | None) -> Survey:
    with _opened(path) as file:
        columns = tuple(file.schema_arrow.names)
        count = file.metadata.num_rows
    if not columns:
        raise RowFault("the file has no columns")
    if not count:
        raise RowFault("there are no rows")
    for name in columns:
        if columns.count(name) > 1:
            raise RowFault(f"two columns are called `{name}`", hint="rename one of them")
    rows = _rows(path)
    for _ in islice(rows, most or _MOST_CHECKED):
        pass
    rows.close()
    return Survey(columns, count)


def _size(path: Path) -> int:
    with _opened(path) as file:
        groups = range(file.metadata.num_row_groups)
        size: int = sum(file.metadata.row_group(group).total_byte_size for group in groups)
        rows: int = file.metadata.num_rows
    return max(size, rows * _BYTES_OF_ROW)


def _open(path: Path, columns: Sequence[str]) -> StreamedTable:
    del columns  # the file names them
    return StreamedTable(partial(_rows, path))


PARQUET: Final = DataFormat(
    "parquet",
    description="A Parquet file; its columns have the types that the file says.",
    example="data/users.parquet",
    survey=_survey,
    open_rows=_open,
    size=_size,
)

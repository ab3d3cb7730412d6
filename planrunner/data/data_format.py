"""The contract of a file format for test data, and how its files are surveyed and opened."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from planrunner.data.layout import Layout
from planrunner.data.survey import Survey
from planrunner.data.tables import MemoryTable, Table
from planrunner.language.files import MAX_SENT, check_file
from planrunner.values import dataclass

__all__ = ["DataFormat", "open_table", "survey"]

_LARGE: Final = 50_000_000
"""Bytes of a file that is not read to its end: checking a plan must not take minutes."""

_FIRST_ROWS: Final = 10_000
"""How many rows of a large file are checked."""

_MAX_IN_MEMORY: Final = 2_000_000
"""Bytes of a file whose rows are kept as they are read: ten times that as Python objects."""


@dataclass(frozen=True, slots=True)
class DataFormat:
    """A kind of file that a data source can read.

    A package that only some formats need is imported by the two functions, not by their module:
    every plan with a data source imports the modules of all formats.

    Attributes:
        key: What plans name the file under.
        description: One sentence, for editors and the reference page.
        example: A file of the format, as plans name it.
        survey: Checks a file without keeping it, to its end or as many rows as it is given. Raises
            FileFault or OSError when the file can't be read, and RowFault when something is wrong
            with it, and PackageMissing without the package that reads it.
        open_rows: Opens a checked file that has these columns. Raises as `survey` does: it may be
            another file now.
        laid_out: Returns the format of files that have another layout; None when a file of this
            format says itself how it is laid out.
        size: How many bytes the rows of a file take as they are read: those of the file, unless it
            is packed.
    """

    key: str
    description: str
    example: str
    survey: Callable[[Path, int | None], Survey]
    open_rows: Callable[[Path, Sequence[str]], Table]
    laid_out: Callable[[Layout], DataFormat] | None = None
    size: Callable[[Path], int] = lambda path: path.stat().st_size


def survey(path: Path, of: DataFormat, *, most: int = _FIRST_ROWS) -> Survey:
    """Check a data file without keeping it; of a large one the first `most` rows.

    Raises:
        FileFault, OSError: It can't be read.
        RowFault: Something is wrong with it.
    """
    size = check_file(path, most=MAX_SENT).st_size
    return of.survey(path, most if size > _LARGE else None)


def open_table(path: Path, of: DataFormat, columns: Sequence[str]) -> Table:
    """Open a data file that was checked; its rows are kept in memory when they are few.

    Raises:
        FileFault, OSError: It can't be had any more.
        RowFault: It is another one now.
    """
    table = of.open_rows(path, columns)
    if of.size(path) > _MAX_IN_MEMORY:
        return table
    try:
        return MemoryTable(list(table.stream()))
    finally:
        table.close()

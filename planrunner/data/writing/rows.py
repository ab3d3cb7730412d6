"""What writers of all formats have in common: rows in blocks, and values as files have them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import BinaryIO, Final

from planrunner.data.tables import RowFault, first_line
from planrunner.values import dataclass

__all__ = [
    "FileFormat",
    "RowBlock",
    "WrittenRows",
    "in_groups",
    "plain_columns",
    "plain_value",
    "unfit",
]

RowBlock = Sequence[Sequence[object]]
"""Some hundred rows, each with its values in the order of the columns."""


@dataclass(frozen=True, slots=True)
class WrittenRows:
    """Rows to write.

    Attributes:
        name: Of the source.
        blocks: The rows, in order; read once.
        marker: 16 bytes that come from the seed.
    """

    name: str
    columns: tuple[str, ...]
    blocks: Iterator[RowBlock]
    marker: bytes


@dataclass(frozen=True, slots=True)
class FileFormat:
    """A kind of file that rows can be written to.

    Attributes:
        key: What plans call it; also what the file's name ends with.
        is_text: Whether people can read it.
        write: Writes all rows. Raises RowFault for rows that don't fit, OSError for a full disk.
        check: Raises RowFault when no file can have these columns, and PackageMissing without the
            package that writes it.
    """

    key: str
    is_text: bool
    write: Callable[[BinaryIO, WrittenRows], None]
    check: Callable[[Sequence[str]], None] = lambda _: None


def plain_value(value: object) -> object:
    """Return what JSON has as well, for what expressions give beside it."""
    if isinstance(value, bytes | bytearray):
        return value.decode()
    if isinstance(value, Mapping):
        return {str(key): plain_value(item) for key, item in value.items()}
    if isinstance(value, list | tuple | range | set | frozenset):
        return [plain_value(item) for item in value]
    return value


_PLAIN: Final = frozenset({bool, int, float, str, type(None)})


def plain_columns(group: RowBlock, width: int) -> list[Sequence[object]]:
    """Return the columns of some rows, of plain values."""
    columns: list[Sequence[object]] = [*zip(*group, strict=True)] or [()] * width
    return [
        column if _PLAIN.issuperset(map(type, column)) else [*map(plain_value, column)]
        for column in columns
    ]


def unfit(first: int, count: int, error: Exception | str) -> RowFault:
    """Return the fault of a block of rows of which one can't be written."""
    rows = f"rows {first:,} to {first + count - 1:,}" if count > 1 else f"row {first:,}"
    return RowFault(f"{rows} can't be written: {first_line(error)}")


def in_groups(blocks: Iterator[RowBlock], size: int) -> Iterator[list[Sequence[object]]]:
    """Yield the rows in lists of about `size`; at least one list."""
    group: list[Sequence[object]] = []
    is_first = True
    for block in blocks:
        group += block
        if len(group) >= size:
            yield group
            group, is_first = [], False
    if group or is_first:
        yield group

"""The rows of data sources: read one after the other, or by the place of each."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from typing import Protocol

from planrunner.errors import PlanrunnerError

__all__ = ["AllRows", "MemoryTable", "RowFault", "Table", "first_line", "not_utf8"]


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


class AllRows(tuple[object, ...]):
    """All rows of a source, in order: the same object for all that read them, which change none."""

    __slots__ = ()


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


def not_utf8(error: UnicodeDecodeError, line: int) -> RowFault:
    """Return the fault of bytes that are not text."""
    message = f"byte 0x{error.object[error.start]:02x} is not UTF-8"
    return RowFault(message, line=line, hint="save the file as UTF-8")


def first_line(error: Exception | str, otherwise: str = "") -> str:
    """Return what another library says is wrong, to stand within a sentence.

    Of an error that says nothing, `otherwise`, or its type.
    """
    lines = str(error).strip().splitlines() or [otherwise or type(error).__name__]
    return lines[0].rstrip(".")

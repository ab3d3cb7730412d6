"""What is known of the rows of a source before the run: columns, and how many there are."""

from __future__ import annotations

from collections.abc import Iterable

from planrunner.data.tables import RowFault
from planrunner.values import dataclass

__all__ = ["ColumnNames", "Survey", "columns_of"]


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


def columns_of(rows: Iterable[object]) -> tuple[str, ...]:
    """Return the columns of rows that are all mappings; empty when they are all plain values.

    Raises:
        RowFault: There are both, or no rows.
    """
    columns = ColumnNames()
    for number, row in enumerate(rows, 1):
        columns.add(row, f"row {number}", 0)
    return columns.found()


class ColumnNames:
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
                f"{which} has {kinds[is_mapping]}, but the rows before have "
                f"{kinds[not is_mapping]}",
                line=line,
            )
        if isinstance(row, dict):
            self._names.update(dict.fromkeys(map(str, row)))

    def found(self) -> tuple[str, ...]:
        if self._are_mappings is None:
            raise RowFault("there are no rows")
        return tuple(self._names)

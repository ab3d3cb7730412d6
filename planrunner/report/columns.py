"""Tables for terminals: the least important columns go first when there is too little room."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rich.cells import cell_len
from rich.text import Text

from planrunner.report.plain import shorten
from planrunner.values import dataclass

__all__ = ["Column", "table"]

_GAP: Final = "  "


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table.

    Attributes:
        cells: From the top.
        styles: One for each cell; empty for none.
        rank: Of two columns, the one with the higher rank is left out first; 0 always stays.
        floor: It may be cut down to this many cells; 0 never is, and stands flush right.
    """

    title: str
    cells: Sequence[str]
    styles: Sequence[str] = ()
    rank: int = 0
    floor: int = 0

    @property
    def natural(self) -> int:
        return max(map(cell_len, (self.title, *self.cells)))

    @property
    def least(self) -> int:
        return min(self.natural, self.floor) if self.floor else self.natural


def table(columns: Sequence[Column], width: int) -> list[Text]:
    """Return the header and a line for each cell of `columns`, each at most `width` cells wide."""
    shown = [column for column in columns if any(column.cells) or not column.rank]
    while len(shown) > 1 and _total([column.least for column in shown]) > width:
        last = max(shown, key=lambda column: column.rank)
        if not last.rank:
            break
        shown.remove(last)
    widths = _widths(shown, width)
    header = _line([(column.title, "dim") for column in shown], shown, widths)
    return [header, *(_row(shown, widths, n) for n in range(len(shown[0].cells)))]


def _total(widths: Sequence[int]) -> int:
    return sum(widths) + len(_GAP) * (len(widths) - 1)


def _widths(columns: Sequence[Column], width: int) -> list[int]:
    """Give what is left over to the columns that were cut, the first ones first."""
    widths = [column.least for column in columns]
    left = width - _total(widths)
    for n, column in enumerate(columns):
        more = min(column.natural - widths[n], max(left, 0))
        widths[n] += more
        left -= more
    return widths


def _row(columns: Sequence[Column], widths: Sequence[int], n: int) -> Text:
    cells = [(column.cells[n], column.styles[n] if column.styles else "") for column in columns]
    return _line(cells, columns, widths)


def _line(
    cells: Sequence[tuple[str, str]], columns: Sequence[Column], widths: Sequence[int]
) -> Text:
    line = Text()
    for (cell, style), column, width in zip(cells, columns, widths, strict=True):
        shown = shorten(cell, width)
        space = " " * (width - cell_len(shown))
        line.append(_GAP if line else "")
        line.append("" if column.floor else space)
        line.append(shown, style=style)
        line.append(space if column.floor else "")
    line.rstrip()
    return line

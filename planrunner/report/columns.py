"""Tables for terminals: the least important columns go first when there is too little room."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from planrunner.report.distinct import fold_each, shorten_each
from planrunner.report.plain import shorten
from planrunner.values import dataclass

__all__ = ["Column", "blocks", "room_of", "table"]

_GAP: Final = "  "
# Nothing of a log is cut: what is searched for in it stands on one line.
_OF_A_LOG: Final = 10_000


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table.

    Attributes:
        cells: From the top.
        styles: One for each cell; empty for none.
        rank: Of two columns, the one with the higher rank is left out first; 0 always stays.
        floor: It may be cut down to this many cells; 0 never is, and stands flush right.
        usual: How wide it is as a rule: what decides in `blocks` whether there is room for it.
    """

    title: str
    cells: Sequence[str]
    styles: Sequence[str] = ()
    rank: int = 0
    floor: int = 0
    usual: int = 0

    @property
    def natural(self) -> int:
        return max(map(cell_len, (self.title, *self.cells)))

    @property
    def least(self) -> int:
        return min(self.natural, self.floor) if self.floor else self.natural


def room_of(console: Console) -> int:
    """Return how many cells a line may have; without a terminal there is room for all."""
    return max(console.width - 1, 20) if console.is_terminal else _OF_A_LOG


def table(columns: Sequence[Column], width: int) -> list[Text]:
    """Return the header and a line for each cell of `columns`, each at most `width` cells wide."""
    shown = [column for column in columns if any(column.cells) or not column.rank]
    while len(shown) > 1 and _total([column.least for column in shown]) > width:
        last = max(shown, key=lambda column: column.rank)
        if not last.rank:
            break
        shown.remove(last)
    widths = _widths(shown, width)
    titles = [shorten(column.title, width) for column, width in zip(shown, widths, strict=True)]
    header = _line([(title, "dim") for title in titles], shown, widths)
    fitting = [_fitted(column, width) for column, width in zip(shown, widths, strict=True)]
    return [header, *(_row(fitting, widths, n) for n in range(len(shown[0].cells)))]


def _fitted(column: Column, width: int) -> Column:
    return replace(column, cells=shorten_each(column.cells, width))


def blocks(columns: Sequence[Column], width: int | None) -> list[list[Text]]:
    """Return the lines of the header, then those of each row; nothing is cut.

    What does not fit into the first column stands on lines of its own, above the rest of its row;
    without a terminal it pushes the rest aside, so that a line of a log has all of a row.
    Which columns there are follows from `width` alone, as long as no figure is unusually wide.

    Args:
        columns: The first one has the names.
        width: Of the terminal; None where there is none, so that nothing needs to be folded.
    """
    shown = [*columns]
    for size in (_usual, _least):
        while width is not None and _total([size(column) for column in shown]) > width:
            last = max(shown, key=lambda column: column.rank)
            if not last.rank:
                break
            shown.remove(last)
    names, *rest = shown
    others = [column.natural for column in rest]
    room = _WIDEST_NAME if width is None else max(width - _total([0, *others]), names.least)
    widths = [max(cell_len(names.title), min(names.natural, room)), *others]
    header = _line([(column.title, "dim") for column in shown], shown, widths)
    folded: Sequence[Sequence[str] | None]
    folded = [None] * len(names.cells) if width is None else _folded(names.cells, width)
    return [[header], *(_block(shown, widths, n, lines) for n, lines in enumerate(folded))]


def _folded(names: Sequence[str], width: int) -> list[list[str]]:
    """Return the lines of each name; those of one with an indent are indented."""
    indents = [len(name) - len(name.lstrip()) for name in names]
    found = fold_each(names, [width - indent for indent in indents], most=_MOST_LINES)
    return [
        [f"{' ' * indent}{line.strip()}" for line in lines]
        for indent, lines in zip(indents, found, strict=True)
    ]


_WIDEST_NAME: Final = 60
_MOST_LINES: Final = 8  # of one name on a terminal: it may have thousands of letters


def _usual(column: Column) -> int:
    return max(column.usual, cell_len(column.title))


def _least(column: Column) -> int:
    return column.least


def _block(
    columns: Sequence[Column], widths: Sequence[int], n: int, folded: Sequence[str] | None
) -> list[Text]:
    """Return the lines of a row: of its name, if that is too long, and of its figures.

    None is for a log, which has all of a row on one line.
    """
    names = columns[0]
    name, style = names.cells[n], names.styles[n] if names.styles else ""
    if folded is None or cell_len(name) <= widths[0]:
        return [_row(columns, [max(widths[0], cell_len(name)), *widths[1:]], n)]
    lines = [Text(line, style=style) for line in folded]
    figures = [("", ""), *((c.cells[n], c.styles[n] if c.styles else "") for c in columns[1:])]
    return [*lines, _line(figures, columns, widths)]


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
        space = " " * (width - cell_len(cell))
        line.append(_GAP if column is not columns[0] else "")
        line.append("" if column.floor else space)
        line.append(cell, style=style)
        line.append(space if column.floor else "")
    line.rstrip()
    return line

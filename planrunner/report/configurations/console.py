"""Configurations on the console: who is best, and the figures of each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.text import Text

from planrunner.report.columns import Column, room_of, table
from planrunner.report.configurations.rows import (
    BEST,
    ConfigurationCell,
    ConfigurationSection,
    headline,
    left_requests,
    legend,
    sections_of,
)
from planrunner.report.plain import plain
from planrunner.results.configurations.model import ConfigurationTable
from planrunner.units import format_count

__all__ = ["configuration_lines", "print_configurations"]


def print_configurations(found: ConfigurationTable, console: Console) -> None:
    """Print who is best, and the figures of each; requests in which none is are counted."""
    word, words = headline(found)
    style = "green" if found.best is not None else "bold"
    badge = Text(f" {word.upper()} ", style=f"reverse {style}")
    console.print()
    console.print(Text.assemble(badge, f" {words}"), soft_wrap=True)
    if not (found.differences or found.remarks):
        console.print()
    for line in configuration_lines(found, room_of(console)):
        console.print(line, soft_wrap=True)
    console.print()


def configuration_lines(found: ConfigurationTable, width: int) -> Iterator[Text]:
    """Yield what differs, the table of each request, and what its marks mean."""
    for difference in found.differences:
        yield Text(f" {plain(difference)}", style="bold red")
    for remark in found.remarks:
        yield Text(f" note: {plain(remark)}", style="yellow")
    if found.differences or found.remarks:
        yield Text()
    sections = sections_of(found)
    for line in table(_columns(sections), width - 1):
        yield Text(" ") + line
    for words in legend(found):
        yield Text(f" {words}", style="dim")
    if left := left_requests(found):
        yield Text(f" {format_count(left, 'request')} in which none is better", style="dim")


def _columns(sections: Sequence[ConfigurationSection]) -> list[Column]:
    rows = [row for one in sections for row in one.rows]
    requests = [one.title if n == 0 else "" for one in sections for n, _ in enumerate(one.rows)]
    columns = [
        Column("request", requests, rank=1 if len(sections) == 1 else 0, floor=14),
        Column(
            "configuration",
            [f"{row.name} {row.mark}".rstrip() for row in rows],
            ["green" if row.mark else "" for row in rows],
            floor=16,
        ),
    ]
    if any(row.values for row in rows):
        columns.append(Column("with", [row.values for row in rows], rank=9, floor=12))
    return [*columns, *_figures(sections)]


def _figures(sections: Sequence[ConfigurationSection]) -> Iterator[Column]:
    """Yield a column for each figure; not all requests have all of them."""
    most_first = sorted(sections, key=lambda one: -len(one.titles))
    named = [dict(zip(one.titles, row.cells, strict=True)) for one in sections for row in one.rows]
    for title in dict.fromkeys(title for one in most_first for title in one.titles):
        cells = [cells.get(title, _NO_CELL) for cells in named]
        # Marks stand to the right of figures, which stay flush.
        has_marks = any(cell.mark for cell in cells)
        yield Column(
            title + ("  " if has_marks else ""),
            [cell.text + (f" {cell.mark or ' '}" if has_marks else "") for cell in cells],
            ["green" if cell.mark == BEST else "" for cell in cells],
            rank=_RANKS.get(title, 2),
        )


_NO_CELL = ConfigurationCell("", "", 0.0, "")
_RANKS = {"typical p99": 5, "typical p50": 4, "typical p95": 0, "throughput": 0, "error rate": 1}

"""The matrices of a run in its summary."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.text import Text

from planrunner.report.columns import Column, table
from planrunner.report.configurations.console import configuration_lines
from planrunner.report.configurations.rows import headline
from planrunner.report.matrices.rows import ScalingSection, scaling_sections
from planrunner.report.plain import plain
from planrunner.results.configurations.phases import matrix_configurations
from planrunner.results.matrices.tables import matrix_tables
from planrunner.results.model import RunResult

__all__ = ["matrix_lines"]

_OF_A_LOG = 10_000


def matrix_lines(result: RunResult, width: int | None) -> list[Text]:
    """Return a table for each request of each matrix over sizes, and for each of configurations.

    Args:
        result: Of which run.
        width: Of the terminal; None where there is none.
    """
    room = (_OF_A_LOG if width is None else width) - 1
    lines: list[Text] = []
    for one in matrix_tables(result):
        for section in scaling_sections(one):
            lines += [Text()] if lines else []
            lines.append(Text(f" {section.title}", style="bold"))
            lines += [Text(" ") + line for line in table(list(_columns(section)), room)]
    for configured in matrix_configurations(result):
        word, words = headline(configured.table)
        lines += [Text()] if lines else []
        lines.append(Text(f" {plain(configured.name)}: {word} {words}", style="bold"))
        lines += configuration_lines(configured.table, room)
    return lines


def _columns(section: ScalingSection) -> Iterator[Column]:
    yield _column(section.over, section.sizes, section, "grows as", floor=8)
    for column in section.columns:
        title = f"{column.title} median".lstrip()
        yield _column(
            title, [cell.median for cell in column.cells], section, column.exponent or "–"
        )
        yield _column("p95", [cell.p95 for cell in column.cells], section, column.interval, rank=2)
        if section.has_failed:
            failed = [cell.failed or "0 %" for cell in column.cells]
            yield _column("failed", failed, section, rank=1)
        if section.has_work:
            yield _column("work", [cell.rate for cell in column.cells], section, rank=3)


def _column(
    title: str,
    cells: Sequence[str],
    section: ScalingSection,
    last: str = "",
    *,
    rank: int = 0,
    floor: int = 0,
) -> Column:
    """Return a column with what stands in the row of the exponents, if there is one."""
    return Column(
        title, [*cells, *([last] if section.has_exponents else [])], rank=rank, floor=floor
    )

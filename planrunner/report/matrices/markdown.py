"""The matrices of a run as Markdown."""

from __future__ import annotations

from collections.abc import Iterator

from planrunner.report.configurations.markdown import configuration_markdown
from planrunner.report.configurations.rows import headline
from planrunner.report.markdown_text import markdown_table, markdown_text
from planrunner.report.matrices.rows import ScalingSection, SizeCell, scaling_sections
from planrunner.results.configurations.phases import matrix_configurations
from planrunner.results.matrices.tables import matrix_tables
from planrunner.results.model import RunResult

__all__ = ["matrix_markdown"]


def matrix_markdown(result: RunResult) -> Iterator[str]:
    """Yield a table for each request of a matrix over sizes, and for each of configurations."""
    for table in matrix_tables(result):
        for section in scaling_sections(table):
            yield f"\n### {markdown_text(section.title)}\n\n"
            yield from _table(section)
    for configured in matrix_configurations(result):
        word, words = headline(configured.table)
        yield f"\n### {markdown_text(f'{configured.name}: {word} {words}')}\n"
        yield from configuration_markdown(configured.table)


def _table(section: ScalingSection) -> Iterator[str]:
    titles = [markdown_text(section.over)]
    titles += [markdown_text(column.title) or "Median" for column in section.columns]
    rows = [
        [size, *(_words(column.cells[n]) for column in section.columns)]
        for n, size in enumerate(section.sizes)
    ]
    if section.has_exponents:
        rows.append(
            [
                "grows as",
                *(
                    " ".join(filter(None, (column.exponent, _bracketed(column.interval))))
                    for column in section.columns
                ),
            ]
        )
    yield from markdown_table(titles, rows, numbers=1)


def _words(cell: SizeCell) -> str:
    if cell.raw < 0:
        return cell.median
    parts = (f"p95 {cell.p95}", cell.rate, cell.failed and f"{cell.failed} failed")
    return f"{cell.median} ({markdown_text(', '.join(filter(None, parts)))})"


def _bracketed(interval: str) -> str:
    return f"({interval})" if interval else ""

"""Configurations as Markdown: who is best, and the figures of each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TextIO

from planrunner.report.configurations.rows import (
    ConfigurationSection,
    headline,
    left_requests,
    legend,
    sections_of,
)
from planrunner.report.markdown_text import markdown_table, markdown_text
from planrunner.results.configurations.model import ConfigurationTable
from planrunner.units import format_count

__all__ = ["configuration_markdown", "write_configurations_markdown"]


def write_configurations_markdown(found: ConfigurationTable, out: TextIO) -> None:
    """Write the comparison for a job's page or a merge request."""
    word, words = headline(found)
    out.write(f"## {word.capitalize()}: {markdown_text(words)}\n")
    out.writelines(configuration_markdown(found))


def configuration_markdown(found: ConfigurationTable) -> Iterator[str]:
    """Yield what differs, the table of each request, and what its marks mean."""
    if found.differences or found.remarks:
        yield "\n"
    yield from (f"- **{markdown_text(one)}**\n" for one in found.differences)
    yield from (f"- {markdown_text(one)}\n" for one in found.remarks)
    for section in sections_of(found):
        if section.request:
            yield f"\n### {markdown_text(section.title)}\n"
        yield "\n"
        yield from _table(section)
    for words in legend(found):
        yield f"\n{words}\n"
    if left := left_requests(found):
        yield f"\n{format_count(left, 'request')} in which none is better\n"


def _table(section: ConfigurationSection) -> Iterator[str]:
    has_values = any(row.values for row in section.rows)
    rows = [
        (
            f"{markdown_text(row.name)} {row.mark}".rstrip(),
            *([markdown_text(row.values)] if has_values else []),
            *(f"**{cell.marked}**" if cell.mark else cell.text for cell in row.cells),
        )
        for row in section.rows
    ]
    titles = ("Configuration", "With") if has_values else ("Configuration",)
    yield from markdown_table(
        (*titles, *map(str.capitalize, section.titles)), rows, numbers=len(titles)
    )

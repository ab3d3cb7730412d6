"""Files of test data in reports: what was written before the load, of how many rows and bytes."""

from __future__ import annotations

import io
from dataclasses import replace

from planrunner.report.formats.html import write_html
from planrunner.report.formats.markdown import write_markdown
from planrunner.report.terminal.console import open_console, print_summary
from planrunner.results.model import WrittenFile
from tests.support.results import make_result

FILES = (
    WrittenFile("orders", "orders-1000.csv", "orders", "csv", 1000, 44_100, ("load", "<soak>")),
    WrittenFile("items", "items.parquet", "items", "parquet", 1, 512),
)
RESULT = make_result(files=FILES)


def test_the_summary_lists_files() -> None:
    """A line for each."""
    out = io.StringIO()

    print_summary(RESULT, open_console(out, color=False))

    assert [line for line in out.getvalue().splitlines() if "test data" in line] == [
        " test data: orders-1000.csv · csv · 1,000 rows · 44.1 KB",
        " test data: items.parquet · parquet · 1 row · 512 B",
    ]


def test_markdown_lists_files() -> None:
    """As a table."""
    out = io.StringIO()

    write_markdown(RESULT, out)

    assert "### Test data\n\n| file | format | rows | size |\n" in out.getvalue()
    assert "| orders-1000.csv | csv | 1,000 | 44.1 KB |\n" in out.getvalue()


def test_the_page_lists_files() -> None:
    """With the phases that read them; without any, there is no such section."""
    shown, none = io.StringIO(), io.StringIO()

    write_html(RESULT, shown)
    write_html(replace(RESULT, files=()), none)

    page = shown.getvalue()
    assert '<h2 id="test-data">Test data</h2>' in page
    assert "orders-1000.csv" in page
    assert '<td data-v="44100">44.1 KB</td>' in page
    assert "load, &lt;soak&gt;" in page
    assert "test-data" not in none.getvalue()

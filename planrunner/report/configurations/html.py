"""Configurations as a page: who is best, the figures of each, and charts of all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TextIO

from planrunner.report.charts.configuration_charts import configuration_charts
from planrunner.report.charts.palette import SCREEN
from planrunner.report.charts.trend_charts import overlaid
from planrunner.report.configurations.rows import headline, left_requests, legend, sections_of
from planrunner.report.formats.page import write_page
from planrunner.results.configurations.model import ConfigurationTable
from planrunner.results.model import RunResult

__all__ = ["write_configurations_html"]


def write_configurations_html(
    table: ConfigurationTable, runs: Sequence[RunResult], out: TextIO, *, bundle: str = ""
) -> None:
    """Write the comparison as a page.

    Args:
        table: The comparison.
        runs: Its runs, in its order.
        out: A text file, UTF-8.
        bundle: A script that sets `window.vegaEmbed`; without it there are no charts.
    """
    word, words = headline(table)
    named = list(zip((one.name for one in table.configurations), runs, strict=True))
    dots, lines = configuration_charts(table, SCREEN), overlaid(named, SCREEN)
    write_page(
        out,
        "configurations.html",
        bundle=bundle,
        charts=[*dots, *lines],
        dots=dots,
        lines=lines,
        table=table,
        named=named,
        sections=sections_of(table),
        legend=legend(table),
        left=left_requests(table),
        word=word,
        words=words,
        verdict="pass" if table.best is not None else "na",
    )

"""`planrunner history`: the trend of the last runs."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final
from urllib.parse import quote

import click

from planrunner.errors import UsageError
from planrunner.report.charts.vega import javascript_bundle
from planrunner.report.formats.compare import print_history, write_history_html
from planrunner.report.terminal.console import open_console
from planrunner.results.files.atomic import atomic_text_file
from planrunner.results.files.past_runs import PastRun, find_runs

__all__ = ["command"]

_MOST_NOTICES: Final = 5
_REPORT: Final = "report.html"


@click.command(
    "history",
    short_help="show the trend of the last runs",
    epilog="""\b
Examples:
  planrunner history reports/shop
  planrunner history reports/shop --last 100 --html trend.html
""",
)
@click.argument("directory", type=click.Path(path_type=Path))
@click.option(
    "--last", type=click.IntRange(1), default=30, show_default=True, help="How many runs to list."
)
@click.option("--html", type=click.Path(path_type=Path), help="Write a page with charts.")
def command(directory: Path, last: int, html: Path | None) -> None:
    """Show the last runs below DIRECTORY, the oldest first."""
    found = find_runs(directory)
    for notice in found.notices[:_MOST_NOTICES]:
        click.echo(f"notice: {notice}", err=True)
    if more := len(found.notices[_MOST_NOTICES:]):
        click.echo(f"notice: {more} more left out", err=True)
    shown = [run.result for run in found.runs[-last:]]
    if not shown:
        raise UsageError(f"no run below `{directory}` can be read")
    print_history(shown, open_console(sys.stdout))
    if html is not None:
        with atomic_text_file(html) as out:
            reports = _reports(found.runs, html.absolute().parent)
            write_history_html(shown, out, bundle=javascript_bundle(), reports=reports)
        click.echo(html)


def _reports(runs: Sequence[PastRun], page: Path) -> dict[str, str]:
    """Return where the report of each run is, seen from the folder of a page."""
    return {
        run.result.run_id: quote(Path(os.path.relpath(report.absolute(), page)).as_posix())
        for run in runs
        if (report := run.directory / _REPORT).exists()
    }

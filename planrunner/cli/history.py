"""`planrunner history`: the trend of the last runs."""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path

import click

from planrunner.cli.vega import javascript_bundle
from planrunner.errors import UsageError
from planrunner.report.compare import print_history, write_history_html
from planrunner.report.console import open_console
from planrunner.results.atomic import atomic_text_file
from planrunner.results.directory import METRICS
from planrunner.results.metrics_json import read_metrics
from planrunner.results.model import RunResult

__all__ = ["command"]


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
@click.option("--last", type=click.IntRange(1), default=30, show_default=True, help="How many.")
@click.option("--html", type=click.Path(path_type=Path), help="Write a page with charts.")
def command(directory: Path, last: int, html: Path | None) -> None:
    """Show the last runs below DIRECTORY, the oldest first."""
    runs, unreadable = _runs(directory)
    if unreadable:
        click.echo(f"notice: {unreadable} runs could not be read", err=True)
    if not runs:
        raise UsageError(
            f"there is no run below `{directory}`", hint="name the directory that holds runs"
        )
    shown = runs[-last:]
    print_history(shown, open_console(sys.stdout))
    if html is not None:
        with atomic_text_file(html) as out:
            write_history_html(shown, out, bundle=javascript_bundle())
        click.echo(html)


def _runs(directory: Path) -> tuple[list[RunResult], int]:
    """Return the runs that can be read, the oldest first, and how many can't."""
    paths = sorted({*directory.glob(f"*/{METRICS}"), *directory.glob(f"*/*/{METRICS}")})
    runs = []
    for path in paths:
        with suppress(UsageError):
            runs.append(read_metrics(path))
    return sorted(runs, key=lambda run: (run.started, run.run_id)), len(paths) - len(runs)

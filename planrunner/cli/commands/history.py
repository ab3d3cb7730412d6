"""`planrunner history`: the trend of the last runs."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

import click

from planrunner.errors import UsageError
from planrunner.report.charts.vega import javascript_bundle
from planrunner.report.formats.compare import print_history, write_history_html
from planrunner.report.terminal.console import open_console
from planrunner.results.files.atomic import atomic_text_file
from planrunner.results.files.directory import METRICS, UNFINISHED
from planrunner.results.files.metrics_json import read_metrics
from planrunner.results.model import RunResult
from planrunner.values import dataclass

__all__ = ["command"]

_MOST_NOTICES: Final = 5


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
    found = _find(directory)
    for notice in found.notices[:_MOST_NOTICES]:
        click.echo(f"notice: {notice}", err=True)
    if more := len(found.notices[_MOST_NOTICES:]):
        click.echo(f"notice: {more} more left out", err=True)
    if not found.runs:
        raise _nothing(directory)
    shown = found.runs[-last:]
    print_history(shown, open_console(sys.stdout))
    if html is not None:
        with atomic_text_file(html) as out:
            write_history_html(shown, out, bundle=javascript_bundle())
        click.echo(html)


@dataclass(frozen=True, slots=True)
class _FoundRuns:
    """Runs, the oldest first, and what is said about those left out."""

    runs: list[RunResult]
    notices: list[str]


def _find(directory: Path) -> _FoundRuns:
    runs, notices = [], []
    for path in _below(directory, METRICS):
        try:
            runs.append(read_metrics(path))
        except UsageError as error:
            notices.append(f"{error.message}; left out")
    notices += [
        f"the run in `{path.parent}` is not finished, or was killed; left out"
        for path in _below(directory, UNFINISHED)
        if not (path.parent / METRICS).exists()
    ]
    return _FoundRuns(sorted(runs, key=lambda run: (run.started, run.run_id)), notices)


def _below(directory: Path, name: str) -> list[Path]:
    return sorted({*directory.glob(f"*/{name}"), *directory.glob(f"*/*/{name}")})


def _nothing(directory: Path) -> UsageError:
    if not directory.is_dir():
        return UsageError(f"there is no directory `{directory}`")
    if (directory / METRICS).exists():
        hint = f"name the directory above it: `{directory.absolute().parent}`"
        return UsageError(f"`{directory}` is a single run, so it has no history", hint=hint)
    hint = "name the directory that holds runs, such as `reports/NAME`"
    return UsageError(f"there is no run below `{directory}`", hint=hint)

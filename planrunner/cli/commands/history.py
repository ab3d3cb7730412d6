"""`planrunner history`: the trend of the last runs."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final
from urllib.parse import quote

import click

from planrunner.cli.plan_options import json_option
from planrunner.cli.streams import print_json
from planrunner.errors import UsageError
from planrunner.report.charts.vega import javascript_bundle
from planrunner.report.findings import verdict_word
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
  planrunner history reports/shop --json | jq '.[-1].p95_s'
""",
)
@click.argument("directory", type=click.Path(path_type=Path))
@click.option(
    "--last", type=click.IntRange(1), default=30, show_default=True, help="How many runs to list."
)
@click.option("--html", type=click.Path(path_type=Path), help="Write a page with charts.")
@json_option
def command(directory: Path, last: int, html: Path | None, *, as_json: bool) -> None:
    """Show the last runs below DIRECTORY, the oldest first."""
    found = find_runs(directory)
    for notice in found.notices[:_MOST_NOTICES]:
        click.echo(f"notice: {notice}", err=True)
    if more := len(found.notices[_MOST_NOTICES:]):
        click.echo(f"notice: {more} more left out", err=True)
    shown = [run.result for run in found.runs[-last:]]
    if not shown:
        raise UsageError(f"no run below `{directory}` can be read")
    if as_json:
        print_json([_facts(run) for run in found.runs[-last:]])
    else:
        print_history(shown, open_console(sys.stdout))
    if html is not None:
        with atomic_text_file(html) as out:
            reports = _reports(found.runs, html.absolute().parent)
            write_history_html(shown, out, bundle=javascript_bundle(), reports=reports)
        click.echo(html, err=as_json)


def _facts(run: PastRun) -> dict[str, object]:
    """Return what is said of a run: times in seconds, rates per second, None for no data."""
    result, totals = run.result, run.result.totals
    return {
        "run_id": result.run_id,
        "directory": str(run.directory),
        "plan": result.plan,
        "file": result.plan_path,
        "profile": result.profile,
        "started": result.started,
        "verdict": verdict_word(result),
        "exit_code": int(result.exit_code),
        "validity": result.validity.level.value,
        "requests": totals.total_requests,
        "failures": totals.failed_requests,
        "requests_per_s": totals.requests_per_second,
        "average_s": totals.average_response_time if totals.has_latency else None,
        "p95_s": totals.p95_response_time if totals.has_latency else None,
        "labels": dict(result.labels),
    }


def _reports(runs: Sequence[PastRun], page: Path) -> dict[str, str]:
    """Return where the report of each run is, seen from the folder of a page."""
    return {
        run.result.run_id: quote(Path(os.path.relpath(report.absolute(), page)).as_posix())
        for run in runs
        if (report := run.directory / _REPORT).exists()
    }

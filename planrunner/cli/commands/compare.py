"""`planrunner compare`: is a run worse than the one before?"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from planrunner.cli.streams import stdout_for_documents
from planrunner.cli.suites.compared import compare_suites, comparison_document, is_suite
from planrunner.errors import UsageError
from planrunner.report.charts.vega import javascript_bundle
from planrunner.report.formats.compare import print_comparison, write_comparison_html
from planrunner.report.terminal.console import open_console
from planrunner.results.changes import ChangeOutcome, Comparison
from planrunner.results.comparison import compare
from planrunner.results.exit_codes import ExitCode
from planrunner.results.files.atomic import atomic_text_file
from planrunner.results.files.directory import read_run
from planrunner.units import UnitError, parse_percent

__all__ = ["command"]


@click.command(
    "compare",
    short_help="compare two runs, or two suites",
    epilog="""\b
Examples:
  planrunner compare reports/shop/monday reports/shop/tuesday
  planrunner compare reports/shop/baseline.json RUN --fail-on regression
  planrunner compare A B --html comparison.html
  planrunner compare reports/suite/monday reports/suite/tuesday --fail-on regression

\b
A difference counts as a change only if noise is very unlikely to cause it; the same two runs
always give the same answer.
""",
)
@click.argument("before", type=click.Path(path_type=Path))
@click.argument("after", type=click.Path(path_type=Path))
@click.option(
    "--fail-on",
    type=click.Choice(["regression"]),
    help="Exit with 1 if any figure is worse, or if nothing could be compared.",
)
@click.option(
    "--tolerance", default="5%", show_default=True, help="Changes up to this size do not count."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.option("--html", type=click.Path(path_type=Path), help="Write a page with charts.")
def command(
    before: Path,
    after: Path,
    fail_on: str | None,
    tolerance: str,
    html: Path | None,
    *,
    as_json: bool,
) -> int:
    """Compare the run AFTER with the run BEFORE, request by request.

    Two suites are compared plan by plan; of a plan with several runs, the one whose p95 is in
    the middle is compared.
    """
    share = _share(tolerance)
    if is_suite(before) or is_suite(after):
        if html is not None:
            raise UsageError("--html shows two runs, not two suites", hint="name a run of each")
        comparisons = compare_suites(before, after, tolerance=share, as_json=as_json)
        return _exit_code(comparisons, fails=fail_on is not None)
    runs = read_run(before), read_run(after)
    comparison = compare(*runs, tolerance=share)
    if as_json:
        text = json.dumps(comparison_document(comparison), indent=2, ensure_ascii=False)
        click.echo(text, file=stdout_for_documents())
    else:
        print_comparison(comparison, open_console(sys.stdout))
    if html is not None:
        with atomic_text_file(html) as out:
            write_comparison_html(comparison, runs, out, bundle=javascript_bundle())
        click.echo(html, err=as_json)
    return _exit_code([comparison], fails=fail_on is not None)


def _exit_code(comparisons: Sequence[Comparison], *, fails: bool) -> int:
    has_failed = any(
        comparison.outcome is ChangeOutcome.WORSE or bool(comparison.nothing_compared)
        for comparison in comparisons
    )
    return ExitCode.THRESHOLD_FAILED if fails and (has_failed or not comparisons) else ExitCode.OK


def _share(text: str) -> float:
    try:
        return parse_percent(text)
    except UnitError as error:
        raise UsageError(f"`--tolerance {text}`: {error.message}", hint="write `5%`") from error

"""`planrunner compare`: is a run worse than the one before? Which of several is the best?"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TextIO

import click

from planrunner.cli.plan_options import json_option
from planrunner.cli.streams import stdout_for_documents
from planrunner.cli.suites.compared import compare_suites, comparison_document, is_suite
from planrunner.errors import UsageError
from planrunner.report.charts.vega import javascript_bundle
from planrunner.report.configurations.console import print_configurations
from planrunner.report.configurations.markdown import write_configurations_markdown
from planrunner.report.formats.compare import (
    print_comparison,
    write_comparison_html,
    write_comparison_markdown,
    write_configurations_html,
)
from planrunner.report.terminal.console import open_console
from planrunner.results.changes import ChangeOutcome, Comparison
from planrunner.results.comparison import compare
from planrunner.results.configurations.model import ConfigurationTable
from planrunner.results.configurations.names import configuration_names
from planrunner.results.configurations.runs import compare_configurations
from planrunner.results.exit_codes import ExitCode
from planrunner.results.files.atomic import atomic_text_file
from planrunner.results.files.codec import encode
from planrunner.results.files.directory import read_run
from planrunner.units import UnitError, parse_percent
from planrunner.values import dataclass

__all__ = ["command"]


@dataclass(frozen=True, slots=True)
class _Wanted:
    """How a comparison is to be told."""

    tolerance: float
    as_json: bool
    html: Path | None
    markdown: Path | None


@click.command(
    "compare",
    short_help="compare two runs or suites, or several configurations",
    epilog="""\b
Examples:
  planrunner compare reports/shop/monday reports/shop/tuesday
  planrunner compare reports/shop/baseline.json RUN --fail-on regression
  planrunner compare A B --html comparison.html
  planrunner compare reports/pool-5 reports/pool-10 reports/pool-20
  planrunner compare reports/suite/monday reports/suite/tuesday --fail-on regression

\b
A difference counts only if noise is very unlikely to cause it; the same runs always give the
same answer.
""",
)
@click.argument(
    "runs",
    type=click.Path(path_type=Path),
    nargs=-1,
    required=True,
    metavar="BEFORE AFTER [MORE]...",
)
@click.option(
    "--fail-on",
    type=click.Choice(["regression"]),
    help="Of two: exit with 1 if any figure is worse, or if nothing could be compared.",
)
@click.option(
    "--tolerance", default="5%", show_default=True, help="Changes up to this size do not count."
)
@json_option
@click.option("--html", type=click.Path(path_type=Path), help="Write a page with charts.")
@click.option("--markdown", type=click.Path(path_type=Path), help="Write it as Markdown.")
def command(
    runs: tuple[Path, ...],
    fail_on: str | None,
    tolerance: str,
    html: Path | None,
    markdown: Path | None,
    *,
    as_json: bool,
) -> int:
    """Compare the run AFTER with the run BEFORE, request by request.

    With MORE runs, all of them are configurations of one thing: their figures are put beside each
    other, and the best is marked where noise is ruled out. Where the load differs, the report
    says how, and nothing is called best.

    Two suites are compared plan by plan; of a plan with several runs, the one whose p95 is in
    the middle is compared.
    """
    if len(runs) < 2:
        raise UsageError("`compare` needs two runs or more", hint="name another run")
    wanted = _Wanted(_share(tolerance), as_json, html, markdown)
    if any(map(is_suite, runs)):
        compared: Sequence[Comparison] = _suites(runs, wanted)
    elif len(runs) == 2:
        compared = [_pair(runs[0], runs[1], wanted)]
    elif fail_on:
        hint = "name a run and the one before it"
        raise UsageError(f"--fail-on {fail_on} is about two runs, not {len(runs)}", hint=hint)
    else:
        _several(runs, wanted)
        return ExitCode.OK
    return _exit_code(compared, fails=fail_on is not None)


def _suites(paths: Sequence[Path], wanted: _Wanted) -> Sequence[Comparison]:
    for option, path in (("--html", wanted.html), ("--markdown", wanted.markdown)):
        if path is not None:
            raise UsageError(f"{option} shows runs, not suites", hint="name a run of each")
    if len(paths) > 2:
        raise UsageError(
            f"suites are compared two at a time, not {len(paths)}", hint="name two suites"
        )
    return compare_suites(paths[0], paths[1], tolerance=wanted.tolerance, as_json=wanted.as_json)


def _pair(before: Path, after: Path, wanted: _Wanted) -> Comparison:
    runs = read_run(before), read_run(after)
    comparison = compare(*runs, tolerance=wanted.tolerance)
    if wanted.as_json:
        _print_document(comparison_document(comparison))
    else:
        print_comparison(comparison, open_console(sys.stdout))
    _write(wanted.markdown, wanted, lambda out: write_comparison_markdown(comparison, out))
    _write(
        wanted.html,
        wanted,
        lambda out: write_comparison_html(comparison, runs, out, bundle=javascript_bundle()),
    )
    return comparison


def _several(paths: Sequence[Path], wanted: _Wanted) -> None:
    runs = [read_run(path) for path in paths]
    names = configuration_names(runs, paths)
    table = compare_configurations(runs, names, tolerance=wanted.tolerance)
    if wanted.as_json:
        _print_document({"nothing_compared": table.nothing_compared, **_encoded(table)})
    else:
        print_configurations(table, open_console(sys.stdout))
    _write(wanted.markdown, wanted, lambda out: write_configurations_markdown(table, out))
    _write(
        wanted.html,
        wanted,
        lambda out: write_configurations_html(table, runs, out, bundle=javascript_bundle()),
    )


def _print_document(document: object) -> None:
    text = json.dumps(document, indent=2, ensure_ascii=False)
    click.echo(text, file=stdout_for_documents())


def _encoded(table: ConfigurationTable) -> dict[str, object]:
    data = encode(table)
    assert isinstance(data, dict)
    return data


def _write(path: Path | None, wanted: _Wanted, write: Callable[[TextIO], None]) -> None:
    """Write a file, if it is wanted, and say so where that is no part of a document."""
    if path is not None:
        with atomic_text_file(path) as out:
            write(out)
        click.echo(path, err=wanted.as_json)


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

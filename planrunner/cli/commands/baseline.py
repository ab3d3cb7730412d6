"""`planrunner baseline`: choose the run that later runs are compared with."""

from __future__ import annotations

from pathlib import Path

import click

from planrunner.cli.plan_options import json_option
from planrunner.cli.streams import print_json
from planrunner.errors import UsageError
from planrunner.results.exit_codes import ExitCode
from planrunner.results.files.baseline import promote
from planrunner.results.files.directory import read_run

__all__ = ["command"]


@click.group(
    "baseline",
    short_help="choose the run that thresholds compare with",
    epilog="""\b
Examples:
  planrunner baseline promote reports/shop/20261121T120000Z-a1b2c3
""",
)
def command() -> None:
    """Choose the run that `N% of baseline` in thresholds means."""


@command.command(
    "promote",
    short_help="make a run the baseline",
    epilog="""\b
Examples:
  planrunner baseline promote reports/shop/20261121T120000Z-a1b2c3
  planrunner baseline promote RUN --to ci/baseline.json
  planrunner baseline promote nightly --if-passed
""",
)
@click.argument("run", type=click.Path(path_type=Path))
@click.option(
    "--to",
    type=click.Path(path_type=Path),
    help="The file to write, instead of the plan's `baseline`.",
)
@click.option(
    "--if-passed",
    is_flag=True,
    help="Keep the baseline as it is, and end with 1, unless the run ended with 0.",
)
@json_option
def promote_command(run: Path, to: Path | None, *, if_passed: bool, as_json: bool) -> int:
    """Make RUN the baseline: copy its metrics.json to where its plan looks for one."""
    result = read_run(run)
    if if_passed and result.exit_code != ExitCode.OK:
        words = f"the run ended with {result.exit_code}, so the baseline stays as it is"
        _say(words, result.run_id, None, as_json=as_json)
        return ExitCode.THRESHOLD_FAILED
    path = to or (Path(result.baseline) if result.baseline else None)
    if path is None:
        raise UsageError("the run does not say where its baseline is", hint="name it with --to")
    promote(result, path)
    _say(str(path), result.run_id, path, as_json=as_json)
    return ExitCode.OK


def _say(words: str, run_id: str, path: Path | None, *, as_json: bool) -> None:
    if as_json:
        print_json({"run_id": run_id, "baseline": None if path is None else str(path)})
    else:
        click.echo(words)

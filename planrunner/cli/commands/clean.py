"""`planrunner clean`: remove old runs."""

from __future__ import annotations

import shutil
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import click

from planrunner.errors import CannotRun, UsageError
from planrunner.results.files.metrics_json import read_metrics
from planrunner.results.files.past_runs import PastRun, find_runs
from planrunner.units import format_count

__all__ = ["command"]


@click.command(
    "clean",
    short_help="remove old runs",
    epilog="""\b
Examples:
  planrunner clean reports --keep 30 --dry-run       list what would go
  planrunner clean reports --keep 30
""",
)
@click.argument("directory", type=click.Path(path_type=Path))
@click.option(
    "--keep",
    type=click.IntRange(0),
    default=30,
    show_default=True,
    metavar="N",
    help="How many of the last runs of each plan and profile stay.",
)
@click.option("--dry-run", is_flag=True, help="List what would be removed, and remove nothing.")
def command(directory: Path, keep: int, dry_run: bool) -> None:  # noqa: FBT001 - click's way
    """Remove all but the last runs below DIRECTORY, each with its whole directory.

    A run that is a baseline stays, and so does one that is not finished, can't be read or has
    another one inside it.
    """
    found = find_runs(directory)
    for notice in found.notices:
        click.echo(f"notice: {notice}", err=True)
    old = list(_older(found.runs, keep))
    baselines = _baselines(found.runs)
    rest = {run.directory for run in found.runs} - {run.directory for run in old}
    gone = [run for run in old if not (_holds(run, baselines) or _is_around(run, rest))]
    for run in gone:
        click.echo(run.directory)
        if not dry_run:
            _remove(run.directory)
    words = f"{'would remove' if dry_run else 'removed'} {format_count(len(gone), 'run')}"
    if kept := len(old) - len(gone):
        words += f", kept {format_count(kept, 'old one')}"
    click.echo(words, err=True)


def _older(runs: tuple[PastRun, ...], keep: int) -> Iterator[PastRun]:
    """Yield the runs that are not among the last of their plan and profile."""
    by_plan = defaultdict(list)
    for run in runs:
        by_plan[run.result.plan, run.result.profile].append(run)
    for of_plan in by_plan.values():
        yield from of_plan[: max(len(of_plan) - keep, 0)]


def _baselines(runs: tuple[PastRun, ...]) -> dict[Path, str]:
    """Return the baselines that the runs' plans look for, each with the run it came from."""
    found = {}
    for path in {Path(run.result.baseline) for run in runs if run.result.baseline}:
        try:
            found[path.absolute()] = read_metrics(path).run_id
        except UsageError:  # there is none, or another program's
            continue
    return found


def _holds(run: PastRun, baselines: dict[Path, str]) -> bool:
    inside = any(path.is_relative_to(run.directory.absolute()) for path in baselines)
    return inside or run.result.run_id in baselines.values()


def _is_around(run: PastRun, others: set[Path]) -> bool:
    return run.directory.is_symlink() or any(
        other.is_relative_to(run.directory) for other in others
    )


def _remove(directory: Path) -> None:
    try:
        shutil.rmtree(directory)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise CannotRun(f"can't remove `{directory}`: {reason}") from error

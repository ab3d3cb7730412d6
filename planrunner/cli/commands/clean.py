"""`planrunner clean`: remove old runs."""

from __future__ import annotations

import shutil
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path

import click

from planrunner.cli.plan_options import json_option
from planrunner.cli.streams import print_json
from planrunner.errors import CannotRun, UsageError
from planrunner.formats import SUITE_JSON
from planrunner.results.files.directory import METRICS, UNFINISHED
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
@json_option
def command(directory: Path, keep: int, *, dry_run: bool, as_json: bool) -> None:
    """Remove all but the last runs below DIRECTORY, each with its whole directory.

    A run that is a baseline stays, and so does one that is not finished, can't be read or has
    another one inside it. A suite counts as one run of each of its plans, and goes or stays as a
    whole.
    """
    if (directory / SUITE_JSON).exists():
        hint = f"name the directory above it: `{directory.absolute().parent}`"
        raise UsageError(f"`{directory}` is a suite, which is removed as a whole", hint=hint)
    found = find_runs(directory)
    for notice in found.notices:
        click.echo(f"notice: {notice}", err=True)
    old = list(_older(found.runs, keep))
    gone = list(_removable(found.runs, old, _baselines(directory, found.runs)))
    paths = _outermost(gone)
    for path in paths:
        if not as_json:
            click.echo(path)
        if not dry_run and path.exists():  # it may have been inside another one
            _remove(path)
    if as_json:
        removed = [str(path) for path in paths]
        print_json({"removed": removed, "kept_old": len(old) - len(gone), "dry_run": dry_run})
    words = f"{'would remove' if dry_run else 'removed'} {format_count(len(gone), 'run')}"
    if kept := len(old) - len(gone):
        words += f", kept {format_count(kept, 'old one')}"
    click.echo(words, err=True)


def _whole(run: PastRun) -> Path:
    """Return what is removed with a run: its directory, or that of its suite."""
    return run.suite or run.directory


def _older(runs: Iterable[PastRun], keep: int) -> Iterator[PastRun]:
    """Yield the runs that are not among the last of their plan and profile."""
    by_plan = defaultdict(list)
    for run in runs:
        by_plan[run.result.plan, run.result.profile].append(run)
    for of_plan in by_plan.values():
        # In the order of their last runs, each once.
        wholes = [*dict.fromkeys(map(_whole, reversed(of_plan)))]
        last = set(wholes[:keep])
        yield from (run for run in of_plan if _whole(run) not in last)


def _removable(
    runs: Sequence[PastRun], old: Sequence[PastRun], baselines: Mapping[Path, str]
) -> Iterator[PastRun]:
    """Yield the old runs that nothing needs; of a suite all or none."""
    rest = {run.directory for run in runs} - {run.directory for run in old}
    for whole, group in groupby(sorted(old, key=_whole), key=_whole):
        members = list(group)
        is_held = any(_holds(run, baselines) or run.directory.is_symlink() for run in members)
        if not (is_held or _is_around(whole, rest) or _is_under_way(whole, members)):
            yield from members


def _outermost(runs: Iterable[PastRun]) -> list[Path]:
    return [*dict.fromkeys(map(_whole, runs))]


def _baselines(directory: Path, runs: Sequence[PastRun]) -> dict[Path, str]:
    """Return the baselines that the runs' plans look for, each with the run it came from.

    Their paths count from where the runs were started, which may be any folder around these.
    """
    around = [Path.cwd(), *(directory.resolve() / METRICS).parents]
    found = {}
    for named in {run.result.baseline for run in runs if run.result.baseline}:
        for path in {(folder / named).resolve() for folder in around}:
            try:
                found[path] = read_metrics(path).run_id
            except UsageError:  # there is none, or another program's
                continue
    return found


def _holds(run: PastRun, baselines: Mapping[Path, str]) -> bool:
    inside = any(path.is_relative_to(_whole(run).resolve()) for path in baselines)
    return inside or run.result.run_id in baselines.values()


def _is_around(whole: Path, others: set[Path]) -> bool:
    return whole.is_symlink() or any(other.is_relative_to(whole) for other in others)


def _is_under_way(whole: Path, members: Sequence[PastRun]) -> bool:
    """Whether a suite has a run that is not finished, or can't be read."""
    if whole == members[0].directory:
        return False
    known = {run.directory for run in members}
    found = {path.parent for name in (METRICS, UNFINISHED) for path in whole.rglob(name)}
    return not found <= known


def _remove(directory: Path) -> None:
    try:
        shutil.rmtree(directory)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise CannotRun(f"can't remove `{directory}`: {reason}") from error

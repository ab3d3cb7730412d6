"""The runs below a directory, for whoever looks back: history, clean-up."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from planrunner.errors import UsageError
from planrunner.formats import SUITE_JSON
from planrunner.results.exit_codes import WHOLE, ExitCode
from planrunner.results.files.directory import METRICS, UNFINISHED
from planrunner.results.files.metrics_json import read_metrics
from planrunner.results.model import RunResult
from planrunner.values import dataclass

__all__ = ["PastRun", "PastRuns", "find_last", "find_previous", "find_runs", "run_files"]

_MOST_TRIED: Final = 5
"""Runs beside a run that are read to find the one before it."""


@dataclass(frozen=True, slots=True)
class PastRun:
    """A run and its directory.

    Attributes:
        suite: The directory of the suite that it is part of, if it is.
    """

    directory: Path
    result: RunResult
    suite: Path | None = None


@dataclass(frozen=True, slots=True)
class PastRuns:
    """Runs, the oldest first, and what is said about those left out."""

    runs: tuple[PastRun, ...]
    notices: tuple[str, ...]


def find_runs(directory: Path) -> PastRuns:
    """Return the runs one or two levels below a directory, and those of suites there.

    Raises:
        UsageError: There is none.
    """
    runs, notices = [], []
    for path in _below(directory, METRICS):
        try:
            suite = _suite_of(path.parent, directory)
            runs.append(PastRun(path.parent, read_metrics(path), suite))
        except UsageError as error:
            notices.append(f"{error.message}; left out")
    notices += [
        f"the run in `{path.parent}` is not finished, or was killed; left out"
        for path in _below(directory, UNFINISHED)
        if not (path.parent / METRICS).exists()
    ]
    if not runs and not notices:
        raise _nothing(directory)
    by_start = sorted(runs, key=lambda run: (run.result.started, run.result.run_id))
    return PastRuns(tuple(by_start), tuple(notices))


def run_files(directory: Path) -> list[Path]:
    """Return the metrics.json of each run that `find_runs` would read."""
    return _below(directory, METRICS)


def find_previous(directory: Path, result: RunResult) -> RunResult | None:
    """Return the last whole run before this one of the same plan and profile, None without one.

    What was interrupted or aborted says little about a run that was not.

    Args:
        directory: Of the run; others are looked for beside it.
        result: The run.
    """
    found = _runs_before(directory, result.plan, result.profile, before=result.started)
    whole = (one for one in found if one.exit_code in WHOLE and one.totals.total_requests)
    return next(whole, None)


def find_last(directory: Path, plan: str, profile: str, *, before: str) -> RunResult | None:
    """Return the last run before this one of the same plan and profile that came to a verdict.

    Args:
        directory: Of the run; others are looked for beside it.
        plan: Its name.
        profile: Of the plan; empty when it has none.
        before: When the run began, as results say it.
    """
    found = _runs_before(directory, plan, profile, before=before)
    return next((one for one in found if one.exit_code != ExitCode.INTERRUPTED), None)


def _runs_before(directory: Path, plan: str, profile: str, *, before: str) -> Iterator[RunResult]:
    """Yield the last runs of a plan and profile beside a directory, the newest first."""
    for path in _newest_beside(directory)[:_MOST_TRIED]:
        with suppress(UsageError):
            other = read_metrics(path)
            if (other.plan, other.profile) == (plan, profile) and other.started < before:
                yield other


def _newest_beside(directory: Path) -> list[Path]:
    own = directory.absolute() / METRICS
    with suppress(OSError):  # a folder that can't be listed has none
        others = [path for path in own.parent.parent.glob(f"*/{METRICS}") if path != own]
        return sorted(others, key=lambda path: (path.stat().st_mtime_ns, path), reverse=True)
    return []


def _below(directory: Path, name: str) -> list[Path]:
    around = [directory, *(path.parent for path in _of_two_levels(directory, SUITE_JSON))]
    return sorted({path for one in around for path in _of_two_levels(one, name)})


def _of_two_levels(directory: Path, name: str) -> list[Path]:
    return [*directory.glob(f"*/{name}"), *directory.glob(f"*/*/{name}")]


def _suite_of(run: Path, directory: Path) -> Path | None:
    """Return the suite around a run, if that is below a directory."""
    around = (path for path in run.parents[:2] if directory in path.parents)
    return next((path for path in around if (path / SUITE_JSON).is_file()), None)


def _nothing(directory: Path) -> UsageError:
    if not directory.is_dir():
        return UsageError(f"there is no directory `{directory}`")
    if (directory / METRICS).exists():
        hint = f"name the directory above it: `{directory.absolute().parent}`"
        return UsageError(f"`{directory}` is a single run, so it has no history", hint=hint)
    hint = "name the directory that holds runs, such as `reports/NAME`"
    return UsageError(f"there is no run below `{directory}`", hint=hint)

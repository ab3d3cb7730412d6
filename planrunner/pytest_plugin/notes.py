"""What a test notes about its runs; it travels with the test's report, also between processes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

import pytest

from planrunner.values import dataclass

__all__ = ["NotedRun", "attach_notes", "note_run", "noted_runs"]

_RUNS: Final = pytest.StashKey[list[dict[str, str]]]()


@dataclass(frozen=True, slots=True)
class NotedRun:
    """A run that a test made.

    Attributes:
        verdict: `pass`, `fail` and so on.
        directory: Of its files.
    """

    plan: str
    verdict: str
    directory: str


def note_run(item: pytest.Item, run: NotedRun) -> None:
    """Remember a run, and name its directory in reports such as JUnit's."""
    found = {"plan": run.plan, "verdict": run.verdict, "directory": run.directory}
    item.stash.setdefault(_RUNS, []).append(found)
    item.user_properties.append(("planrunner_run", run.directory))


def attach_notes(report: pytest.TestReport, item: pytest.Item) -> None:
    """Give a report what its test noted, as values that travel between processes."""
    if _RUNS in item.stash:
        attributes: dict[str, Any] = report.__dict__
        attributes["planrunner"] = {"runs": item.stash[_RUNS]}


def noted_runs(reports: Iterable[pytest.TestReport]) -> Iterator[NotedRun]:
    """Yield the runs of all tests, in the order in which these ended."""
    for report in reports:
        for run in report.__dict__["planrunner"]["runs"]:
            yield NotedRun(**run)

"""What a test notes about its runs; it travels with the test's report, also between processes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import pytest

from planrunner.pytest_plugin.component import Component
from planrunner.values import dataclass

__all__ = [
    "NotedRun",
    "attach_notes",
    "note_component",
    "note_run",
    "noted_components",
    "noted_runs",
]

_RUNS: Final = pytest.StashKey[list[dict[str, object]]]()
_COMPONENTS: Final = pytest.StashKey[list[dict[str, object]]]()


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
    found: dict[str, object] = {name: getattr(run, name) for name in run.__slots__}
    item.stash.setdefault(_RUNS, []).append(found)
    item.user_properties.append(("planrunner_run", run.directory))


def note_component(item: pytest.Item, component: Component) -> None:
    """Remember what a component came to."""
    item.stash.setdefault(_COMPONENTS, []).append(component.as_note())


def attach_notes(report: pytest.TestReport, item: pytest.Item) -> None:
    """Give a report what its test noted, as values that travel between processes.

    A test that runs again begins with nothing noted.
    """
    notes = {"runs": item.stash.get(_RUNS, []), "components": item.stash.get(_COMPONENTS, [])}
    for key in (_RUNS, _COMPONENTS):
        if key in item.stash:
            del item.stash[key]
    if any(notes.values()):
        attributes: dict[str, Any] = report.__dict__
        attributes["planrunner"] = notes


def noted_runs(reports: Iterable[pytest.TestReport]) -> list[NotedRun]:
    """Return the runs of all tests, in the order in which these ended."""
    return [NotedRun(**run) for report in reports for run in report.__dict__["planrunner"]["runs"]]


def noted_components(reports: Iterable[pytest.TestReport]) -> list[Component]:
    """Return what all tests measured, in the order of time.

    Of a test that ran again, the last time counts. Two tests in different processes may have used
    the same name: the second one's gets its test's id.
    """
    found: dict[tuple[str, str], Component] = {}
    for report in reports:
        for note in report.__dict__["planrunner"]["components"]:
            component = Component(**note)
            found[component.test, component.name] = component
    seen: set[tuple[str, str]] = set()
    named = []
    for one in sorted(found.values(), key=lambda one: one.started):
        key = (one.name, one.size)
        named.append(one.renamed(f"{one.name} of {one.test}") if key in seen else one)
        seen.add(key)
    return named

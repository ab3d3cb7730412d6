"""What pytest prints below its tests about runs and components."""

from __future__ import annotations

import os
from collections.abc import Sequence

import pytest

from planrunner.pytest_plugin.notes import noted_runs

__all__ = ["write_summary"]


def write_summary(terminal: pytest.TerminalReporter, reports: Sequence[pytest.TestReport]) -> None:
    """Print where the runs of all tests are."""
    terminal.section("planrunner")
    for run in noted_runs(reports):
        color = {"pass": "green", "warn": "yellow"}.get(run.verdict, "red")
        terminal.write(f"{run.verdict:<5}", **{color: True})
        terminal.line(f" {run.plan}: {_shown(run.directory)}")


def _shown(directory: str) -> str:
    """Return a path as short as it can be from here."""
    relative = os.path.relpath(directory)
    return directory if relative.startswith("..") else relative

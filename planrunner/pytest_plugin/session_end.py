"""The end of a session: what was measured becomes a run, and pytest prints what came of it all."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from planrunner.errors import PlanrunnerError
from planrunner.pytest_plugin.broken import broken_words
from planrunner.pytest_plugin.components.session_run import baseline_of, write_components_run
from planrunner.pytest_plugin.notes import NotedRun, noted_components, noted_runs
from planrunner.pytest_plugin.summary import write_components, write_run
from planrunner.python.results.result import Result
from planrunner.report.findings import verdict_word

__all__ = ["SessionEnd"]


class SessionEnd:
    """What came of a session.

    Args:
        config: Of the session.
        reports: Those that carry notes.

    Attributes:
        fails: Whether the session fails by what no test could know.
    """

    def __init__(self, config: pytest.Config, reports: Sequence[pytest.TestReport]) -> None:
        self._config = config
        self._runs = noted_runs(reports)
        self._components = noted_components(reports)
        self._result: Result | None = None
        self._error = ""
        if self._components:
            try:
                self._result = write_components_run(config, self._components)
            except PlanrunnerError as error:
                self._error = str(error)

    @property
    def fails(self) -> bool:
        return bool(self._error) or (self._result is not None and not self._result.passed)

    def write(self, terminal: pytest.TerminalReporter) -> None:
        """Print it."""
        terminal.section("planrunner")
        result = self._result
        if result is not None:
            write_components(terminal, self._components, result, baseline_of(self._config))
        for run in self._runs:
            write_run(terminal, run)
        if result is not None:
            word = verdict_word(result.raw)
            write_run(terminal, NotedRun(result.plan, word, str(result.directory)))
            in_tests = {written for one in self._components for written in one.thresholds}
            for one in result.thresholds:
                if one.verdict.fails_the_run and (one.threshold, one.place) not in in_tests:
                    terminal.line(f"FAIL  {broken_words(one)}", red=True)
        if self._error:
            terminal.line(f"ERROR the components have no reports: {self._error}", red=True)

"""Runs a plan for a test, and notes where it wrote its files."""

from __future__ import annotations

from pathlib import Path

import pytest

from planrunner.errors import PlanrunnerError
from planrunner.pytest_plugin.alone import alone
from planrunner.pytest_plugin.notes import NotedRun, note_run
from planrunner.python.calls import run
from planrunner.python.keywords import AnyPath, RunKeywords
from planrunner.python.plans import AnyPlan, Plan
from planrunner.python.results.result import Result
from planrunner.report.findings import verdict_word

__all__ = ["PlanRuns"]


class PlanRuns:
    """Runs plans for one test.

    Args:
        item: The test.
    """

    def __init__(self, item: pytest.Item) -> None:
        self._item = item

    def __call__(self, plan: AnyPlan, **params: object) -> Result:
        """Run a plan to its end; a broken threshold is for the test to judge.

        Args:
            plan: A file, relative to the current directory or else to pytest's root, or a `Plan`.
            **params: Values of the plan's params.

        Raises:
            PlanError: The plan or a value for it is invalid.
            UsageError: A value can't be.
            PackageMissing: The plan needs an extra that is not installed.
            CannotRun: The target, a service or the report directory is not ready.
        """
        __tracebackhide__ = True
        found = plan if isinstance(plan, Plan) else self._found(plan)
        try:
            return self.run(found, {"params": params})
        except PlanrunnerError as error:
            raise error.with_traceback(None) from None

    def run(self, plan: AnyPlan, keywords: RunKeywords) -> Result:
        """Run a plan with any keywords of `planrunner.run`; while it runs, no other worker does."""
        wanted: RunKeywords = {"notify": False, **keywords}  # pytest tells
        with alone(self._item.config):
            result = run(plan, **wanted)
        word = verdict_word(result.raw)
        note_run(self._item, NotedRun(result.plan, word, str(result.directory)))
        return result

    def _found(self, plan: AnyPath) -> Path:
        path = Path(plan)
        from_root = self._item.config.rootpath / path
        return from_root if from_root.exists() and not path.exists() else path

"""What the test of a plan does: it runs the plan, and each threshold is a subtest."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import NoReturn

import pytest

from planrunner.errors import PlanrunnerError
from planrunner.language.diagnostics import PlanError, render
from planrunner.pytest_plugin.broken import broken_words
from planrunner.pytest_plugin.plans.options import keywords_of
from planrunner.pytest_plugin.plans.runs import PlanRuns
from planrunner.python.results.result import Result
from planrunner.report.findings import tally, verdict_phrase
from planrunner.report.formats.junit import threshold_case
from planrunner.results.model import Judgement, ValidityLevel

__all__ = ["check_plan"]


def check_plan(request: pytest.FixtureRequest, planrunner_run: PlanRuns) -> None:
    """Run the plan that the test is of, and fail with it."""
    path = os.path.relpath(request.path)
    fault = ""
    try:
        result = planrunner_run.run(path, keywords_of(request.config, path))
    except PlanError as error:
        fault = "\n\n".join(map(render, error.diagnostics))
    except PlanrunnerError as error:
        hint = f"\nhint: {error.hint}" if error.hint else ""
        fault = f"{path}: {error.message}{hint}"
    if fault:  # here, so that it has no other exception before it
        _fail(fault)
    has_subtests = request.config.pluginmanager.has_plugin("subtests")
    if has_subtests:
        subtests: pytest.Subtests = request.getfixturevalue("subtests")
        for one in result.thresholds:
            case = threshold_case(one)
            # Not a skipped one: in JUnit XML, it would make the whole plan skipped.
            with subtests.test(": ".join(filter(None, (case.name, case.skipped)))):
                _judge(one)
    if not result.passed:
        _fail("\n".join(_lines(path, result, () if has_subtests else result.thresholds)))


def _judge(judgement: Judgement) -> None:
    if threshold_case(judgement).fault:
        _fail(broken_words(judgement))


def _lines(path: str, result: Result, shown: Iterable[Judgement]) -> list[str]:
    """Return why a run failed: the verdict, the given thresholds, and where its files are."""
    raw = result.raw
    counts = tally((one.pair, one.verdict) for one in result.thresholds)
    parts = [f"{path}: {verdict_phrase(raw)}", ", ".join(counts.words)]
    if result.ended_because != "finished":
        parts.append(result.ended_because)
    if raw.validity.level is not ValidityLevel.VALID:
        parts.append("; ".join(raw.validity.reasons))
    return [": ".join(parts), *map(broken_words, shown), f"reports: {result.directory}"]


def _fail(words: str) -> NoReturn:
    pytest.fail(words, pytrace=False)

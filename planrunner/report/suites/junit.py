"""junit.xml of a suite: a test suite for each plan, with a case for the plan and each threshold."""

from __future__ import annotations

from typing import TextIO

from planrunner.report.formats.junit import (
    JunitCase,
    JunitSuite,
    threshold_case,
    write_suites,
)
from planrunner.report.suites.rows import mark_of_word, report_of, titles_of
from planrunner.results.model import Judgement, Verdict
from planrunner.results.suites.model import JudgedMedian, SuitePlan, SuiteResult

__all__ = ["write_suite_junit"]


def write_suite_junit(suite: SuiteResult, out: TextIO) -> None:
    """Write a case for each plan and threshold; plans that were not run are skipped ones."""
    suites = map(_plan_suite, suite.plans, titles_of(suite))
    write_suites(suites, suite.duration_seconds, out)


def _plan_suite(plan: SuitePlan, title: str) -> JunitSuite:
    if plan.is_repeated:
        judgements = [_as_judgement(one) for one in plan.judgements]
    else:
        judgements = [one for run in plan.runs for one in run.judgements]
    thresholds = [threshold_case(one) for one in judgements]
    is_explained = any(case.fault for case in thresholds) and plan.exit_code == 1
    seconds = sum(run.duration_seconds for run in plan.runs)
    started = next((run.started for run in plan.runs if run.started), "")
    whole = _plan_case(plan, seconds, is_explained=is_explained)
    return JunitSuite(title, plan.directory, [whole, *thresholds], started, seconds)


def _plan_case(plan: SuitePlan, seconds: float, *, is_explained: bool) -> JunitCase:
    """Return the case that fails with the plan, unless one of a threshold says why it did."""
    ending = f"{plan.verdict}: {plan.reason}" if plan.reason else plan.verdict
    name = f"all {plan.wanted} runs" if plan.is_repeated else "the run as a whole"
    if plan.exit_code is None:
        return JunitCase(name, 0.0, skipped=ending)
    fails = mark_of_word(plan.verdict) is Verdict.FAIL and not is_explained
    reports = (report_of(run) for run in plan.runs)
    said = "; ".join([ending, f"plan {plan.path}", *filter(None, reports)])
    return JunitCase(name, seconds, ending if fails else "", said=said)


def _as_judgement(found: JudgedMedian) -> Judgement:
    return Judgement(
        threshold=found.threshold,
        verdict=found.verdict,
        observed=found.observed,
        limit=found.limit,
        place=found.place,
        reason=found.reason,
        level=found.level,
        pair=found.pair,
    )

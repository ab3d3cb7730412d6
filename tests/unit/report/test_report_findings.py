"""Verdicts."""

from __future__ import annotations

import pytest

from planrunner.report.findings import verdict_word
from planrunner.report.terminal.console import verdict_of
from planrunner.results.model import Judgement, Verdict
from tests.support.results import RESULTS, make_result


def judged(*verdicts):
    return tuple(Judgement("p95 < 1s", verdict, "1 s", "1 s", "a:1:1") for verdict in verdicts)


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        ((), Verdict.PASS),
        ((Verdict.PASS, Verdict.NOT_APPLICABLE), Verdict.PASS),
        ((Verdict.NOT_APPLICABLE,), Verdict.PASS),
        ((Verdict.PASS, Verdict.WARN), Verdict.WARN),
        ((Verdict.WARN, Verdict.FAIL), Verdict.FAIL),
        ((Verdict.PASS, Verdict.NO_DATA), Verdict.FAIL),
    ],
)
def test_the_worst_threshold_is_the_verdict(verdicts, expected):
    """No data counts as failed, n/a as nothing."""
    assert verdict_of(make_result(judgements=judged(*verdicts))) is expected


@pytest.mark.parametrize(
    ("exit_code", "word"),
    [(1, "fail"), (3, "could not run"), (4, "aborted"), (5, "not valid"), (130, "interrupted")],
)
def test_a_run_that_ends_with_a_code_has_not_passed(exit_code, word):
    """Thresholds that held until then don't make it a pass."""
    result = make_result(exit_code=exit_code)

    assert verdict_of(result) is Verdict.FAIL
    assert verdict_word(result) == word


def test_a_passing_run_passes():
    """The word is the verdict."""
    assert verdict_word(RESULTS["passing"]) == "pass"

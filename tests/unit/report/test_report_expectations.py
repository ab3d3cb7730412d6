"""Which expectations failed requests did not keep, wherever failures are shown."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from pathlib import Path

import pytest
from junitparser import JUnitXml

from planrunner.formats import REPORT_FORMATS
from planrunner.report.findings import (
    expectation_words,
    failed_expectations,
    shown_failures,
)
from planrunner.report.formats.writers import produced_files
from planrunner.report.terminal.console import open_console, print_summary
from planrunner.results.model import RunResult
from planrunner.results.record import BrokenExpectation, ExpectationCount, checks_held
from tests.support.results import make_result, make_row, make_series

TIME = BrokenExpectation("time < 500ms", is_soft=False, times=2)
ID = BrokenExpectation("json $.id: exists true", is_soft=False, times=1)
QUICK = BrokenExpectation("time < 100ms", is_soft=True, times=3)
LATE = BrokenExpectation("time < 500ms", is_soft=False, times=4)


@pytest.fixture
def result() -> RunResult:
    """Ten requests, of which three are not as expected and four have another status."""
    return make_result(
        rows=(
            make_row("GET /a", count=10, failures={"expect": 3, "status": 4}),
            make_row("GET /b", count=5),
        ),
        series=(
            make_series("GET /a", status=200, count=3, expectations=3),
            make_series(
                "GET /a",
                status=200,
                failure="expect",
                count=3,
                expectations=3,
                broken=(TIME, ID, QUICK),
            ),
            make_series(
                "GET /a", status=500, failure="status", count=4, expectations=3, broken=(LATE,)
            ),
            make_series(
                "GET /a",
                status=200,
                failure="expect",
                count=9,
                expectations=3,
                broken=(LATE,),
                warmup=True,
            ),
            make_series("GET /b", status=200, count=5),
        ),
        expectations=(
            ExpectationCount("GET /a", "time < 500ms", 4, 6),
            ExpectationCount("GET /a", "json $.id: exists true", 9, 1),
            ExpectationCount("GET /a", "time < 100ms", 7, 3, is_soft=True),
        ),
    )


def written(result: RunResult, name: str) -> str:
    out = io.StringIO()
    for _, produce in produced_files(REPORT_FORMATS[name], result, Path("no samples")):
        produce(out)
    return out.getvalue()


def test_what_broke_is_counted_among_failures_by_expectation(result: RunResult) -> None:
    """Neither soft ones nor those of other failures nor those of the warm-up."""
    expected = {"time < 500ms": 2, "json $.id: exists true": 1}

    assert failed_expectations(result) == {
        (phase, name): expected for phase in ("", "main") for name in (None, "GET /a")
    }


def test_all_checks_count_whatever_made_requests_fail(result: RunResult) -> None:
    """Hard and soft ones of results: 10 of 30 broke."""
    assert checks_held(result.series) == pytest.approx(20 / 30)
    assert checks_held(make_result(series=()).series) is None


def test_the_most_frequent_come_first_and_the_rest_is_counted() -> None:
    """One line has room for three, and none for a long one in full."""
    counts = {f"header x-{n}": n for n in range(1, 6)}

    assert expectation_words(counts) == "5 header x-5, 4 header x-4, 3 header x-3, +2 more"
    assert len(expectation_words({"x" * 500: 1})) < 70
    assert shown_failures({"expect": 3, "404": 1}, expected={"a": 2}) == [
        "3 × expect (2 a),",
        "1 × 404",
    ]
    assert shown_failures({"expect": 3}) == ["3 × expect"]  # of an older version, or of a poll


def test_the_summary_names_them(result: RunResult) -> None:
    """Of all requests and of each."""
    out = io.StringIO()
    print_summary(result, open_console(out, width=100))
    words = "3 × expect (2 time < 500ms, 1 json $.id: exists true)"

    assert len(re.findall(re.escape(words), out.getvalue())) == 2


def test_junit_has_a_case_for_each_and_none_fails(result: RunResult) -> None:
    """What they mean is said by thresholds, of which there is a case each."""
    text = written(result, "junit.xml")
    suites = {suite.name: list(suite) for suite in JUnitXml.fromstring(text.encode())}
    [*cases] = suites["shop stress: expectations"]

    assert [case.name for case in cases] == [
        "GET /a: time < 500ms",
        "GET /a: time < 100ms",
        "GET /a: json $.id: exists true",
    ]
    assert [case.system_out for case in cases] == [
        "held 4 of 10 times, broken 6 (60 %)",
        "held 7 of 10 times, broken 3 (30 %); soft: breaking it is not a failure",
        "held 9 of 10 times, broken 1 (10 %)",
    ]
    assert not any(case.result for case in cases)
    assert "3 expect (2 time &lt; 500ms, 1 json $.id: exists true)" in text


def test_report_and_summary_for_the_web_name_them(result: RunResult) -> None:
    """In the table of failures, and as a table of their own."""
    assert "expected: 2 time &lt; 500ms, 1 json $.id: exists true" in written(result, "report.html")
    assert r"| GET /a | time \< 100ms (soft) | 7 | 3 |" in written(result, "summary.md")
    assert "planrunner_checks_percent 66.6666667\n" in written(result, "metrics.txt")


def test_a_run_without_expectations_has_no_table() -> None:
    """An empty one would only ask what is missing."""
    result = replace(make_result(), expectations=())

    assert "xpectations" not in written(result, "junit.xml")
    assert "xpectations" not in written(result, "summary.md")
    assert "checks" not in written(result, "metrics.txt")

"""Several runs as values: the worst code, medians and spreads, suite.json, pairs of plans."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import permutations
from pathlib import Path

import jsonschema
import pytest

from planrunner.errors import UsageError
from planrunner.metrics.judging.verdict import Verdict
from planrunner.results.exit_codes import ExitCode, worst
from planrunner.results.suites.model import SuiteResult
from planrunner.results.suites.pairs import pair_plans, typical_run
from planrunner.results.suites.repeats import exit_code_of, figures_of, judged, spreads
from planrunner.results.suites.suite_json import (
    read_suite,
    suite_schema,
    suite_text,
    write_suite_json,
)
from tests.support.results import RESULTS
from tests.support.suites import make_judgement, make_plan, make_repeated, make_run, make_suite

SCHEMA_FILE = Path(__file__).resolve().parents[3] / "schema" / "suite.schema.json"


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        ((), 0),
        ((0, 0), 0),
        ((0, 1), 1),
        ((1, 5), 5),
        ((5, 4), 4),
        ((4, 3), 3),
        ((3, 2), 2),
        ((2, 70), 70),
        ((70, 130), 130),
    ],
)
def test_the_worst_code_stands_for_all(codes: tuple[int, ...], expected: int) -> None:
    """Whatever their order."""
    assert {worst(order) for order in permutations(codes)} == {expected}


def test_every_code_has_a_weight() -> None:
    assert {worst([code]) for code in ExitCode} == set(ExitCode)


# -- medians -------------------------------------------------------------------------------


def test_a_spread_has_the_median_and_how_far_the_runs_are_apart() -> None:
    runs = [{("", "p95"): value} for value in (10.0, 50.0, 20.0, 30.0)]

    [spread] = spreads(runs)

    assert (spread.median, spread.minimum, spread.maximum) == (25.0, 10.0, 50.0)
    assert spread.mad == 10.0
    assert spread.values == (10.0, 50.0, 20.0, 30.0)


def test_a_figure_that_a_run_lacks_is_that_of_the_others() -> None:
    """A request that no user came to has no latency."""
    [both, one] = spreads([{("", "requests"): 1.0}, {("", "requests"): 3.0, ("a", "p95"): 5.0}])

    assert both.median == 2.0
    assert (one.values, one.median, one.mad) == ((None, 5.0), 5.0, 0)


def test_figures_are_those_of_the_tables() -> None:
    """Of all requests, and of each."""
    result = RESULTS["passing"]
    figures = figures_of(result)
    row = next(row for row in result.rows if row.by == "request" and not row.phase)

    assert figures["", "requests"] == result.totals.total_requests
    assert figures[row.name, "p95"] == row.latency_ns["p95"]
    assert figures[row.name, "error_rate"] == row.failed / row.count


@pytest.mark.parametrize(
    ("amounts", "verdict", "observed"),
    [
        ((90, 90, 90), Verdict.PASS, "90"),
        ((90, 150, 80), Verdict.PASS, "90 (80 … 150)"),
        ((90, 150, 160), Verdict.FAIL, "150 (90 … 160)"),
        ((90, 110), Verdict.FAIL, "100 (90 … 110)"),
        ((90, 109), Verdict.PASS, "99.5 (90 … 109)"),
        ((90, None, 80), Verdict.NO_DATA, "85 (80 … 90)"),
        ((None, None), Verdict.NO_DATA, "no samples"),
    ],
)
def test_a_threshold_is_judged_by_the_median(
    amounts: tuple[float | None, ...], verdict: Verdict, observed: str
) -> None:
    """One hiccup breaks nothing, and no median makes up for a run without data."""
    [found] = judged([[make_judgement(amount)] for amount in amounts])

    assert (found.verdict, found.observed) == (verdict, observed)


def test_a_median_close_to_its_limit_is_shown_with_more_digits() -> None:
    """`35 ms < 35 ms` would be no reason."""
    runs = [
        [replace(make_judgement(amount, limit=35e6), unit="duration")]
        for amount in (35.004e6, 40e6)
    ]

    [close] = judged([runs[0], runs[0]])

    assert close.observed == "35.004 ms"


def test_a_broken_warning_only_warns() -> None:
    runs = [[make_judgement(amount, level="warn")] for amount in (150, 160, 90)]

    [found] = judged(runs)

    assert found.verdict is Verdict.WARN


def test_what_every_run_said_is_said_of_all() -> None:
    """A threshold without numbers, such as one that does not apply, has no median."""
    idle = replace(make_judgement(None), verdict=Verdict.NOT_APPLICABLE, observed="")

    [found] = judged([[idle], [idle]])

    assert (found.verdict, found.median) == (Verdict.NOT_APPLICABLE, None)


def test_data_where_none_is_needed_is_judged_alone() -> None:
    """`on_no_data: pass` lets a run pass; the others have a median."""
    passed = replace(make_judgement(None), verdict=Verdict.PASS)
    runs = [[passed], [make_judgement(150)], [make_judgement(160)]]

    assert judged(runs)[0].verdict is Verdict.FAIL


@pytest.mark.parametrize(
    ("codes", "amounts", "expected"),
    [
        ((0, 1, 1), (90, 150, 160), 1),
        ((0, 0, 1), (90, 80, 160), 0),
        ((1, 5, 0), (90, 80, 70), 5),
        ((0, 3), (90,), 3),
        ((1, 4), (150,), 4),
        ((0, 130), (90,), 130),
    ],
)
def test_the_exit_code_of_a_repeated_plan(
    codes: tuple[int, ...], amounts: tuple[float, ...], expected: int
) -> None:
    """Thresholds by the median; what was not whole or valid by its own code."""
    judgements = judged([[make_judgement(amount)] for amount in amounts])

    assert exit_code_of(codes, judgements) == expected


# -- the file ------------------------------------------------------------------------------

SUITE = make_suite(
    make_repeated((90, None, 120)), make_plan("b", exit_code=1, verdict="fail"), exit_code=1
)


def test_a_suite_is_read_as_it_was_written(tmp_path: Path) -> None:
    write_suite_json(SUITE, tmp_path)

    read = read_suite(tmp_path)

    assert suite_text(read) == suite_text(SUITE)
    assert isinstance(read, SuiteResult)
    jsonschema.validate(json.loads(suite_text(SUITE)), suite_schema())


def test_the_schema_file_is_fresh() -> None:
    """`make schema` renews it."""
    assert json.loads(SCHEMA_FILE.read_text("utf-8")) == suite_schema()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "it isn't JSON"),
        ("[]", "is not a suite.json of planrunner"),
        ('{"schema_version": 9}', "has schema_version 9"),
        ('{"schema_version": 1}', "is broken: $.started is missing"),
    ],
)
def test_a_file_that_is_no_suite_is_refused(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "suite.json").write_text(text)

    with pytest.raises(UsageError) as failed:
        read_suite(tmp_path)

    assert said in failed.value.message


# -- pairs ---------------------------------------------------------------------------------


def test_plans_are_paired_by_name_and_profile() -> None:
    """The same plan twice in its order; what one suite lacks is gone or new."""
    load = replace(make_plan(), profile="load")
    again = replace(make_plan(), directory="shop-2")
    failed = make_plan("c", exit_code=3, verdict="could not run")
    before = make_suite(make_plan(), load, again, make_plan("old"))
    after = make_suite(load, make_plan(), make_plan("new"), failed)

    found = pair_plans(before, after)

    assert found.pairs == ((load, load), (make_plan(), make_plan()))
    assert found.gone == (again, make_plan("old"))
    assert found.new == (make_plan("new"),)


def test_the_run_in_the_middle_is_the_typical_one() -> None:
    """Of those that took place as planned."""
    runs = [
        replace(run, totals=replace(run.totals, p95_response_time=p95))
        for run, p95 in (
            (make_run("a"), 5.0),
            (make_run("b", exit_code=1), 1.0),
            (make_run("c"), 3.0),
            (make_run("d", exit_code=130), 2.0),
        )
    ]

    assert typical_run(replace(make_plan(), runs=tuple(runs))) == "c"

"""What the last run of a plan came to, for whoever wants to know of changes only."""

from __future__ import annotations

from pathlib import Path

from planrunner.results.files.directory import METRICS
from planrunner.results.files.metrics_json import write_metrics
from planrunner.results.files.past_runs import find_last
from planrunner.results.suites.suite_json import last_verdict, write_suite_json
from tests.support.results import make_result
from tests.support.suites import make_plan, make_suite


def test_the_last_run_that_was_judged_is_found(tmp_path: Path) -> None:
    """Of the same plan and profile, before this one; aborted ones were judged too."""
    for name, second, changes in (
        ("a", 1, {"exit_code": 1}),
        ("b", 2, {"exit_code": 4}),
        ("c", 3, {"exit_code": 130}),
        ("d", 4, {"plan": "other"}),
        ("e", 9, {}),
    ):
        (tmp_path / name).mkdir()
        started = f"2026-11-30T12:00:0{second}.000Z"
        write_metrics(make_result(started=started, **changes), tmp_path / name / METRICS)
    plan = make_result().plan

    last = find_last(tmp_path / "now", plan, "", before="2026-11-30T12:00:08.000Z")

    assert last is not None
    assert last.exit_code == 4
    assert find_last(tmp_path / "now", plan, "soak", before="2027") is None


def test_suites_are_looked_through_for_a_plan(tmp_path: Path) -> None:
    """Their medians are what was told."""
    (tmp_path / "old").mkdir()
    plans = make_plan("shop", exit_code=1, verdict="fail"), make_plan("cart")
    write_suite_json(make_suite(*plans), tmp_path / "old")

    assert last_verdict(tmp_path / "new", "shop", "") == "fail"
    assert last_verdict(tmp_path / "new", "cart", "") == "pass"
    assert last_verdict(tmp_path / "new", "other", "") == ""
    assert last_verdict(tmp_path / "old", "shop", "") == ""

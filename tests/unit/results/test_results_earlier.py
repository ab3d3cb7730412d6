"""The run that a run is compared with: its baseline, else the last one before it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from planrunner.results.changes import EarlierKind
from planrunner.results.earlier import make_earlier
from planrunner.results.files.metrics_json import from_json, to_json, write_metrics
from planrunner.results.files.past_runs import find_previous
from planrunner.results.model import RunResult
from tests.support.long_run import make_long_run
from tests.support.results import RESULTS


@pytest.fixture(scope="module")
def run() -> RunResult:
    return make_long_run(seconds=40, requests=3)


def kept(folder: Path, name: str, **changes: object) -> None:
    path = folder / name / "metrics.json"
    path.parent.mkdir()
    write_metrics(replace(RESULTS["passing"], run_id=name, **changes), path)  # type: ignore[arg-type]


def test_the_earlier_run_is_kept_with_what_changed(run: RunResult) -> None:
    """So that reports need no other file; an earlier run of its own is left out."""
    slower = make_long_run(seconds=40, requests=3, slower=2)
    earlier = make_earlier(run, slower, EarlierKind.BASELINE)
    assert earlier is not None
    result = replace(slower, earlier=(earlier,))

    assert earlier.comparison.outcome.value == "worse"
    assert earlier.points[0].p95_ns == run.request_points[0].p95_ns
    assert len(earlier.points) == 4
    [read] = from_json(to_json(result)).earlier
    assert (read.kind, read.points) == (earlier.kind, earlier.points)
    assert read.comparison.outcome is earlier.comparison.outcome


def test_without_requests_over_time_there_is_nothing_to_compare(run: RunResult) -> None:
    """As of a run that was killed before its first second."""
    assert make_earlier(replace(run, request_points=()), run, EarlierKind.PREVIOUS) is None


@pytest.mark.parametrize("code", [3, 4, 130])
def test_the_previous_run_is_no_run_that_was_cut(tmp_path: Path, code: int) -> None:
    """It says little about one that was not."""
    kept(tmp_path, "previous", started="2026-11-20T12:00:00.000Z")
    kept(tmp_path, "cut", started="2026-11-20T13:00:00.000Z", exit_code=code)
    kept(tmp_path, "own")

    found = find_previous(tmp_path / "own", RESULTS["passing"])

    assert found is not None
    assert found.run_id == "previous"


def test_the_previous_run_is_the_last_of_the_same_plan_and_profile(tmp_path: Path) -> None:
    """Neither a later one, nor one of another plan, without requests or that can't be read."""
    started = "2026-11-20T12:00:00.000Z"
    kept(tmp_path, "old", started="2026-11-01T12:00:00.000Z")
    kept(tmp_path, "previous", started=started)
    kept(tmp_path, "later", started="2026-12-24T12:00:00.000Z")
    kept(tmp_path, "other", started=started, plan="cart")
    kept(tmp_path, "smoke", started=started, profile="smoke")
    kept(tmp_path, "own")

    found = find_previous(tmp_path / "own", RESULTS["passing"])

    assert found is not None
    assert found.run_id == "previous"


def test_a_run_that_is_alone_has_no_previous_one(tmp_path: Path) -> None:
    """What is beside it may be anything."""
    kept(tmp_path, "own")
    (tmp_path / "else").mkdir()
    (tmp_path / "else" / "metrics.json").write_text("{}")

    assert find_previous(tmp_path / "own", RESULTS["passing"]) is None
    assert find_previous(tmp_path / "gone" / "run", RESULTS["passing"]) is None

"""`planrunner doctor` measures this machine."""

from __future__ import annotations

import json

import pytest

from tests.support.plans import PlanProject

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("workers", ["1", "2"])
def test_it_measures_and_says_so_as_json(project: PlanProject, workers: str) -> None:
    """Rate, what became of arrivals, and limits; stdout is data."""
    ended = project.run("doctor", "--seconds", "1", "--workers", workers, "--json")

    assert ended.code == 0
    found = json.loads(ended.out)
    capacity = found["capacity"]
    assert capacity["workers"] == int(workers)
    assert capacity["requests_per_second"] > 100
    assert capacity["arrivals"]["requested"] == capacity["rate"]
    assert capacity["timer"]["p99_ns"] > 0
    assert found["machine"]["processors"] >= 1
    assert "measuring for about" in ended.err
    assert not ended.files


def test_it_speaks_to_people(project: PlanProject) -> None:
    """One fact a line."""
    ended = project.run("doctor", "--seconds", "1")

    assert ended.code == 0
    first_words = [line.split()[0] for line in ended.out.splitlines()]
    assert {"machine", "rate", "arrivals", "lateness", "timers"} <= set(first_words)

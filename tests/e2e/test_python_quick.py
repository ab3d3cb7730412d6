"""`load_test` and `stress_test`: load for one URL from Python."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import planrunner
from planrunner.results.loads import Sustainable
from planrunner.results.record import SearchStep
from tests.support.http_servers import HttpServer


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reports are written below the current directory."""
    monkeypatch.chdir(tmp_path)


@pytest.mark.slow
def test_users_are_held_after_their_ramp(target: HttpServer) -> None:
    """Numbers are seconds."""
    url = f"{target.url}/x?a=1"

    result = asyncio.run(planrunner.load_test(url, users=3, duration=1, ramp_up=0.5, out="r"))

    [load] = [phase.load for phase in result.phases.values()]
    assert result.passed, result.explain()
    assert list(result.requests) == ["GET /x?a=1"]
    assert 1.4 < result.duration.s < 4
    assert load is not None
    assert load.unit == "users"
    assert result.directory == Path("r").absolute()


@pytest.mark.slow
def test_a_rate_is_a_number_per_second_or_a_text(target: HttpServer) -> None:
    """With a body and headers, as `planrunner run` sends them."""
    result = asyncio.run(
        planrunner.load_test(
            target.url, rate=20, duration="1s", json={"id": 7}, headers={"X-Test": "1"}, formats=[]
        )
    )

    sent = target.requests[-1]
    assert result.requests["POST /"].count >= 1
    assert (sent.method, sent.body) == ("POST", b'{"id": 7}')
    headers = {name.lower(): value for name, value in sent.headers.items()}
    assert (headers["x-test"], headers["content-type"]) == ("1", "application/json")


def step(level: float, *, held: bool) -> SearchStep:
    return SearchStep("stress", "users", level, held, 10.0, 0.0, 1_000)


def found(level: float, *, is_reached: bool, **more: Any) -> Sustainable:
    return Sustainable("stress", "users", True, level, is_reached, "", **more)  # noqa: FBT003


@pytest.mark.slow
def test_a_stress_test_goes_up_in_steps(target: HttpServer) -> None:
    """Until nothing is left to try, a threshold breaks, or the generator is the limit."""
    result = asyncio.run(
        planrunner.stress_test(
            target.url, start_users=1, max_users=2, step_users=1, step_duration=0.5, formats=[]
        )
    )

    assert result.levels[0].level == 1
    assert result.max_users_reached == max(one.level for one in result.levels)
    assert isinstance(result, planrunner.Result)
    broken = replace(
        result.raw,
        search=(step(1, held=True), step(2, held=False)),
        sustainable=(found(1, is_reached=True, broken_by="p95", broken_at=2.0),),
    )
    held = replace(
        result.raw,
        search=(step(1, held=True), step(2, held=True)),
        sustainable=(found(2, is_reached=False),),
    )
    first = planrunner.StressResult(broken, result.directory)
    second = planrunner.StressResult(held, result.directory)
    assert (first.max_users_reached, first.breaking_point, first.broken_by) == (2, 2, "p95")
    assert (second.max_users_reached, second.breaking_point, second.broken_by) == (2, None, "")


@pytest.mark.parametrize(
    ("keywords", "words"),
    [
        ({"users": 3, "rate": 5}, "users and rate can't be combined"),
        ({"duration": "soon"}, "duration: `soon` is not a duration"),
        ({"ramp_up": -1}, "ramp_up: `-1` is negative"),
        ({"users": 0}, r"(?m)^users: error"),
        ({"duration": 0}, r"(?m)hint: write a longer `duration`"),
        ({"thresholds": "p95 <"}, r"thresholds\[0\]: error\[threshold-syntax\]"),
        ({"thresholds": ["p95 <"]}, r"thresholds\[0\]: error\[threshold-syntax\]"),
        ({"data": "a", "json": 1}, "data and json can't be combined"),
    ],
)
def test_a_load_that_cannot_be_names_the_argument(keywords: dict[str, object], words: str) -> None:
    """Before anything is sent."""
    call = planrunner.load_test("http://127.0.0.1:1/", **keywords)  # type: ignore[arg-type]

    with pytest.raises(planrunner.PlanrunnerError, match=words):
        asyncio.run(call)


@pytest.mark.parametrize(
    ("keywords", "words"),
    [
        ({"start_users": 9, "max_users": 2}, r"(?m)^max_users: .*\nhint: `start_users` must be"),
        ({"step_users": 0}, r"(?m)^step_users: error"),
        ({"thresholds": ["p95 <"]}, r"(?m)^thresholds\[0\]: error\[threshold-syntax\]"),
    ],
)
def test_a_stress_test_that_cannot_be_names_the_argument(
    keywords: dict[str, object], words: str
) -> None:
    """As its caller knows nothing of phases."""
    call = planrunner.stress_test("http://127.0.0.1:1/", **keywords)  # type: ignore[arg-type]

    with pytest.raises(planrunner.PlanError, match=words):
        asyncio.run(call)


def test_an_unknown_keyword_of_a_load_is_refused() -> None:
    """With the one that was meant."""
    call = planrunner.load_test("http://127.0.0.1:1/", header={})  # type: ignore[call-arg]

    with pytest.raises(TypeError, match="did you mean `headers`"):
        asyncio.run(call)

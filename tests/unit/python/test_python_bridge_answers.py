"""What a stress test of the bridge answers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from planrunner import StressResult
from planrunner.python.bridge.answers import stress_answer
from planrunner.results.loads import Sustainable
from planrunner.results.record import SearchStep, Stretch
from tests.support.results import make_result

NS_PER_S = 1_000_000_000


def tried(*levels: tuple[int, str], broken_at: int = 0) -> StressResult:
    """Return a search over numbers of users, each with what broke there."""
    base: Any = make_result()
    row = next(one for one in base.rows if one.by == "request" and not one.phase)
    steps = [SearchStep("s", "users", n, not why, 10.0, 0.0, 1_000, why) for n, why in levels]
    found = Sustainable(
        "s", "users", is_found=True, level=1, is_reached=bool(broken_at), text="",
        broken_by="p95" if broken_at else "", broken_at=broken_at,
    )  # fmt: skip
    return StressResult(
        replace(
            base,
            rows=[replace(row, by="stage", name=f"{n} users", count=10 * n) for n, _ in levels],
            measured=[Stretch("s", f"{n} users", 0, 2 * NS_PER_S) for n, _ in levels],
            search=tuple(steps),
            sustainable=(found,),
        ),
        Path("r"),
    )


def test_the_step_that_broke_is_named() -> None:
    """With what broke, and what its requests came to."""
    answer = stress_answer("http://x/", tried((10, ""), (20, "p95 < 5s: 7 s"), broken_at=20))

    assert (answer["max_users_reached"], answer["break_point"]) == (20, 20)
    held, broken = [one["result"] for one in answer["steps"]]
    assert str(answer["errors"]).startswith("20 users: p95 < 5s: 7 s")
    assert (held["users"], held["success"], held["errors"]) == (10, True, None)
    assert (broken["success"], broken["errors"]) == (False, "p95 < 5s: 7 s")
    assert (held["duration"], held["results"]["duration"]) == (2, 2)
    assert broken["results"]["total_requests"] == 200


def test_the_break_point_is_none_when_nothing_broke() -> None:
    """So that `results.get("break_point", "None")` reads as it did."""
    answer = stress_answer("http://x/", tried((10, ""), (20, "")))

    assert (answer["max_users_reached"], answer["break_point"]) == (20, None)
    assert all(one["result"]["success"] for one in answer["steps"])

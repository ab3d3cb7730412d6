"""How large explain says that results.csv will be."""

from __future__ import annotations

import pytest

from planrunner.explain.forecast import forecast
from tests.support.plans import compiled

HEAD = "name: n\nhttp: {base_url: http://127.0.0.1:1}\n"


def told(load: str, users: str = "users: {U: {tasks: [{get: /}]}}", more: str = "") -> list[str]:
    """Return what is forecast for one class that sends one request an iteration."""
    return list(forecast(compiled(f"{HEAD}{users}\n{load}\n{more}\n")))


def test_arrivals_say_how_many_requests_there_are() -> None:
    """The integral of the rate, ramps included."""
    first, *rest = told("phases: [{name: p, stages: [{rate: 100/s, duration: 10s}]}]")

    assert "from 500 requests" in first
    assert "  counted from arrivals, as if none was dropped" in rest


def test_users_who_wait_are_limited_by_their_waits() -> None:
    """Ten users for ten seconds, each once in two seconds on average."""
    users = "users: {U: {wait: 1s..3s, tasks: [{get: /}]}}"

    assert "from about 50 requests" in told("phases: [{users: 10, hold: 10s}]", users)[0]


def test_counted_iterations_are_counted() -> None:
    """Three for each of five users."""
    assert "from 15 requests" in told("phases: [{users: 5, iterations_per_user: 3}]")[0]


def test_a_throttle_is_a_limit_too() -> None:
    """The lower of both counts."""
    assert "from about 200 requests" in told("phases: [{users: 5, hold: 20s, throttle: 10/s}]")[0]


def test_what_only_the_target_limits_is_told_for_a_million() -> None:
    """Nobody knows how fast it answers."""
    first, why, _ = told("phases: [{users: 5, hold: 20s}]")

    assert first.endswith("MB per million requests")
    assert "depends on the target" in why


@pytest.mark.parametrize(
    ("report", "words"),
    [
        ("report: {samples: none}", ""),
        ("report: {formats: [report.html]}", ""),
        ("report: {samples: failures}", "failed requests only"),
        ("report: {samples: 10%}", "of which 10% and all failures are kept"),
    ],
)
def test_what_is_kept_is_what_counts(report: str, words: str) -> None:
    """No file, no forecast."""
    lines = told("phases: [{users: 5, iterations: 100}]", more=report)

    assert bool(lines) == bool(words)
    assert words in "".join(lines)


def test_loops_count_once_and_branches_as_the_longer_one() -> None:
    """What the plan doesn't say can't be known."""
    users = """
users:
  U:
    steps:
      - while: user.id > 1
        max: 5
        do: [{get: /a}]
      - if: user.id > 1
        then: [{get: /b}, {get: /c}]
        else: [{get: /d}]
      - think: 1s"""

    assert "from about 30 requests" in told("phases: [{users: 5, iterations: 10}]", users)[0]

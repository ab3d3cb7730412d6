"""The most requests that explain promises."""

from __future__ import annotations

import pytest

from planrunner.explain.bounds import most_requests
from planrunner.explain.forecast import forecast
from tests.support.plans import compiled

HEAD = "name: n\nhttp: {base_url: http://127.0.0.1:1}\n"
WAITS = "users: {U: {wait: 1s..3s, tasks: [{get: /}]}}"


def most(load: str, users: str = "users: {U: {tasks: [{get: /}]}}") -> int | None:
    return most_requests(compiled(f"{HEAD}{users}\n{load}\n"))


@pytest.mark.parametrize(
    ("load", "users", "expected"),
    [
        ("phases: [{users: 10, hold: 10s}]", WAITS, 110),
        ("phases: [{users: 10, ramp_up: 4s, hold: 10s}]", WAITS, 134),
        ("phases: [{users: 10, hold: 10s}]", "users: {U: {pace: 2s, tasks: [{get: /}]}}", 60),
        ("phases: [{users: 10, hold: 10s}]", "users: {U: {tasks: [{get: /}]}}", None),
        ("phases: [{users: 10, hold: 10s}]", WAITS.replace("1s..3s", "exponential(1s)"), None),
        ("phases: [{users: 5, hold: 20s, throttle: 10/s}]", "users: {U: {tasks: [{get: /}]}}", 201),
        ("phases: [{users: 5, iterations: 30}]", WAITS, 30),
        ("phases: [{users: 5, iterations_per_user: 3}]", WAITS, 15),
        ("phases: [{rate: 10/s, hold: 5s}]", WAITS, 50),
        ("phases: [{rate: 10/s, hold: 5s, arrivals: poisson}]", WAITS, None),
    ],
)
def test_each_load_has_its_bound(load: str, users: str, expected: int | None) -> None:
    """The shortest waits, and an iteration of each user as it starts."""
    assert most(load, users) == expected


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ("[{get: /a}, {get: /b}]", 20),
        ("[{repeat: 3, do: [{get: /a}]}]", 40),
        ("[{while: user.id > 1, max: 4, do: [{get: /a}]}]", 50),
        ("[{foreach: 'x in [1, 2]', do: [{get: /a}]}]", None),
        ("[{if: user.id > 1, then: [{get: /a}, {get: /b}], else: [{get: /c}]}]", 30),
        ("[{group: g, do: [{get: /a}, {get: /b}]}]", 20),
        ("[{parallel: [{get: /a}, {get: /b}]}]", 30),
        ("[{poll: /a, until: status == 200, every: 1s, timeout: 5s}]", 80),
        ("[{set: {x: 1}}, {get: /a}]", 20),
    ],
)
def test_an_iteration_has_its_bound(steps: str, expected: int | None) -> None:
    """A step that may fail is one sample more, and ends the iteration."""
    users = f"users: {{U: {{steps: {steps}}}}}"

    assert most("phases: [{users: 1, iterations: 10}]", users) == expected


def test_a_mean_is_called_so() -> None:
    """And the bound beside it, where the plan sets one."""
    plan = f"{HEAD}{WAITS}\nphases: [{{users: 10, hold: 10s}}]\n"
    first, basis, bound, _ = forecast(compiled(plan))

    assert first.endswith("from about 50 requests")
    assert basis.startswith("  a mean: counted from users")
    assert bound == "  at most 110 requests"


def test_what_is_exact_is_not_called_a_mean() -> None:
    """Thirty iterations of one request are thirty requests."""
    plan = f"{HEAD}{WAITS}\nphases: [{{users: 5, iterations: 30}}]\n"
    first, *rest = forecast(compiled(plan))

    assert first.endswith("from 30 requests")
    assert not any("at most" in line for line in rest)

"""What is said of the phases of a matrix: each with its params, and what all share only once."""

from __future__ import annotations

from planrunner.compiler.load.selection import PlanSelection
from planrunner.explain.explain import explain_text
from tests.support.plans import compiled

PLAN = """
params: {rows: {type: int, default: 1}, limit: {type: duration, default: 1s}}
cases: {small: {rows: 10}, large: {rows: 20, limit: 2s}}
users: {A: {wait: 1s, steps: [{get: "/${rows}"}]}}
phases:
  - {name: sized, users: 1, iterations: 3, warmup: 1, matrix: {case: [small, large]}}
  - {name: crowds, hold: 1s, matrix: {users: [1, 2]}}
"""


def phases(**more: PlanSelection) -> list[str]:
    lines = explain_text(compiled(PLAN, **more)).splitlines()
    start = next(n for n, line in enumerate(lines) if line.startswith("load: "))
    return lines[start + 1 : lines.index("", start)]


def test_of_a_matrix_the_first_is_said_in_full_and_of_the_others_what_differs() -> None:
    assert phases() == [
        "  sized: 2 combinations; of all but the first, what differs",
        "  sized[case=small]: counted, 1 user, 3 iterations in all",
        "    ends after 10m even if some are left",
        "    with rows = 10",
        "    warm-up: samples of the first iteration are left out",
        "    graceful stop: up to 30s for what still runs",
        "    each user of A is one visitor for its whole life",
        "    at      0s     10m",
        "    A       1       1",
        "  sized[case=large]: counted, 1 user, 3 iterations in all",
        "    with rows = 20",
        "    with limit = 2s",
        "  crowds: 2 combinations; of all but the first, what differs",
        "  crowds[users=1]: closed model, at most 1 user",
        "    ramp: 1 user at once",
        "    hold: 1 user for 1s",
        "    graceful stop: up to 30s for what still runs",
        "    each user of A is one visitor for its whole life",
        "    at      0s      1s",
        "    A       1       1",
        "  crowds[users=2]: closed model, at most 2 users",
        "    ramp: 2 users at once",
        "    hold: 2 users for 1s",
        "    at      0s      1s",
        "    A       2       2",
    ]


def test_one_combination_is_a_phase_like_any_other() -> None:
    lines = phases(selection=PlanSelection(phases=("sized",), cases=("large",)))

    assert lines[0] == "  sized[case=large]: counted, 1 user, 3 iterations in all"
    assert len(lines) == 9


def test_only_clients_that_steps_send_with_are_named() -> None:
    """A plan of components has no HTTP to speak of."""
    commands = PLAN.replace('{get: "/${rows}"}', '{exec: {run: "true"}, measure: true}')

    sending = [
        [line for line in explain_text(compiled(plan)).splitlines() if line.startswith("  sends ")]
        for plan in (PLAN, commands)
    ]

    assert [lines[0].split()[1] for lines in sending] == ["http", "exec"]
    assert [len(lines) for lines in sending] == [1, 1]

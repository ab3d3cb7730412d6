"""Commands of plans: split as a shell does, and run without one."""

from __future__ import annotations

import pytest

from tests.support.plans import compiled, findings

PLAN = "users: {A: {steps: [{exec: %s}]}}"


@pytest.mark.parametrize(
    ("command", "operator"),
    [
        ("echo a > b.txt", ">"),
        ("echo a | wc", "|"),
        ("make 2>&1", "2>&1"),
        ("a && b", "&&"),
        ("sleep 9 &", "&"),
    ],
)
def test_what_only_a_shell_understands_is_a_fault(command: str, operator: str) -> None:
    """It would be an argument, and nothing would say so."""
    [found] = findings(PLAN % f'"{command}"')

    assert found.code == "invalid-value"
    assert found.message == f"commands run without a shell, so `{operator}` would be an argument"
    assert "sh -c" in found.hint


@pytest.mark.parametrize(
    "command",
    ["grep '>' a.txt", "sh -c 'echo a | wc'", "curl http://a.test/?b&c", "echo ${run.id}"],
)
def test_in_quotes_and_inside_of_words_it_is_text(command: str) -> None:
    """As for a shell."""
    assert compiled(PLAN % f'"{command}"').users


def test_services_run_without_a_shell_too() -> None:
    """Their output goes into the run directory anyway."""
    plan = (
        "services: {a: {run: 'node index.js > a.log', port: 5001}}\nusers: {A: {steps: [{get: /}]}}"
    )

    [found] = findings(plan)

    assert found.marked == "'node index.js > a.log'"

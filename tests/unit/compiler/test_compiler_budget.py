"""Constants of a plan: what they may cost all together."""

from __future__ import annotations

import pytest

from tests.support.plans import compiled, findings


def steps(expression: str, count: int) -> str:
    lines = (f'{{get: "/{number}/${{{expression}}}"}}' for number in range(count))
    return f"users: {{A: {{steps: [{', '.join(lines)}]}}}}"


@pytest.mark.slow
def test_many_large_constants_are_refused_together() -> None:
    """Each is within the budget of an expression; a thousand of them took a minute and a half."""
    found = findings(steps("range(99000) | sum", 1000))

    assert {fault.message for fault in found} == {
        "the plan's constants together are larger than 4 MB"
    }


@pytest.mark.slow
def test_many_small_constants_are_fine() -> None:
    """However many there are; and each plan has the whole budget."""
    for _ in range(2):
        assert compiled(steps("range(90) | sum", 300)).users
        assert compiled(steps("range(9900) | sum", 3)).users

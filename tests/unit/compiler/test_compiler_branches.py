"""Steps of which one list runs: what is known after them, and what is refused."""

from __future__ import annotations

import pytest

from planrunner.graph.steps import ChooseNode, SwitchNode
from tests.support.plans import compiled, findings

PLAN = "users: {A: {steps: [{get: /}, %s, {log: '${x}'}]}}"


def test_keys_of_cases_are_values() -> None:
    """YAML makes numbers and truth values of them; what is compared is text."""
    text = "{switch: status, cases: {200: [{set: {x: a}}], true: [{get: /}], else: [{get: /}]}}"
    _, node, _ = compiled(PLAN % text).users[0].tasks[0].steps

    assert isinstance(node, SwitchNode)
    assert [key for key, _ in node.cases] == ["200", "true"]
    assert len(node.otherwise) == 1


def test_a_choice_without_a_weight_counts_once() -> None:
    """As a task does."""
    text = "{choose: [{weight: '${1 + 2}', do: [{set: {x: a}}]}, {do: [{get: /}]}]}"
    _, node, _ = compiled(PLAN % text).users[0].tasks[0].steps

    assert isinstance(node, ChooseNode)
    assert [weight for weight, _ in node.choices] == [3, 1]


@pytest.mark.parametrize(
    ("step", "message"),
    [
        ("{choose: [{do: [{set: {y: a}}]}]}", "unknown name `x`"),
        ("{switch: status, cases: {a: [{log: '${z}'}]}}", "unknown name `z`"),
        ("{switch: status}", "`switch` needs `cases`"),
        ("{choose: []}", ""),
        ("{choose: [{weight: 0, do: [{get: /}]}]}", ""),
        ("{get: /, cases: {a: [{get: /}]}}", "`cases` can't be combined with `get`"),
        ("{choose: [{do: [{call: nobody}]}]}", "unknown flow `nobody`"),
    ],
)
def test_what_is_wrong_inside_is_found(step: str, message: str) -> None:
    """As in a list of steps that always runs."""
    found = findings(PLAN % step)

    assert any(fault.message.startswith(message) for fault in found)


def test_each_way_knows_only_what_is_on_it() -> None:
    """And what follows knows what any may have set."""
    text = "{choose: [{do: [{set: {x: 1}}, {set: {y: 2}}, {log: '${y}'}]}, {do: [{log: '${y}'}]}]}"
    [found] = findings(PLAN % text)

    assert found.message == "unknown name `y`"

"""What every step says of itself, whichever it is."""

from __future__ import annotations

from typing import get_args

from planrunner.graph.steps import DescribedStep, SetNode, StepNode, ThinkNode
from planrunner.schedule.pauses import Pause, PauseKind
from planrunner.units import NS_PER_S
from tests.support.graphs import request


def test_every_step_has_an_action_of_its_own() -> None:
    """No two steps stand under the same key."""
    nodes = get_args(StepNode)

    assert all(issubclass(node, DescribedStep) for node in nodes)
    assert len({node.action for node in nodes}) == len(nodes)


def test_a_step_is_its_action_and_what_it_acts_on() -> None:
    """Names in a row; a request is just its name."""
    values = (("a", lambda scope: 1), ("b", lambda scope: 2))

    assert SetNode(values).summary == "set a, b"
    assert ThinkNode(Pause(PauseKind.CONSTANT, NS_PER_S)).summary == "think 1s"
    assert request("GET /").summary == "GET /"
    assert request("GET /", measured=False).summary == "GET / (not measured)"

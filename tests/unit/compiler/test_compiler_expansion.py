"""Calls of flows: what they stand for is counted before anything is compiled."""

from __future__ import annotations

import pytest

from tests.support.cpu_time import within_cpu
from tests.support.plans import compiled, findings, plan_text


def chain(length: int, calls: int, step: str = "call: {}") -> str:
    """Return flows that each call the one before `calls` times."""
    lines = ["flows:", "  f0: [{get: /}]"]
    for number in range(1, length):
        one = f"{{{step.format(f'f{number - 1}')}}}"
        lines.append(f"  f{number}: [{', '.join([one] * calls)}]")
    return "\n".join(lines)


def calling(flow: str) -> str:
    return f"users: {{A: {{tasks: [{{task: t, steps: [{{call: {flow}}}]}}]}}}}"


@pytest.mark.parametrize("step", ["call: {}", "repeat: 2, do: [{{call: {}}}]"])
def test_flows_that_multiply_are_refused_at_once(step: str) -> None:
    """At the first flow over the budget; a thousand million steps would follow."""
    [found] = within_cpu(1, lambda: findings(chain(9, 10, step), calling("f8")))

    assert (found.code, found.marked) == ("too-complex", "f4")
    assert "at most 20,000" in found.message


def test_calls_that_are_too_many_together_are_refused() -> None:
    """Each flow is small, and the plan is not."""
    flow = "flows: {f: [" + ", ".join(["{get: /}"] * 100) + "]}"
    tasks = ", ".join(f"{{task: t{number}, steps: [{{call: f}}]}}" for number in range(201))

    [found] = findings(flow, f"users: {{A: {{tasks: [{tasks}]}}}}")

    assert (found.code, found.marked) == ("too-complex", "A")
    assert "20,100 steps" in found.message


def test_a_long_chain_is_refused_where_it_begins_to_be_too_long() -> None:
    """Python's stack would end before a chain of 2,000 flows does."""
    assert compiled(chain(50, 1), calling("f49")).users

    [found] = findings(chain(2000, 1), calling("f1999"))

    assert (found.code, found.marked) == ("too-complex", "f50")


def test_flows_in_a_circle_are_another_fault() -> None:
    """Which is found as before."""
    found = findings("flows: {a: [{call: b}], b: [{call: a}, {call: a}]}", calling("a"))

    assert {fault.code for fault in found} == {"reference-cycle"}


def test_loops_around_calls_look_at_each_flow_once() -> None:
    """Ten loops inside each other around 2,000 calls took a minute."""
    flows = "flows:\n  small: [{get: /, extract: {x: $.x}}]\n  f: [" + ", ".join(
        ["{call: small}"] * 900
    )
    inside = "{call: f}, {get: '/${x}'}"
    for _ in range(10):
        inside = f"{{while: 'true', do: [{inside}]}}"
    plan = plan_text(flows + "]", f"users: {{A: {{steps: [{inside}]}}}}")

    assert within_cpu(3, lambda: compiled(plan)).users


@pytest.mark.slow
def test_a_list_of_many_steps_takes_no_more_time_for_each() -> None:
    """What later steps read of a reply was gathered anew for each step: 15 s for 20,000."""
    steps = ", ".join("{get: /}" for _ in range(6000))

    assert within_cpu(4, lambda: compiled(f"users: {{A: {{steps: [{steps}]}}}}")).users

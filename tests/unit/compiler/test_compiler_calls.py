"""Calls of flows: their arguments, and what is known after them."""

from __future__ import annotations

import pytest

from planrunner.graph.steps import CallNode
from tests.support.plans import compiled, findings

PLAN = """
params: {limit: {type: int, default: 3}}
flows:
  plain: [{get: /}]
  login: {args: {role: buyer, most: "${limit}"}, do: [{get: "/${role}", extract: {token: $.t}}]}
users: {A: {steps: [%s]}}
"""


def call(text: str) -> CallNode:
    node = compiled(PLAN % text).users[0].tasks[0].steps[0]
    assert isinstance(node, CallNode)
    return node


def values(node: CallNode) -> dict[str, object]:
    return {name: evaluate({"who": "me"}) for name, evaluate in node.arguments}


def test_arguments_have_the_flows_values_or_the_calls() -> None:
    """Params and names of the caller are theirs to read."""
    assert values(call("{call: login}")) == {"role": "buyer", "most": 3}
    assert values(call("{call: {flow: login, role: '${limit + 1}'}}"))["role"] == 4
    assert call("{call: plain}").is_plain


def test_what_a_flow_sets_is_known_after_it() -> None:
    """By its own name, and under that of the call."""
    text = "{call: {flow: login, as: session}}, {log: '${token} ${session.token}'}"
    node = call(text)

    assert (node.target, node.names) == ("session", ("token",))
    assert compiled(PLAN % text)


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        ("{call: {flow: login, rule: x}}", "`login` has no argument `rule`"),
        ("{call: {flow: plain, role: x}}", "`plain` has no argument `role`"),
        ("{call: {flow: logn}}", "unknown flow `logn`"),
        ("{call: login}, {log: '${role}'}", "unknown name `role`"),
        ("{call: {flow: login, role: '${nobody}'}}", "unknown name `nobody`"),
        ("{call: {role: x}}", "`call` needs the name of a flow"),
        ("{call: {flow: login, as: json}}", "`json` is a name that planrunner reserves"),
        ("{call: {flow: login, as: limit}}", "`limit` is already a param"),
    ],
)
def test_a_wrong_call_is_found(steps: str, message: str) -> None:
    """At its own place."""
    assert message in [fault.message for fault in findings(PLAN % steps)]


def test_an_argument_hides_a_param_in_its_flow() -> None:
    """Also in what the flow sets; outside, and in the call's own values, the param is meant."""
    graph = compiled(
        "params: {a: {type: int, default: 1}}"
        "\nflows: {f: {args: {a: 2}, do: [{log: 'in ${a}'}, {set: {a: '${a + 1}'}}]}}"
        "\nusers: {A: {steps: [{call: f}, {call: {flow: f, a: '${a + 10}'}}, {log: 'out ${a}'}]}}"
    )
    first, second, last = graph.users[0].tasks[0].steps

    assert [node.arguments[0][1]({}) for node in (first, second)] == [2, 11]
    assert first.steps[0].text({"a": 5}) == "in 5"
    assert last.text({}) == "out 1"


@pytest.mark.parametrize("name", ["json", "rows"])
def test_an_argument_hides_no_other_name_of_the_plan(name: str) -> None:
    """Replies and data have names of their own."""
    [found] = findings(
        f"data: {{rows: {{list: [1]}}}}\nflows: {{f: {{args: {{{name}: 2}}, do: [{{get: /}}]}}}}"
        "\nusers: {A: {steps: [{call: f}]}}"
    )

    assert found.code in ("reserved-name", "duplicate-name")


def test_sources_are_found_in_flows_that_cases_call() -> None:
    """Whatever stands around the call."""
    graph = compiled(
        "data: {ids: {list: [1, 2]}}",
        "flows: {f: [{get: '/${ids}'}]}",
        "users: {A: {steps: [{get: /}, {switch: status, cases: {200: [{call: f}]}}]}}",
    )

    assert graph.users[0].data == ("ids",)

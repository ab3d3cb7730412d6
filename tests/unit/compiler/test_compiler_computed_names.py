"""`name:` with expressions: what is known before the run, and what thresholds may name."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planrunner.engine.workers.local import requests_of
from planrunner.graph.run_graph import PollNode, RequestNode, walk_steps
from planrunner.graph.steps import Naming
from tests.support.plans import compiled, findings

PARAMS = "params: {path: {type: str, default: cart}, key: {type: str, default: k, secret: true}}"


def names(*sections: str) -> list[tuple[str, str, bool]]:
    """Return each request's name and template, and whether only a user knows the name."""
    return [
        (one.name, one.template, one.naming is not None)
        for one in requests_of(compiled(PARAMS, *sections))
    ]


def steps(*steps: str) -> str:
    return f"users: {{A: {{steps: [{', '.join(steps)}]}}}}"


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("plain", ("plain", "", False)),
        ("'5$${x}'", ("5${x}", "", False)),
        ("'GET ${path}'", ("GET cart", "GET ${path}", False)),
        ("'${path | upper}'", ("CART", "${path | upper}", False)),
        ("'it ${iteration}'", ("it ${iteration}", "it ${iteration}", True)),
        ("'k ${key}'", ("k ${key}", "k ${key}", True)),
        ("7", ("7", "", False)),
    ],
)
def test_a_name_is_rendered_as_early_as_it_can_be(name: str, wanted: tuple[str, str, bool]) -> None:
    """Only what users know is left to the run, and what must be masked."""
    assert names(steps(f"{{get: /, name: {name}}}")) == [wanted]


def test_constant_arguments_of_a_flow_give_constant_names() -> None:
    """Those of its callers too, unless a step changes them."""
    flows = """
    flows:
      inner: {args: {b: y}, do: [{get: /, name: "${a} ${b}"}]}
      outer: {args: {a: x}, do: [{get: /, name: "is ${a}"}, {call: {flow: inner, b: "${a}!"}}]}
      other: {args: {a: x}, do: [{set: {a: z}}, {get: /, name: "set ${a}"}]}
    """

    calls = "{call: outer}", "{call: {flow: outer, a: '${path}'}}", "{call: other}"

    assert names(flows, steps(*calls, "{call: {flow: outer, a: '${iteration}'}}")) == [
        ("is x", "is ${a}", False),
        ("x x!", "${a} ${b}", False),
        ("is cart", "is ${a}", False),
        ("cart cart!", "${a} ${b}", False),
        ("set ${a}", "set ${a}", True),
        ("is ${a}", "is ${a}", True),
        ("${a} ${b}", "${a} ${b}", True),
    ]


def test_an_argument_made_of_a_secret_is_no_constant() -> None:
    """Its value is masked when the run names the request."""
    flows = "flows: {f: {args: {a: x}, do: [{get: /, name: 'is ${a}'}]}}"

    assert names(flows, steps("{call: {flow: f, a: '${key}'}}")) == [("is ${a}", "is ${a}", True)]


def test_a_poll_may_be_named_so_too() -> None:
    """By the step, or by its request."""
    plan = steps(
        "{poll: /, name: 'poll ${iteration}', until: status == 200}",
        "{poll: {get: /, name: 'own ${path}'}, until: status == 200}",
    )
    polls = [
        one
        for one in walk_steps(compiled(PARAMS, plan).users[0].tasks[0].steps)
        if isinstance(one, PollNode)
    ]

    assert [(one.request.name, one.request.naming is None) for one in polls] == [
        ("poll ${iteration}", False),
        ("own cart", True),
    ]


def test_other_protocols_name_their_requests_alike() -> None:
    """Every request has a name."""
    etcd = 'etcd: {endpoints: ["127.0.0.1:1"]}'

    assert names(etcd, steps("{etcd.get: {key: a, name: 'read ${path}'}}")) == [
        ("read cart", "read ${path}", False)
    ]


def test_a_task_of_one_request_is_called_as_it_is_written() -> None:
    """Names of tasks are in thresholds, `needs` and the mix."""
    graph = compiled(PARAMS, "users: {A: {tasks: [{get: /, name: 'GET ${path}'}]}}")

    assert graph.users[0].tasks[0].name == "GET ${path}"


@pytest.mark.parametrize(
    ("name", "code", "marked"),
    [
        ("'${nobody}'", "unknown-name", "nobody"),
        ("'${json.a}'", "unknown-name", "json.a"),
        ("'${a b}'", "expression-syntax", "b"),
        ("''", "invalid-value", "''"),
        ("[a]", "wrong-type", "[a]"),
    ],
)
def test_a_faulty_name_is_found_before_the_run(name: str, code: str, marked: str) -> None:
    """As in any other text of a request."""
    [found] = findings(steps(f"{{get: /, name: {name}}}"))

    assert (found.code, found.marked) == (code, marked)


@pytest.mark.parametrize(
    ("selector", "is_known"),
    [
        ('"GET /${iteration}"', True),
        ('"GET /7"', True),
        ('"GET /"', True),
        ('"__other__"', True),
        ('"POST /7"', False),
        ('"own ${path}"', True),
        ('"own cart"', True),
        ('"own other"', False),
        ('"GET /*"', True),
        ('"PUT /*"', False),
        ("/^GET .[0-9]$/", True),
        ('each "GET /*"', True),
    ],
)
def test_a_threshold_names_a_template_or_what_may_come_of_it(
    selector: str, *, is_known: bool
) -> None:
    """What can't be produced is unknown, as any other name."""
    plan = (
        PARAMS,
        steps("{get: /, name: 'GET /${iteration}'}", "{get: /, name: 'own ${path}'}"),
        f"thresholds: ['p95 of {selector} < 1s']",
    )

    if is_known:
        assert not compiled(*plan).thresholds[0].not_applicable
    else:
        [found] = findings(*plan)
        assert found.code == "unknown-selector"


def test_a_name_of_a_task_that_does_not_run_is_not_applicable() -> None:
    """A possible name belongs to the tasks of its template."""
    from planrunner.compiler.load.selection import PlanSelection  # noqa: PLC0415 - once

    plan = """
    users:
      A:
        tasks:
          - {task: one, steps: [{get: /, name: "GET /${iteration}"}]}
          - {task: two, steps: [{get: /b}]}
    """
    selection = PlanSelection(tasks=("two",))

    graph = compiled(plan, "thresholds: ['p95 of \"GET /7\" < 1s']", selection=selection)

    assert graph.thresholds[0].not_applicable == "task one not selected"


@given(
    fixed=st.lists(st.text("ab/", max_size=3), min_size=2, max_size=4),
    values=st.lists(st.text("abc/", max_size=4), min_size=3, max_size=3),
)
def test_what_a_template_gives_it_can_give(fixed: list[str], values: list[str]) -> None:
    """Whatever the values of its expressions are."""
    name = fixed[0] + "".join(v + piece for v, piece in zip(values, fixed[1:], strict=False))

    assert Naming(lambda _: "", tuple(fixed)).can_give(name)


def test_a_request_without_expressions_in_its_name_has_no_template() -> None:
    """It is bound and recorded as ever: nothing is computed for it."""
    request = next(requests_of(compiled(steps("{get: '/${iteration}'}"))))

    assert isinstance(request, RequestNode)
    assert (request.name, request.template, request.naming) == ("GET /${iteration}", "", None)

"""Params stand wherever a value is wanted that is known before the run."""

from __future__ import annotations

from pathlib import Path

import pytest

from planrunner.compiler import compile_plan
from planrunner.graph.run_graph import RequestNode
from planrunner.language.diagnostics import Code, PlanError
from planrunner.plan.loader import load
from planrunner.protocols.base import Reply

PLAN = """
name: params everywhere
params:
  yes_: {{type: bool, default: true}}
  no_: {{type: bool, default: false}}
  n: {{type: int, default: 2}}
  word: {{type: str, default: maybe}}
data: {{rows: {{list: [1, 2], unique: {yes}}}}}
setup: {{measure: {yes}, do: [{{get: /}}]}}
http:
  base_url: http://localhost:1
  verify: {no}
  follow_redirects: {no}
  pool: {{keepalive: {no}, per_user: {n}}}
users:
  A:
    on_start: {{measure: {yes}, do: [{{get: /in}}]}}
    steps:
      - {{get: /, follow_redirects: {yes}, measure: {no}, retry: {n}}}
      - {{get: /, retry: {{times: {n}}}}}
phases:
  - search: {{vary: users, from: 1, to: 9, hold: 1s, slo: [p95 < 1s],
              refine: {n}, confirm: {n}, step: {step}}}
"""


def describe(folder: Path, yes: str, no: str, n: str, step: str = "+1") -> str:
    """Write, load and compile the plan, and return all that comes out but functions' addresses."""
    (folder / "plan.yaml").write_text(PLAN.format(yes=yes, no=no, n=n, step=step))
    graph = compile_plan(load(folder / "plan.yaml", environ={}))
    shown = repr((graph.settings, graph.data, graph.setup, graph.users, graph.phases))
    return " ".join(part for part in shown.split() if not part.startswith("0x"))


def test_params_give_what_values_give(tmp_path: Path) -> None:
    """True, false and whole numbers can be params at each key that takes them."""
    written = describe(tmp_path, "true", "false", "2")
    assert describe(tmp_path, '"${yes_}"', '"${no_}"', '"${n}"') == written


def test_lengths_take_params(tmp_path: Path) -> None:
    """An expectation is told in the plan's own words, and judged by the param's value."""
    length = '{length: "${n}"}'
    (tmp_path / "plan.yaml").write_text(f"""
name: lengths
http: {{base_url: http://localhost:1}}
params: {{n: {{type: int, default: 2}}}}
users: {{A: {{steps: [{{get: /, expect: {{json: {{$.a: {length}}}}}}}]}}}}
phases: [{{users: 1, iterations: 1}}]
""")
    graph = compile_plan(load(tmp_path / "plan.yaml", environ={}))
    (step,) = graph.users[0].tasks[0].steps
    assert isinstance(step, RequestNode)
    assert step.exchange.expected == ("status 2xx or 3xx", "json $.a: length ${n}")
    (check,) = step.exchange.checks
    reply = Reply()
    reply.body = b'{"a": [1, 2]}'
    assert check(reply, {}) is None
    reply.body = b'{"a": [1]}'
    assert "expected a length of 2" in str(check(reply, {}))


@pytest.mark.parametrize(
    ("step", "written"), [("${n}", "+2"), ("x${n}", "x2"), ("x ${n * 0.75}", "x1.5"), ("+${n}", 2)]
)
def test_a_step_of_a_search_takes_params(tmp_path: Path, step: str, written: str) -> None:
    """What is added, and a factor."""
    plan = ("true", "false", "2")
    assert describe(tmp_path, *plan, step=f'"{step}"') == describe(tmp_path, *plan, step=written)


@pytest.mark.parametrize("step", ["${", "+${n", "x${"])
def test_a_step_with_half_an_expression_is_refused(tmp_path: Path, step: str) -> None:
    """A slip of the pen is a fault of the plan, not of planrunner."""
    with pytest.raises(PlanError) as caught:
        describe(tmp_path, "true", "false", "2", step=f'"{step}"')
    (found,) = caught.value.diagnostics
    assert found.code is Code.EXPRESSION_SYNTAX


@pytest.mark.parametrize("step", ["x${n - 1}", "x${word}", "${word}"])
def test_a_step_that_is_none_is_refused(tmp_path: Path, step: str) -> None:
    """A factor of 1 gets nowhere."""
    with pytest.raises(PlanError) as caught:
        describe(tmp_path, "true", "false", "2", step=f'"{step}"')
    assert [diagnostic.code for diagnostic in caught.value.diagnostics] == [Code.INVALID_UNIT]


@pytest.mark.parametrize("value", ["${n}", "${word}"])
def test_what_is_neither_true_nor_false_is_refused(tmp_path: Path, value: str) -> None:
    """Neither a number nor any word is taken for a truth."""
    with pytest.raises(PlanError) as caught:
        describe(tmp_path, f'"{value}"', "false", "2")
    found = {diagnostic.code for diagnostic in caught.value.diagnostics}
    assert found == {Code.INVALID_UNIT}


def test_connections_of_a_user_are_limited(tmp_path: Path) -> None:
    """A param gets no further than a number that is written."""
    with pytest.raises(PlanError) as caught:
        describe(tmp_path, "true", "false", '"${n * 40}"')
    found = [diagnostic.message for diagnostic in caught.value.diagnostics]
    assert found == ["a user can have at most 64 connections"]

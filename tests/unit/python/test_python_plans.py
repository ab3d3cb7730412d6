"""Plans that are written in Python."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planrunner import Plan, PlanError, UsageError
from planrunner.plan.yaml.document import parse
from planrunner.python.yaml_text import as_yaml

VISITOR: dict[str, Any] = {"Visitor": {"tasks": [{"get": "/products"}]}}
HTTP = {"base_url": "http://127.0.0.1:1"}
COUNTED = [{"users": 1, "iterations": 1}]

_SCALARS = st.none() | st.booleans() | st.integers(-(10**15), 10**15) | st.text(max_size=20)
_TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=12)
_VALUES = st.recursive(
    _SCALARS.filter(lambda value: not isinstance(value, str)) | _TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXTS, inner, max_size=3),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from(["users", "phases", "data", "params"]), _VALUES, min_size=1))
def test_what_is_written_is_read_again(sections: dict[str, object]) -> None:
    """Whatever the texts look like: numbers, words of YAML, expressions."""
    assert parse(as_yaml(sections), "plan.yaml").data == sections


def test_is_written_as_a_person_would() -> None:
    """In blocks, and with quotes only where YAML needs them."""
    plan = Plan(
        name="shop",
        http={"base_url": "${services.shop.url}"},
        users={"Visitor": {"steps": [{"get": "/"}, {"think": timedelta(seconds=1.5)}]}},
        phases=({"users": 3, "hold": "10s"},),
        thresholds=["p95 < 500ms"],
    )

    assert plan.to_yaml() == (
        "name: shop\n"
        'http:\n  base_url: "${services.shop.url}"\n'
        "users:\n  Visitor:\n    steps:\n      - get: /\n      - think: 1s500ms\n"
        "phases:\n  - users: 3\n    hold: 10s\n"
        'thresholds:\n  - "p95 < 500ms"\n'
    )


@pytest.mark.parametrize(
    ("sections", "found"),
    [
        ({"users": VISITOR, "phases": [{"users": 1, "hold": 5}]}, {"phases[0].hold"}),
        ({"users": VISITOR, "phases": COUNTED, "thresholds": ["p95 <"]}, {"thresholds[0]"}),
        (
            {"users": {"A": {"tasks": [{"get": "/", "expect": {"staus": 1}}]}}, "phases": COUNTED},
            {"users.A.tasks[0].expect.staus"},
        ),
        ({"usrs": VISITOR, "phases": COUNTED}, {"usrs"}),
        ({}, {"Plan()"}),
        ({"users": VISITOR, "phases": None}, {"phases"}),
        ({"users": [], "phases": COUNTED}, {"users"}),
    ],
)
def test_a_fault_names_the_argument(sections: dict[str, Any], found: set[str]) -> None:
    """In place of a line that nobody wrote."""
    with pytest.raises(PlanError) as failed:
        Plan(**{"http": HTTP, **sections}).validate()

    assert {fault.argument for fault in failed.value.diagnostics} == found
    assert ".yaml" not in str(failed.value)


@pytest.mark.parametrize(
    ("users", "message"),
    [
        (object, "users"),
        ({"A": {"weight": float("inf")}}, "users.A.weight"),
        ({"A": {"tasks": [{"get": b"/"}]}}, "users.A.tasks[0].get"),
    ],
)
def test_a_value_that_yaml_lacks_is_refused_at_once(users: object, message: str) -> None:
    """With its path."""
    with pytest.raises(UsageError, match="can't be part of a plan") as failed:
        Plan(users=users)

    assert failed.value.message.startswith(f"{message}: ")


def test_a_value_that_is_part_of_itself_is_refused() -> None:
    """And does not run for ever."""
    users: dict[str, object] = {}
    users["A"] = users

    with pytest.raises(UsageError, match="nested too deeply"):
        Plan(users=users)


WRITTEN = """\
# top
name: shop   # its name
http:
  base_url: http://127.0.0.1:1   # where
# about users
users:
  Visitor:
    # first
    tasks:
      - get: /products  # last
# about phases

phases: [{users: 3, iterations: 50}]
# end
"""


def test_yaml_keeps_its_text() -> None:
    """With every comment."""
    assert Plan.from_yaml(WRITTEN).to_yaml() == WRITTEN


def test_replacing_sections_keeps_the_comments_around_them() -> None:
    """Whether they are replaced, added or taken away."""
    plan = Plan.from_yaml(WRITTEN).replace(
        name=None, users={"Guest": {"tasks": [{"get": "/a"}]}}, thresholds=["p95 < 1s"]
    )

    assert plan.to_yaml() == (
        "# top\nhttp:\n  base_url: http://127.0.0.1:1   # where\n"
        "# about users\nusers:\n  Guest:\n    tasks:\n      - get: /a\n# about phases\n\n"
        "phases: [{users: 3, iterations: 50}]\n# end\n"
        'thresholds:\n  - "p95 < 1s"\n'
    )


def test_a_plan_on_one_line_can_be_changed_too() -> None:
    """Its braces are written out."""
    plan = Plan.from_yaml("{name: a,\n http: {base_url: 'http://127.0.0.1:1'}}\n")

    assert plan.replace(name="b").to_yaml().startswith("name: b\n")


def test_faults_of_a_file_keep_their_lines(tmp_path: Path) -> None:
    """As there is a file to look at."""
    path = tmp_path / "a plan.yaml"
    path.write_text(WRITTEN.replace("iterations", "iteration"), "utf-8")

    with pytest.raises(PlanError) as failed:
        Plan.from_yaml(path).validate()

    assert str(failed.value.diagnostics[0].span) == f"{path}:13:21"


def test_says_what_it_would_do() -> None:
    """As `planrunner explain` does, with the values that the call gives."""
    plan = Plan(
        params={"count": {"type": "int", "default": 3}},
        http=HTTP,
        users=VISITOR,
        phases=[{"users": "${count}", "hold": "5s"}],
    )

    assert "7 users" in plan.explain(params={"count": 7})
    assert plan.validate() == ()


def test_an_unknown_keyword_is_refused_as_python_does() -> None:
    """With the one that was meant."""
    with pytest.raises(TypeError, match="'profil': did you mean `profile`"):
        Plan(users=VISITOR).validate(profil="a")  # type: ignore[call-arg]

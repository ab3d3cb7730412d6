"""Changes that an editor offers: what mends a finding, and what means the same."""

from __future__ import annotations

from pathlib import Path

import pytest
from lsprotocol import types

from planrunner.cli.commands.validate import check
from planrunner.cli.plan_options import PlanOptions
from planrunner.lsp.findings.diagnostics import diagnostics_of
from planrunner.lsp.findings.quick_fixes import quick_fixes
from planrunner.lsp.refactoring.actions import refactorings, written_path
from tests.support.plan_views import lines_of, place_of, view_of

PLAN = """\
name: shop
http: {base_url: "http://127.0.0.1:1", timeout: 5s}
params: {users: {type: int, default: 2}}
users:
  Buyer:
    steps:
      - get: /items/${rand.int(1, 9)}
        extract: {id: $.id}
      - post: /cart
        json: {id: "${id}"}
        when: users > 1
      - {get: "/pay/${id}?now=1"}
phases:
  - {users: "${users}", hold: 1s}
thresholds:
  - p95 < 500ms
"""


def edited(text: str, edits: list[types.TextEdit]) -> str:
    """Return what an editor would make of a text."""
    lines = text.split("\n")

    def offset(place: types.Position) -> int:
        return sum(len(line) + 1 for line in lines[: place.line]) + place.character

    for one in sorted(edits, key=lambda one: offset(one.range.start), reverse=True):
        text = text[: offset(one.range.start)] + one.new_text + text[offset(one.range.end) :]
    return text


@pytest.mark.parametrize(
    ("right", "wrong", "titles"),
    [
        ("p95 < 500ms", "p95 < 500", ["Replace by `500ms`", "Replace by `500s`"]),
        ("timeout: 5s", "timeout: 5 sec", ["Replace by `5s`"]),
        ("when: users > 1", "when: ${users > 1}", ["Replace by `users > 1`"]),
        ("name: shop", "name: shop: the test", ['Replace by `"shop: the test"`']),
        ("/cart", "/cart/{{ users }}", ["Replace by `${users}`"]),
        ("hold: 1s", "duration: 1s", ["Replace by `hold`"]),
    ],
)
def test_what_a_hint_says_is_one_edit(
    tmp_path: Path, right: str, wrong: str, titles: list[str]
) -> None:
    """The first of them makes the plan valid."""
    text, file = PLAN.replace(right, wrong), tmp_path / "plan.yaml"
    checked = check(file, PlanOptions(), text=text)
    lines = lines_of(text)
    shown = diagnostics_of(checked, str(file), {str(file): lines}.__getitem__)[str(file)]
    pairs = list(zip(checked.faults, shown, strict=True))

    fixes = quick_fixes("file:///p", pairs, lines, shown[0].range)

    assert [one.title for one in fixes] == titles
    edit = fixes[0].edit
    assert edit is not None
    assert edit.changes is not None
    mended = edited(text, list(edit.changes["file:///p"]))
    assert check(file, PlanOptions(), text=mended).faults == ()


@pytest.mark.parametrize(
    ("first", "last", "title", "written"),
    [
        ("get: /items", "get: /items", "Name this request", "\n        name: GET /items/:id\n"),
        ("{get: ", "{get: ", "Name this request", ", name: GET /pay/:id}"),
        (
            "- get: /items",
            "when: users",
            "Extract the flow",
            "      - call: extracted\n      - {get",
        ),
    ],
)
def test_what_an_action_writes_is_the_same_plan(
    tmp_path: Path, first: str, last: str, title: str, written: str
) -> None:
    """A request gets a name, steps become a flow."""
    file = tmp_path / "plan.yaml"
    file.write_text(PLAN)
    view = view_of(file)
    asked = types.Range(place_of(PLAN, PLAN.index(first)), place_of(PLAN, PLAN.index(last)))

    found = next(one for one in refactorings(view, asked) if one.title.startswith(title))

    assert found.edit is not None
    assert found.edit.changes is not None
    changed = edited(PLAN, list(found.edit.changes[view.uri]))
    assert written in changed
    assert check(file, PlanOptions(), text=changed).faults == ()


def test_a_second_flow_joins_the_first(tmp_path: Path) -> None:
    """And has a name that is free."""
    text = PLAN.replace("users:\n  B", "flows:\n  extracted:\n    - get: /x\n\nusers:\n  B")
    file = tmp_path / "plan.yaml"
    file.write_text(text)
    view, place = view_of(file), place_of(text, text.index("- post"))

    (found,) = [one for one in refactorings(view, types.Range(place, place)) if "flow" in one.title]

    assert found.edit is not None
    assert found.edit.changes is not None
    changed = edited(text, list(found.edit.changes[view.uri]))
    assert "    - get: /x\n  extracted-2:\n    - post: /cart\n      json:" in changed
    assert check(file, PlanOptions(), text=changed).faults == ()


def test_names_of_requests_have_words_for_expressions() -> None:
    """What is drawn is an id."""
    assert written_path("GET /a/${user.id}/b/${rand.int(1, 9)}?x=${y}") == "GET /a/:id/b/:id"

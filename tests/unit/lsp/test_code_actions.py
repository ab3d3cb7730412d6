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
from tests.support.plan_views import place_of, view_of

PLAN = """\
name: shop
http: {base_url: "http://127.0.0.1:1", timeout: 5s}
etcd: {endpoints: ["127.0.0.1:1"]}
params: {users: {type: int, default: 2}, long: {type: duration, default: 1s}}
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
        # a unit, quotes, braces, another word
        ("p95 < 500ms", "p95 < 500", ["Replace by `500ms`", "Replace by `500s`"]),
        ("timeout: 5s", "timeout: 5 sec", ["Replace by `5s`"]),
        ("when: users > 1", "when: ${users > 1}", ["Replace by `users > 1`"]),
        ("name: shop", "name: shop: the test", ['Replace by `"shop: the test"`']),
        ("/cart", "/cart/{{ users }}", ["Replace by `${users}`"]),
        ("/cart", "/cart/${users", ["Add `}`"]),
        ("hold: 1s", "hold: long", ['Replace by `"${long}"`']),
        ("hold: 1s", "hold: $long", ['Replace by `"${long}"`']),
        ("users: {type: int, default: 2}", "users: 2", ["Write it as a default"]),
        (
            "  Buyer:\n",
            "  Buyer:\n    session: visit\n",
            ["Replace by `user`", "Replace by `iteration`"],
        ),
        ("p95 < 500ms", "p95 < long", ["Replace by `${long}`"]),
        ("p95 < 500ms", "p95 < {long}", ["Replace by `${long}`"]),
        ("p95 < 500ms", "{p95: 500ms}", ["Replace by `p95 < 500ms`"]),
        # to its place
        (
            "      - post: /cart\n",
            "      - etcd.put: {key: a, value: b}\n        name: PUT a\n      - post: /cart\n",
            ["Put `name` into `etcd.put`"],
        ),
        (
            "      - post: /cart\n",
            "      - etcd.get:\n          key: a\n        timeout: 2s  # s\n      - post: /cart\n",
            ["Put `timeout` into `etcd.get`"],
        ),
        ("/cart\n", "/cart\n        status: 200\n", ["Put `status` into `expect`"]),
        (
            "phases:\n",
            "  Other:\n    steps: [{get: /}]\n    outputs: [jsonl: {file: a.jsonl}]\nphases:\n",
            ["Outdent it"],
        ),
        # old words: Locust, k6, JMeter and Taurus, Artillery
        ("  Buyer:\n", "  Buyer:\n    wait_time: 1s..2s\n", ["Replace by `wait`"]),
        (
            "  Buyer:\n",
            "  Buyer:\n    min_wait: 1s\n    max_wait: 2s\n",
            ["Write both as one range"] * 2,
        ),
        ('"${id}"', '"${__VU}"', ["Replace by `user.id`"]),
        ('"${id}"', '"${__ENV.PLACE}"', ["Read `PLACE` into the param `place`"]),
        ('"${id}"', '"${__Random(1, 5)}"', ["Replace by `rand.int(1, 10)`"]),
        (
            'phases:\n  - {users: "${users}", hold: 1s}\n',
            "vus: 3\nrun_time: 1s\nramp-up: 1s\n",
            ["Write the load as a phase"] * 3,
        ),
        ("hold: 1s", "hold-for: 1s", ["Replace by `hold`"]),
        ("hold: 1s", "duration: 1s", ["Replace by `hold`"]),
        ('users: "${users}"', "vus: 3", ["Replace by `users`"]),
        ("hold: 1s}", "hold: 1s, executor: constant-vus}", ["Remove `executor`"]),
        ("post: /cart", "method: POST\n        url: /cart", ["Write the verb as the key"]),
        ("post: /cart", "self.client.post: /cart", ["Write the verb as the key"]),
        ("/cart\n", "/cart\n        assertions: {status: 200}\n", ["Replace by `expect`"]),
        ("/cart\n", "/cart\n        capture: {a: $.a}\n", ["Replace by `extract`"]),
        (
            "      - post: /cart\n",
            "      - loop: 2\n        do: [{get: /}]\n      - post: /cart\n",
            ["Replace by `repeat`"],
        ),
        (
            'http: {base_url: "http://127.0.0.1:1", timeout: 5s}',
            "host: http://127.0.0.1:1",
            ["Replace by `http: {base_url: …}`"],
        ),
    ],
)
def test_what_a_hint_says_is_one_edit(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    right: str,
    wrong: str,
    titles: list[str],
) -> None:
    """The first of them makes the plan valid."""
    assert right in PLAN
    monkeypatch.setenv("PLACE", "a")
    text, file = PLAN.replace(right, wrong), tmp_path / "plan.yaml"
    file.write_text(text)
    view = view_of(file, checks=True)
    checked = view.facts.checked
    shown = diagnostics_of(checked, str(file), {str(file): view.lines}.__getitem__)[str(file)]

    fixes = quick_fixes(view, list(zip(checked.faults, shown, strict=True)))

    assert [one.title for one in fixes] == titles
    edit = fixes[0].edit
    assert edit is not None
    assert edit.changes is not None
    mended = edited(text, list(edit.changes[view.uri]))
    assert [one.message for one in check(file, PlanOptions(), text=mended).faults] == []


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

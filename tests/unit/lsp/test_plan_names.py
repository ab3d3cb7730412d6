"""Names of plans: where each is given and used, and what another name changes."""

from __future__ import annotations

from pathlib import Path

import pytest
from lsprotocol import types
from pygls import uris

from planrunner.errors import UsageError
from planrunner.lsp.documents.view import PlanView
from planrunner.lsp.grammar.shapes import shape_of_plan
from planrunner.lsp.navigation.jumps import definitions, references
from planrunner.lsp.navigation.renaming import prepare_rename, rename
from tests.support.plan_views import view_of

PLAN = """\
name: shop
imports: [shared/login.yaml]
params:
  size: {type: int, default: 3}
  limit: {type: duration, default: 1s}
data:
  accounts: {list: [{user: a}]}
users:
  Buyer:
    state: {cart: 0}
    tasks:
      - task: buy
        needs: {is: cart < size, else: look}
        tags: [write]
        steps:
          - call: {flow: login, role: "${accounts.user}"}
          - get: "/items/${size}/${token}"
            name: GET item
          - {group: pay, do: [{set: {cart: "${cart + size}"}}]}
      - {task: look, get: "/"}
phases:
  - name: peak
    users: {Buyer: 2}
    hold: 1s
thresholds:
  - 'p95 of "GET item" in phase peak < ${limit}'
  - "p95 of task:look and user:Buyer < 1s"
  - p95 of group:pay < 1s
"""
IMPORTED = """\
flows:
  login:
    args: {role: x}
    do:
      - post: /login
        json: {role: "${role}", size: "${size}"}
        extract: {token: $.token}
"""


@pytest.fixture(autouse=True, scope="module")
def schema() -> None:
    """Make the schema once."""
    shape_of_plan()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "shared").mkdir()
    (tmp_path / "plan.yaml").write_text(PLAN)
    (tmp_path / "shared" / "login.yaml").write_text(IMPORTED)
    return tmp_path


def at(view: PlanView, words: str, *, inside: int = 1) -> types.Position:
    """Return the place of some words of the text, a little behind where they begin."""
    before = view.text[: view.text.index(words) + inside]
    return types.Position(before.count("\n"), len(before) - before.rfind("\n") - 1)


def change(edit: types.WorkspaceEdit) -> None:
    """Write what an editor would."""
    for uri, edits in (edit.changes or {}).items():
        path = Path(uris.to_fs_path(uri) or "")
        lines = path.read_text().split("\n")
        for one in sorted(edits, key=lambda e: (e.range.start.line, e.range.start.character))[::-1]:
            row = one.range.start.line
            line = lines[row]
            start, end = one.range.start.character, one.range.end.character
            lines[row] = line[:start] + one.new_text + line[end:]
        path.write_text("\n".join(lines))


@pytest.mark.parametrize(
    ("words", "inside", "given", "count"),
    [
        ("size}/", 1, "size: {type", 5),
        ('role: "${acc', 1, None, 3),
        ("accounts.user", 1, "accounts: {list", 2),
        ("token}", 1, None, 2),
        ("flow: login", 7, None, 2),
        ("shared/login", 3, None, 0),
        ("else: look", 7, "look, get", 3),
        ("cart + size", 1, "cart: 0", 4),
        ('"GET item" in', 2, "GET item\n", 2),
        ("in phase peak", 10, "peak\n    users", 2),
        ("{Buyer: 2}", 2, "Buyer:\n    state", 3),
        ("group:pay", 7, "pay, do", 2),
        ("${limit}", 3, "limit: {type", 2),
    ],
)
def test_each_name_leads_to_where_it_is_given(
    folder: Path, words: str, inside: int, given: str | None, count: int
) -> None:
    """And from there to all that use it, in imported files too."""
    view = view_of(folder / "plan.yaml")
    place = at(view, words, inside=inside)

    found = definitions(view, place)

    assert found
    if given is None:
        assert found[0].uri.endswith("login.yaml")
    else:
        assert found[0].range.start == at(view, given, inside=0)
    assert len(references(view, place, with_definitions=True)) == count


@pytest.mark.parametrize(
    ("words", "inside", "new"),
    [
        ("size}/", 1, "amount"),
        ("flow: login", 7, "sign-in"),
        ('role: "${acc', 1, "part"),
        ("token}", 1, "ticket"),
        ("in phase peak", 10, "top"),
        ("{Buyer: 2}", 2, "Customer"),
        ("else: look", 7, "peer"),
        ("GET item\n", 2, "GET /items/:id"),
    ],
)
def test_a_name_that_changes_and_changes_back_leaves_the_same_bytes(
    folder: Path, words: str, inside: int, new: str
) -> None:
    """In the plan and in what it imports."""
    view = view_of(folder / "plan.yaml")
    place = at(view, words, inside=inside)
    old = view.text[view.reading.offset(prepare_rename(view, place).start) :]  # type: ignore[union-attr]

    change(rename(view, place, new))
    changed = view_of(folder / "plan.yaml")
    assert changed.text != PLAN
    change(rename(changed, at(changed, new), old[: len(_name(old))]))

    assert (folder / "shared" / "login.yaml").read_text() == IMPORTED
    assert (folder / "plan.yaml").read_text() == PLAN


def _name(text: str) -> str:
    """Return the name that a text begins with."""
    known = ("size", "login", "role", "token", "peak", "Buyer", "look", "GET item")
    return next(one for one in known if text.startswith(one))


def test_an_imported_file_knows_who_imports_it(folder: Path) -> None:
    """What it uses may be the plan's, and what it gives is used there."""
    view = view_of(folder / "shared" / "login.yaml", folder / "plan.yaml")

    (found,) = definitions(view, at(view, "${size}", inside=3))
    changes = rename(view, at(view, "login:"), "enter").changes or {}

    assert found.uri == (folder / "plan.yaml").as_uri()
    assert {Path(uri).name for uri in changes} == {"plan.yaml", "login.yaml"}


def test_what_can_not_be_a_name_is_refused(folder: Path) -> None:
    """With what to do instead."""
    view = view_of(folder / "plan.yaml")
    place = at(view, "size}/")
    for new, why in (
        ("1x", "letters"),
        ("limit", "already"),
        ("json", "reserves"),
        ("", "letters"),
    ):
        with pytest.raises(UsageError) as refused:
            rename(view, place, new)
        assert why in refused.value.message + refused.value.hint
    assert prepare_rename(view, at(view, "hold: 1s")) is None

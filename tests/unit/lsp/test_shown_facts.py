"""What the compiler knows, shown in an editor: on hover, between characters, above lines."""

from __future__ import annotations

from pathlib import Path

import pytest
from lsprotocol import types

from planrunner.lsp.documents.view import PlanView
from planrunner.lsp.hints.inlay import inlay_hints
from planrunner.lsp.hints.lenses import code_lenses
from planrunner.lsp.hints.tokens import TOKEN_TYPES, semantic_tokens
from planrunner.lsp.hovering.about import hover
from tests.support.plan_views import place_of, view_of

PLAN = """\
name: shop
http: {base_url: "http://127.0.0.1:1"}
params:
  size: {type: int, default: 3, help: how many}
  key: {type: str, secret: true, default: hidden}
environments:
  big: {size: 9, key: hidden too}
data:
  accounts: {list: [{user: a}]}
users:
  Browser:
    weight: 4
    tasks:
      - {get: "/a/${rand.int(1, size)}", weight: 3}
      - {task: look, steps: [{get: "/b/${key | urlencode}", when: size > 2}]}
  Buyer:
    steps: [{get: "/c/${accounts.user}"}]
phases:
  - name: peak
    stages:
      - {duration: 1m, users: 30}
      - {duration: 30s, users: 30}
thresholds:
  - p95 of task:look in phase peak < 500ms
"""


@pytest.fixture(scope="module")
def view(tmp_path_factory: pytest.TempPathFactory) -> PlanView:
    path = tmp_path_factory.mktemp("a plan") / "plan.yaml"
    path.write_text(PLAN)
    return view_of(path, checks=True)


@pytest.mark.parametrize(
    ("words", "inside", "said"),
    [
        ("size)", 1, "how many|default: `3`|in `big`: `9`|now: `3`"),
        ("key |", 1, "**param** `key`|default: `***`|in `big`: `***`"),
        ("Browser:", 1, "80% of users|30 users: 24 Browser, 6 Buyer"),
        ("look, steps", 1, "**task** `look`|25% of picks"),
        ("name: peak", 7, "at most 30 users|lasts 1|30 users: 24 Browser, 6 Buyer"),
        ("accounts.user", 1, "data source|columns: `user`"),
        ("urlencode", 1, "`urlencode`|jinja"),
        ("rand.int", 1, "`rand.int(low, high)`"),
        ("size > 2", 6, "gives true or false"),
        ("weight: 4", 1, "weight: "),
        (
            "p95 of",
            1,
            "the latency of requests with task look in phase peak",
        ),
    ],
)
def test_what_stands_at_a_place_is_explained(
    view: PlanView, words: str, inside: int, said: str
) -> None:
    """By the schema, by the names of the plan, and by what the compiler made of it."""
    found = hover(view, place_of(PLAN, PLAN.index(words) + inside))

    assert found is not None
    assert isinstance(found.contents, types.MarkupContent)
    text = found.contents.value
    assert [part for part in said.split("|") if part not in text] == []
    assert "hidden" not in text


def test_shares_and_ends_of_stages_stand_beside_them(view: PlanView) -> None:
    """They are those of the phases that run by default."""
    lines = PLAN.split("\n")
    whole = types.Range(types.Position(0, 0), types.Position(99, 0))

    shown = [(lines[one.position.line].strip(), one.label) for one in inlay_hints(view, whole)]

    assert sorted(shown) == [
        ("- {duration: 1m, users: 30}", "ends at 1m"),
        ("- {duration: 30s, users: 30}", "ends at 1m30s"),
        ('- {get: "/a/${rand.int(1, size)}", weight: 3}', "75% of picks"),
        ('- {task: look, steps: [{get: "/b/${key | urlencode}", when: size > 2}]}', "25% of picks"),
        ("Browser:", "80% of users"),
        ("Buyer:", "20% of users"),
    ]


def test_what_can_be_run_has_its_command(view: PlanView) -> None:
    """Words with spaces are quoted for a shell."""
    found = [one.command for one in code_lenses(view)]

    typed = {
        (one.title, str((one.arguments or [""])[0]).split("plan.yaml'", 1)[-1])
        for one in found
        if one
    }
    assert ("Run once", " --task look --user Browser --once") in typed
    assert ("Run", " --phase peak") in typed
    assert ("Explain", "") in typed


def test_expressions_and_thresholds_are_coloured(view: PlanView) -> None:
    """Each token is a difference to the one before."""
    data = semantic_tokens(view).data
    line = column = 0
    shown = []
    for at in range(0, len(data), 5):
        column = data[at + 1] + (0 if data[at] else column)
        line += data[at]
        word = PLAN.split("\n")[line][column : column + data[at + 2]]
        shown.append((word, TOKEN_TYPES[data[at + 3]]))

    assert ("p95", "function") in shown
    assert ("phase", "keyword") in shown
    assert ("500ms", "number") in shown
    assert ("urlencode", "function") in shown
    assert ("user", "property") in shown
    assert ("size", "variable") in shown


def test_phases_of_other_profiles_are_explained(tmp_path: Path) -> None:
    """They are compiled when somebody asks: a run has those of one profile."""
    path = tmp_path / "plan.yaml"
    run, _, _ = PLAN.partition("phases:")
    soak = "[{name: soak, hold: 2h, users: 5}]"
    path.write_text(f"{run}profiles:\n  smoke: [{{hold: 1s, users: 1}}]\n  long: {soak}\n")
    seen = view_of(path, checks=True)

    shown = [
        str(hover(seen, place_of(seen.text, seen.text.index(one) + 1)))
        for one in ("soak", "hold: 2h")
    ]

    assert all("5 users: 4 Browser, 1 Buyer" in one for one in shown)
    assert "it is in the profile `long`" in shown[0]

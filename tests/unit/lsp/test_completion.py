"""What is offered where: at places of shipped plans, and in texts that are cut anywhere."""

from __future__ import annotations

import time
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from planrunner.lsp.completion.serving import complete
from planrunner.lsp.documents.half_typed import read_tree
from planrunner.lsp.documents.view import NOT_CHECKED, PlanView
from planrunner.lsp.grammar.shapes import shape_of_plan
from planrunner.plan.yaml.document import parse
from tests.support.broken_texts import STEP, ask_all, broken_texts, completed
from tests.support.completed_places import PLACES, CompletedPlace, words_of, written
from tests.support.doc_pages import ROOT
from tests.support.plan_views import place_of, typed, view_of, view_of_text

SHIPPED = sorted((ROOT / "plans").glob("*.yaml"))


@cache
def plan(name: str) -> PlanView:
    return view_of(ROOT / "plans" / name, checks=True)


@pytest.fixture(autouse=True, scope="module")
def plans() -> None:
    """Read and check each plan once."""
    for name in sorted({one.plan for one in PLACES}):
        plan(name)


@pytest.mark.parametrize("place", PLACES, ids=lambda one: f"{one.plan}: {one.new!r}")
def test_what_can_follow_is_offered(place: CompletedPlace) -> None:
    """And nothing that can't stand there."""
    found = complete(*typed(plan(place.plan), place.old, place.new))

    labels = [one.label for one in found.items]
    wanted = words_of(place.wanted)
    assert [word for word in wanted if word not in labels] == []
    assert [word for word in words_of(place.unwanted) if word in labels] == []


def test_the_table_is_worth_its_name() -> None:
    """A place is a file, a text and a cursor."""
    assert len(PLACES) >= 60
    assert len({(one.plan, one.new) for one in PLACES}) == len(PLACES)


def test_keys_that_people_choose_take_no_memory() -> None:
    """A server lives as long as its editor, and whatever is typed is a key for a moment."""
    users = shape_of_plan().child("users")

    assert users.child("Buyer") is users.child("Visitor")
    assert users.child("Buyer").slot == "Plan.users.*"


def test_every_shipped_plan_can_be_read_whole() -> None:
    """What a check reads over, such as URLs in brackets, leaves no gap in the names either."""
    for file in SHIPPED:
        tree = read_tree(file.read_text())

        assert tree is not None, file.name
        assert tree.data == parse(file.read_text(), file.name).data
    tree = read_tree("a: {b: http://x/y?z, c: ${d}}\ne: f\n")
    assert tree is not None
    assert tree.data["e"] == "f"
    assert tree.data["a"]["b"] == "http://x/y?z"


@pytest.mark.slow
def test_a_text_that_is_broken_anywhere_is_completed() -> None:
    """At every 7th character of each shipped plan; nothing raises, and no answer takes long."""
    longest_s = []
    for file in SHIPPED:
        view = view_of(file, checks=True)
        for text, end in broken_texts(view.text):
            began = time.thread_time()
            completed(view, text, end)
            longest_s.append(time.thread_time() - began)

    assert len(longest_s) > 9_000
    assert sorted(longest_s)[-20] < 0.05  # a collection may fall into some


@pytest.mark.slow
def test_a_text_that_is_broken_anywhere_has_answers() -> None:
    """All that an editor asks; `python -m benchmarks.broken_texts` does it at every 7th place."""
    asked = 0
    for number, file in enumerate(SHIPPED):
        view = view_of(file, checks=True)
        for text, end in broken_texts(view.text, step=29 * STEP, first=5 * number):
            for ask in ask_all(view, text, end):
                ask()
                asked += 1

    assert asked > 3_000


@pytest.mark.slow
def test_names_are_offered_in_a_text_that_was_opened_broken() -> None:
    """An open quote above doesn't hide the names of the lines below it, but for one in it."""
    missing = []
    for place in PLACES[::3]:
        text, cursor = written(plan(place.plan), place)
        users = text.index("\nusers:")
        opened = '\nbroken: ["'
        text = f"{text[:users]}{opened}{text[users:]}"
        cursor += len(opened) if cursor > users else 0
        view = view_of_text(plan(place.plan), text)
        assert view is not None
        found = complete(replace(view, facts=NOT_CHECKED), place_of(text, cursor))
        labels = [one.label for one in found.items]
        missing += [(place.new, word) for word in words_of(place.wanted) if word not in labels]

    assert {word for _, word in missing} <= {"product"}


def test_of_many_names_those_are_offered_that_can_be_meant(tmp_path: Path) -> None:
    """An editor asks again when more is typed, as the list says that it has not all."""
    extracts = ", ".join(f"v{n}: $.v{n}" for n in range(300))
    text = (
        f"name: a\nusers: {{A: {{steps: [{{get: /, extract: {{{extracts}}}}}, {{log: 'x'}}]}}}}\n"
    )
    (tmp_path / "plan.yaml").write_text(text)
    view = view_of(tmp_path / "plan.yaml")

    def labels(new: str) -> tuple[bool, list[str]]:
        found = complete(*typed(view, "log: 'x'", new))
        return found.is_incomplete, [one.label for one in found.items]

    is_incomplete, all_names = labels("log: '${¦'")
    assert (is_incomplete, len(all_names)) == (True, 100)
    assert "v299" not in all_names
    assert "v299" in labels("log: '${v29¦'")[1]
    assert labels("log: '${zzz¦'") == (True, [])

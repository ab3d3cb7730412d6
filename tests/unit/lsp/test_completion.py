"""What is offered where: at places of shipped plans, and in texts that are cut anywhere."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import pytest

from planrunner.lsp.completion.serving import complete
from planrunner.lsp.documents.half_typed import read_tree
from planrunner.lsp.documents.view import PlanView
from planrunner.lsp.grammar.shapes import shape_of_plan
from planrunner.plan.yaml.document import parse
from tests.support.completed_places import PLACES, CompletedPlace, words_of
from tests.support.cpu_time import within_cpu
from tests.support.doc_pages import ROOT
from tests.support.plan_views import lines_of, place_of, typed, view_of


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
    for file in sorted((ROOT / "plans").glob("*.yaml")):
        tree = read_tree(file.read_text())

        assert tree is not None, file.name
        assert tree.data == parse(file.read_text(), file.name).data
    tree = read_tree("a: {b: http://x/y?z, c: ${d}}\ne: f\n")
    assert tree is not None
    assert tree.data["e"] == "f"
    assert tree.data["a"]["b"] == "http://x/y?z"


def test_a_text_that_is_cut_anywhere_is_completed() -> None:
    """Nothing raises, whatever the text ends with."""
    view = plan("etcd-helper.yaml")

    def complete_all() -> None:
        for end in range(0, len(view.text), 70):
            text = view.text[:end]
            complete(replace(view, text=text, lines=lines_of(text)), place_of(text, end))

    within_cpu(1, complete_all)

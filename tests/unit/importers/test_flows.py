"""Repeated steps become flows, where that makes a plan clearer."""

from __future__ import annotations

from collections.abc import Mapping

from planrunner.importers.draft import DraftClass, DraftPlan, DraftStep
from planrunner.importers.shaping.flows import share_flows

LOGIN = (
    {"post": "/api/login", "extract": {"token": "$.t"}},
    {"think": "1s"},
    {"get": "/me/${token}"},
)


def steps(*bodies: Mapping[str, object]) -> list[DraftStep]:
    return [DraftStep(dict(body)) for body in bodies]


def shaped(*lists: list[DraftStep]) -> DraftPlan:
    draft = DraftPlan("x", users=[DraftClass(f"U{n}", steps=one) for n, one in enumerate(lists)])
    share_flows(draft)
    return draft


def test_the_longest_row_in_two_places_becomes_a_flow() -> None:
    """It is called after its first request, and its steps are there once."""
    other = {"get": "/other"}

    draft = shaped(steps(*LOGIN, other), steps({"think": "2s"}, *LOGIN))

    assert [step.body for step in draft.flows["post_api_login"].steps] == list(LOGIN)
    assert [step.body for step in draft.users[0].steps] == [{"call": "post_api_login"}, other]
    assert [step.body for step in draft.users[1].steps] == [
        {"think": "2s"},
        {"call": "post_api_login"},
    ]


def test_what_is_not_clearer_stays() -> None:
    """One request alone, pauses at an edge, and rows that overlap."""
    one, pause = {"get": "/a"}, {"think": "1s"}

    assert shaped(steps(one, pause), steps(one, pause)).flows == {}
    assert shaped(steps(one, {"get": "/b"}), steps(one, {"get": "/c"})).flows == {}
    assert shaped(steps(one, one, one)).flows == {}


def test_a_row_twice_in_one_list_and_names_that_meet() -> None:
    """Two flows never have one name; the order is that of the file."""
    first, second = {"get": "/a?x=1"}, {"get": "/a?x=2"}
    end = {"post": "/b"}

    draft = shaped(
        steps(first, end, {"log": "x"}, first, end), steps(second, end, end, second, end, end)
    )

    assert list(draft.flows) == ["get_a", "get_a_2"]
    assert [next(iter(step.body)) for step in draft.users[0].steps] == ["call", "log", "call"]
    assert [step.body for step in draft.users[1].steps] == [{"call": "get_a"}] * 2

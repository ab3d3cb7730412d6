"""Passes over drafts: secrets, ids in names, headers and hosts that are shared."""

# ruff: noqa: E501 - what goes in and out stands in one line

from __future__ import annotations

import pytest

from planrunner.importers.draft import DraftClass, DraftPlan, DraftStep, Keys
from planrunner.importers.shaping.ids import folded
from planrunner.importers.shaping.secrets import is_secret_name
from planrunner.importers.shaping.shape import shape
from planrunner.loss.ledger import Fate, Ledger, SourcePlace

HOST = "http://127.0.0.1"


def shaped(*bodies: Keys) -> tuple[DraftPlan, list[Keys], Ledger]:
    place = SourcePlace("a.har", 3)
    steps = [DraftStep(body, origin=place) for body in bodies]
    draft = DraftPlan("x", users=[DraftClass("User", steps=steps)])
    ledger = Ledger()
    shape(draft, ledger)
    return draft, [step.body for step in steps], ledger


def test_a_literal_secret_becomes_one_param_wherever_it_stands() -> None:
    """In headers, queries and bodies; each value is named once and told once."""
    draft, steps, ledger = shaped(
        {"get": f"{HOST}/?api_key=k1&page=2", "headers": {"Authorization": "Bearer t1"}},
        {"post": f"{HOST}/in", "json": {"user": {"name": "ada", "password": "p1"}, "n": [1]}},
        {"post": f"{HOST}/in", "form": {"password": "p1", "token": "${token}"}},
    )

    assert steps[0] == {
        "get": "/?api_key=${api_key}&page=2",
        "headers": {"Authorization": "Bearer ${token}"},
    }
    assert steps[1]["json"] == {"user": {"name": "ada", "password": "${password}"}, "n": [1]}
    assert steps[2]["form"] == {"password": "${password}", "token": "${token}"}
    assert set(draft.params) == {"api_key", "token", "password"}
    assert all(
        one.spec == {**one.spec, "type": "str", "secret": True}
        for one in draft.params.values()
        if isinstance(one.spec, dict)
    )
    assert [one.fate for one in ledger.findings()] == [Fate.NEEDS_YOU] * 3


@pytest.mark.parametrize(
    ("name", "is_secret"),
    [
        ("X-Api-Key", True), ("userPassword", True), ("access_token", True), ("client-secret", True),
        ("max_tokens", False), ("tokenType", False), ("key", False), ("author", False), ("primary_key", False),
    ],
)  # fmt: skip
def test_names_say_what_is_secret(name: str, *, is_secret: bool) -> None:
    assert is_secret_name(name) is is_secret


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("/items/42", "/items/{id}"),
        ("/items/42/parts/7.json?page=2", "/items/{id}/parts/{id}.json?page=2"),
        ("http://127.0.0.1:80/u/3f2504e0-4f89-11d3-9a0c-0305e82c3301", "http://127.0.0.1:80/u/{id}"),
        ("/a?_=1700000000000&q=abc", "/a?_={id}&q=abc"),
        ("/v2/décembre/abc123", "/v2/décembre/abc123"),
    ],
)  # fmt: skip
def test_ids_are_folded(url: str, name: str) -> None:
    assert folded(url) == name


def test_what_all_requests_share_stands_once() -> None:
    """Headers and `auth` of literals and params; a name is given where an id stands in the path."""
    own = {"Accept": "text/html", "X-A": "${made}"}
    draft, steps, _ = shaped(
        {"get": f"{HOST}/items/1", "headers": {**own, "X-B": "1"}, "auth": {"bearer": "t"}},
        {"get": f"{HOST}/items/2", "headers": dict(own), "auth": {"bearer": "t"}},
    )

    assert draft.http == {
        "base_url": HOST,
        "headers": {"Accept": "text/html"},
        "auth": {"bearer": "${bearer}"},
    }
    assert steps[0] == {
        "get": "/items/1",
        "headers": {"X-A": "${made}", "X-B": "1"},
        "name": "GET /items/{id}",
    }
    assert steps[1] == {"get": "/items/2", "headers": {"X-A": "${made}"}, "name": "GET /items/{id}"}


def test_a_param_may_be_the_host_and_a_later_name_may_not() -> None:
    """`base_url` is read before anything has been extracted."""
    draft, steps, _ = shaped({"get": "${host}/a"}, {"get": "${host}/b"})

    assert "base_url" not in draft.http
    assert steps[0] == {"get": "${host}/a"}

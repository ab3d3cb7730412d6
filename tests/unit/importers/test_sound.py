"""What a plan can't say: whatever readers let through, plans are valid, and losses named."""

from __future__ import annotations

import json

import pytest

from planrunner.importers.contract import ImportOptions
from planrunner.importers.draft import (
    DraftClass,
    DraftParam,
    DraftPlan,
    DraftStep,
    DraftTask,
)
from planrunner.importers.importing import Imported, check, import_files
from planrunner.importers.shaping.shape import shape
from planrunner.importers.sources import SourceFile
from planrunner.importers.templates import identifier, literal
from planrunner.language.expressions.expression import RESERVED
from planrunner.language.fields.text import parse_text
from planrunner.loss.ledger import Fate, Ledger, SourcePlace

HERE = SourcePlace("a", 1)


def shaped(draft: DraftPlan) -> list[tuple[str, Fate | None]]:
    """Shape a draft, and return what was found in it."""
    draft.origin = HERE
    ledger = Ledger()
    shape(draft, ledger)
    return [(one.words, one.fate) for one in ledger.constructs]


def steps(*bodies: dict[str, object]) -> DraftPlan:
    draft = DraftPlan("x")
    draft.users.append(
        DraftClass("User", steps=[DraftStep({**one}, origin=HERE) for one in bodies])
    )
    return draft


@pytest.mark.parametrize(
    ("url", "sent"),
    [
        ("http://a b/x", "http://localhost/x"),
        ("h-1ttp://a/x?y", "http://localhost/x?y"),
        ("http://[a/x", "http://localhost/x"),
        ("http://a:9t0", "http://localhost"),
        ("http://a{{.io/x", "http://localhost/x"),
        ("http://a.b #c", "http://localhost"),
        ("http:///x", "http://localhost/x"),
        ("https://a:${port}/x", "https://a:${port}/x"),
        ("${base}/x", "${base}/x"),
    ],
)
def test_a_host_that_can_not_be_one_is_asked_for(url: str, sent: str) -> None:
    draft = steps({"get": url})
    draft.http["base_url"] = "http://127.0.0.1"
    found = shaped(draft)

    assert draft.users[0].steps[0].body["get"] == sent
    assert [fate for _, fate in found] == ([] if url == sent else [Fate.NEEDS_YOU])


def test_params_and_environments_that_are_no_urls_get_one() -> None:
    draft = steps({"get": "${host}/x"}, {"get": "${other}/y"})
    draft.params["host"] = DraftParam({"type": "url", "default": "http://a b"})
    draft.params["other"] = DraftParam("htp:/x")
    draft.extra["environments"] = {"dev": {"host": "c:/d"}}

    assert [fate for _, fate in shaped(draft)] == [Fate.NEEDS_YOU] * 3
    assert draft.params["host"].spec == {"type": "url", "default": "http://localhost"}
    assert draft.params["other"].spec == {"type": "str", "default": "http://localhost"}
    assert draft.extra["environments"] == {"dev": {"host": "http://localhost"}}


def test_headers_that_are_none_are_left_out() -> None:
    draft = steps({"get": "http://a/", "headers": {"a b": "1", "ok": "x\n y"}})

    assert shaped(draft) == [("a b", Fate.LEFT_OUT)]
    assert draft.users[0].steps[0].body["headers"] == {"ok": "x y"}


@pytest.mark.parametrize("text", ["a${b", "{{a", "${1 +}", "$${x} ${", "{{ a }tus ${", "\ud83dx"])
def test_what_looks_like_an_expression_is_sent_as_it_is(text: str) -> None:
    draft = steps({"post": "http://a/", "json": {"k": [text]}, "when": "x == '{{a'"})
    draft.name = text
    shaped(draft)

    body = draft.users[0].steps[0].body["json"]
    assert isinstance(body, dict)
    assert parse_text(body["k"][0])
    assert parse_text(draft.name)
    assert draft.users[0].steps[0].body["when"] == "x == '{{a'"


def test_text_of_any_tool_can_be_a_literal() -> None:
    for text in ("{{a", "{{ a.b", "${", "{{a}} ${b} {{"):
        assert parse_text(literal(text)).is_constant or "'{{'" in literal(text)


def test_no_identifier_is_a_reserved_name() -> None:
    assert not {identifier(name) for name in RESERVED} & RESERVED


def test_a_param_whose_value_is_itself_has_none() -> None:
    draft = steps({"get": "http://a/"})
    draft.params |= {
        "a": DraftParam({"type": "str", "default": "${b}"}),
        "b": DraftParam({"type": "str", "default": "x${a}"}),
    }
    assert shaped(draft) == [("a", Fate.NEEDS_YOU)]


def test_tasks_of_one_name_are_numbered() -> None:
    draft = DraftPlan("x")
    body: dict[str, object] = {"get": "http://a/x"}
    tasks = [DraftTask("t", [DraftStep({**body})]), DraftTask("t", [DraftStep({**body})])]
    tasks += [DraftTask("", [DraftStep({**body})]), DraftTask("", [DraftStep({**body})])]
    draft.users.append(DraftClass("User", tasks=tasks))
    shaped(draft)

    assert [one.name for one in tasks] == ["t", "t 2", "", "GET /x 2"]


def imported(document: object) -> Imported:
    file = SourceFile(None, "a.json", json.dumps(document).encode())
    return import_files([file], options=ImportOptions())


def test_a_schema_that_is_none_is_not_expected() -> None:
    reply = {"content": {"application/json": {"schema": {"type": "arra"}}}, "description": ""}
    done = imported(
        {
            "openapi": "3.0.0",
            "info": {"title": "sho${p"},
            "servers": [{"url": "http://a b"}],
            "paths": {"/a": {"get": {"operationId": "x", "responses": {"200": reply}}}},
        }
    )
    assert check(done) == ()
    assert {"schema", "host", "text"} <= {one.kind for one in done.ledger.findings()}
    assert not done.files

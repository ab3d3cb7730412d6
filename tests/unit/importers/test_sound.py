"""What a plan can't say: whatever readers let through, plans are valid, and losses named."""

from __future__ import annotations

import json

import pytest

from planrunner.errors import UsageError
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
        ("${rows.url}", "${rows.url}"),
        ("${scheme}://${host}:${port}/x", "${scheme}://${host}:${port}/x"),
    ],
)
def test_a_host_that_can_not_be_one_is_asked_for(url: str, sent: str) -> None:
    draft = steps({"get": url})
    draft.http["base_url"] = "http://127.0.0.1"
    draft.params["scheme"] = DraftParam({"type": "str", "default": "https"})
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


def test_an_empty_name_is_none() -> None:
    draft = steps({"get": "http://a/", "name": "", "json": {"name": ""}}, {"ws.send": {"name": ""}})
    shaped(draft)
    assert [one.body for one in draft.users[0].steps] == [
        {"get": "/", "json": {"name": ""}},
        {"ws.send": {}},
    ]


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
    assert {"schema", "host", "key"} <= {one.kind for one in done.ledger.findings()}
    assert any(": sho${p" in one.words for one in done.ledger.findings())
    assert not done.files


def test_groups_loops_and_keys_fit_into_a_plan() -> None:
    inner: list[DraftStep] = [DraftStep({"get": "http://a/"}, origin=HERE)]
    for number in range(80):
        inner = [DraftStep({"group": f"g{number}", "do": inner}, origin=HERE)]
    draft = steps(
        {"foreach": "i in range(0, 1000000000)", "do": inner},
        {"get": "http://a/", "expect": {"json": {"k" * 2000: 1}}},
    )
    found = [kind for kind, _ in shaped(draft)]

    assert len([kind for kind in found if kind.startswith("g")]) == 65
    assert draft.users[0].steps[0].body["foreach"] == "i in range(0, 100000)"
    assert draft.users[0].steps[1].body == {"get": "/"}


def test_a_block_that_is_too_deep_is_told_in_the_order_of_its_keys() -> None:
    inner: list[DraftStep] = [DraftStep({"get": "http://a/"}, origin=HERE)]
    for _ in range(26):
        keys: dict[str, object] = {"while": "x", "max": 5, "name": "n", "tags": "t", "do": inner}
        inner = [DraftStep(keys, origin=HERE)]

    found = [words for words, fate in shaped(steps(*[one.body for one in inner])) if fate]
    assert set(found) == {"while: x, max: 5, name: n, tags: t"}


def test_a_long_body_is_a_file_beside_the_plan() -> None:
    draft = steps(
        {"post": "http://a/", "json": {"a": "$${x}" * 20_000}},
        {"post": "http://a/", "body": "${x}" + "a" * 80_000},
    )
    shaped(draft)

    assert draft.users[0].steps[0].body["body_file"] == "bodies/1.json"
    assert draft.files["bodies/1.json"] == b'{"a": "' + b"${x}" * 20_000 + b'"}'
    assert "body" in draft.users[0].steps[1].body


def test_a_plan_that_would_be_too_long_is_refused() -> None:
    path = "x" * 1_200_000
    file = SourceFile(None, "a.sh", f"curl http://127.0.0.1/{path}".encode())
    with pytest.raises(UsageError, match=r"a\.sh: the plan would have 1\.2 MB"):
        import_files([file], options=ImportOptions())

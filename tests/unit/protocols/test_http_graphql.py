"""GraphQL requests: what is posted, what they are called, and which replies are failures."""

from __future__ import annotations

import json
from typing import Any

import pytest

from planrunner.compiler import compile_plan
from planrunner.plan.loader import load, load_bundle
from planrunner.protocols.http.operation import DynamicBody, HttpOperation, StaticBody
from planrunner.protocols.http.spec import RequestSpec
from tests.support.http_specs import compile_http, exchange_of, reply_of, scope_of
from tests.support.plans import compiled, findings

QUERY = "query Models($first: Int!, $after: ID) { models(first: $first, after: $after) { id } }"
SEVERAL = """
query Models { models { ...Fields } }
# the other one
query Model($id: ID!) { model(id: $id) { ...Fields context } }
fragment Fields on Model { id }
fragment Unasked on Model { id }
"""


def operation_of(step: dict[str, Any], **options: Any) -> HttpOperation:
    operation = exchange_of(step, **options).operation
    assert isinstance(operation, HttpOperation)
    return operation


def sent(step: dict[str, Any], names: dict[str, object] | None = None, **options: Any) -> Any:
    """Return the JSON that a request posts."""
    body = operation_of(step, **options).body
    if isinstance(body, StaticBody):
        return json.loads(body.content)
    assert isinstance(body, DynamicBody)
    return json.loads(body.evaluate(scope_of(**names or {})))


def test_a_query_is_posted_with_its_variables_and_its_name() -> None:
    """What is one expression keeps its type; what is text around one is text."""
    variables = {"first": "${n}", "after": "m-${n}"}

    body = sent({"graphql": QUERY, "variables": variables}, {"n": 3})

    assert body == {
        "query": QUERY,
        "variables": {"first": 3, "after": "m-3"},
        "operationName": "Models",
    }


@pytest.mark.parametrize(
    ("step", "host", "target"),
    [
        ({"graphql": "{ a }"}, "shop.test", "/graphql"),
        ({"graphql": "{ a }", "url": "/api"}, "shop.test", "/api"),
        ({"graphql": "{ a }", "post": "/api"}, "shop.test", "/api"),
        ({"graphql": {"query": "{ a }"}, "url": "https://x.test/y"}, "x.test", "/y"),
    ],
)
def test_it_is_a_post_to_its_url(step: dict[str, Any], host: str, target: str) -> None:
    """Beside `post` it is the body; without a URL it goes where most servers answer."""
    operation = operation_of(step)

    assert operation.method == exchange_of(step).method == "POST"
    assert operation.url.origin is not None
    assert (operation.url.origin.host, *operation.url.parts) == (host, target)
    assert sent(step) == {"query": "{ a }"}


def test_it_asks_for_a_graphql_reply_unless_the_plan_asks_for_another() -> None:
    """As the specification of GraphQL over HTTP wants it."""
    plain = operation_of({"graphql": "{ a }"}).headers
    block = compile_http({"base_url": "http://shop.test", "headers": {"accept": "text/html"}})
    own = operation_of({"graphql": "{ a }"}, http=block).headers

    assert [(one.name, one.value) for one in plain] == [
        ("Accept", ("application/graphql-response+json, application/json;q=0.9",))
    ]
    assert [one.value for one in own] == [("text/html",)]


def test_of_several_operations_one_goes_with_its_fragments() -> None:
    """As clients do whose build made requests of such a file; one alone goes as it is written."""
    step = {"graphql": {"query": SEVERAL.replace("fragment Unasked on Model { id }", ""),
                        "operation": "Model", "variables": {"id": 7}}}  # fmt: skip

    body = sent(step)

    assert body["operationName"] == "Model"
    assert body["variables"] == {"id": 7}
    assert "Fields" in body["query"]
    assert "Models" not in body["query"]
    assert "# the other one" not in body["query"]


@pytest.mark.parametrize(
    ("graphql", "name"),
    [
        (QUERY, "Models"),
        ("mutation Add { add }", "Add"),
        ("{ you { id } all: models { id } ...F } fragment F on Query { a }", "graphql { you all }"),
        ({"query": SEVERAL, "operation": "Model"}, "Model"),
        ("{ not closed", "graphql"),
    ],
)  # fmt: skip
def test_it_is_called_as_its_operation(graphql: object, name: str) -> None:
    """One without a name is called after what it asks for."""
    spec = RequestSpec.model_validate({"graphql": graphql})

    assert spec.default_name("graphql") == name


def test_errors_in_a_reply_are_a_failure() -> None:
    """Also beside data, as a part of the query has failed then."""
    exchange = exchange_of({"graphql": "{ a }"})
    errors = [{"message": "no such model", "path": ["models", 0]}, {"message": "late"}]

    (check,) = exchange.checks

    assert exchange.expected == ("status 2xx or 3xx", "no errors")
    assert check(reply_of({"data": {"a": 1}}), {}) is None
    assert check(reply_of({"data": None, "errors": []}), {}) is None
    assert (
        check(reply_of({"data": {"a": None}, "errors": errors}), {})
        == "errors: no such model at models.0, and 1 more"
    )
    assert check(reply_of({"errors": [{"message": "x" * 301}]}), {}) == "errors: text of 301"
    assert check(reply_of({"errors": "odd"}), {}) == 'errors: "odd"'


@pytest.mark.parametrize("body", [b"", b"<html>", {"message": "ok"}, [1]])
def test_what_is_no_reply_of_graphql_is_a_failure(body: object) -> None:
    """An error page with status 200 is no success, even where errors are."""
    for expect in ({}, {"expect": {"errors": True}}):
        (check,) = exchange_of({"graphql": "{ a }", **expect}).checks
        words = check(reply_of(body), {})
        assert words is not None
        assert words.endswith("expected `data` or `errors` as GraphQL has them")


@pytest.mark.parametrize(
    ("expect", "hard", "soft"),
    [
        ({"errors": True}, ("errors allowed",), ()),
        ({"errors": False}, ("no errors",), ()),
        ({"errors": False, "soft": True}, (), ("no errors",)),
        ({"soft": ["errors"]}, (), ("no errors",)),
        ({"time": "< 1s", "soft": True}, ("no errors",), ("time < 1s",)),
    ],
)
def test_a_plan_may_expect_errors_or_be_warned_of_them(
    expect: dict[str, Any], hard: tuple[str, ...], soft: tuple[str, ...]
) -> None:
    """`soft` about other things leaves errors what they are."""
    exchange = exchange_of({"graphql": "{ a }", "expect": expect})

    assert exchange.expected[1:] == hard
    assert exchange.softly_expected == soft


def test_what_http_says_of_errors_holds_for_its_requests() -> None:
    """Of those that are GraphQL; others have no errors of this kind."""
    graph = compiled(
        'http: {base_url: "http://x.test", expect: {errors: true, soft: [errors]}}',
        "users: {A: {steps: [{graphql: '{ a }'}, {graphql: '{ b }', expect: {errors: false}}, "
        "{get: /}]}}",
    )
    expected = [node.exchange.expected for node in graph.users[0].tasks[0].steps]

    assert [words[1:] for words in expected] == [("errors allowed",), ("no errors",), ()]


FILE = "query Models($first: Int!) {\n  models(first: $first) { id }\n}\n"


def test_a_file_gives_a_request_its_name(tmp_path: Any) -> None:
    """So thresholds know it, in imported plans too, whose files lie beside them."""
    (tmp_path / "flows").mkdir()
    (tmp_path / "flows" / "models.graphql").write_text("\ufeff" + FILE, encoding="utf-8")
    (tmp_path / "flows" / "shared.yaml").write_text(
        "flows: {look: [{graphql: {file: '${name}.graphql'}, variables: {first: 3}}]}\n"
    )
    plan = tmp_path / "plan.yaml"
    plan.write_text(
        "name: files\nimports: [flows/shared.yaml]\nhttp: {base_url: 'http://127.0.0.1:1'}\n"
        "params: {name: {type: str, default: models}}\n"
        "users: {A: {steps: [{call: look}]}}\nphases: [{users: 1, iterations: 1}]\n"
        "thresholds: [p95 of Models < 1s]\n"
    )
    loaded = load(plan, environ={})
    graph = compile_plan(loaded)
    (tmp_path / "flows" / "models.graphql").unlink()  # a worker elsewhere has the bundle only
    again = compile_plan(load_bundle(loaded.bundle, loaded.sources))

    assert graph.plan_hash == again.plan_hash


def test_queries_that_are_nested_without_end_are_refused() -> None:
    """Rather than end the process."""
    (found,) = findings(f"users: {{A: {{steps: [{{graphql: '{'{a' * 30_000}'}}]}}}}")

    assert "nested too deeply" in found.message

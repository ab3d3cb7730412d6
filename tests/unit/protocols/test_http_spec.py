"""What a plan may write about HTTP: every fault of a mapping, each once, with its code."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from planrunner.protocols.http.spec import RequestKeys, RequestSpec
from planrunner.protocols.http.spec_settings import HttpModel


def faults_of(model: type[Any], data: object) -> list[tuple[tuple[str | int, ...], str]]:
    """Return (path, code) of each fault; the names of union arms are left out."""
    with pytest.raises(ValidationError) as caught:
        model.model_validate(data)
    return [
        (
            tuple(part for part in fault["loc"] if not str(part).startswith("<")),
            fault["type"],
        )
        for fault in caught.value.errors()
    ]


def test_a_request_with_everything_is_accepted() -> None:
    """All keys of a request step, in their long and short forms."""
    spec = RequestSpec.model_validate(
        {
            "post": "/kv/${key}?x=1",
            "name": "POST /kv",
            "query": {"a": 1, "b": ["x", "${y}"], "c": None},
            "headers": {"X-A": "${a}", "X-B": 5, "X-C": None},
            "json": {"k": ["${v}", 1, None]},
            "auth": {"basic": {"username": "u", "password": "${p}"}},
            "timeout": "1m30s",
            "follow_redirects": False,
            "expect": {
                "status": [200, "2xx", "5*"],
                "time": "< 1s",
                "json": {"$.a": 1, "$.b": {"type": "string", "length": {"min": 1}}, "$.c": [1]},
                "header": {"A": "b"},
                "contains": "x",
                "matches": ["a", "b"],
                "schema": "s.json",
                "soft": ["time"],
            },
            "extract": {"a": "$.a", "b": {"regex": "x", "index": "all", "default": None}},
            "tags": ["read"],
            "measure": False,
            "retry": {"times": 2, "wait": "1s", "on": ["5xx", 503, "connect"]},
            "when": "a > 1",
        }
    )

    assert spec.verb() == "post"
    assert spec.timeout == 90_000_000_000


@pytest.mark.parametrize("verb", ["get", "post", "put", "patch", "delete", "head", "options"])
def test_every_verb_takes_a_url(verb: str) -> None:
    """The verb is the key, the URL its value."""
    assert RequestSpec.model_validate({verb: "/"}).verb() == verb


def test_null_is_a_json_body_and_nothing_else() -> None:
    """`json: null` is written on purpose; other keys without a value were forgotten."""
    assert "json_" in RequestSpec.model_validate({"post": "/", "json": None}).model_fields_set
    assert faults_of(RequestSpec, {"post": "/", "form": None}) == [((), "wrong-type")]


@pytest.mark.parametrize(
    ("data", "faults"),
    [
        ({"get": "/", "querry": {}}, [((), "unknown-key")]),
        ({}, [((), "one-action")]),
        ({"get": "/", "post": "/"}, [((), "one-action")]),
        ({"post": "/", "json": 1, "form": {}}, [((), "conflicting-keys")]),
        ({"get": ["/"]}, [(("get",), "wrong-type")]),
        ({"get": "/${"}, [(("get",), "expression-syntax")]),
        ({"get": "/{{ key }}"}, [(("get",), "wrong-braces")]),
        ({"get": "/", "timeout": "fast"}, [(("timeout",), "invalid-unit")]),
        ({"get": "/", "json": {"a": ["${"]}}, [(("json", "a", 0), "expression-syntax")]),
        ({"get": "/", "expect": {"status": 99}}, [(("expect", "status"), "invalid-value")]),
        (
            {"get": "/", "expect": {"status": [200, "6xx"]}},
            [(("expect", "status", 1), "invalid-value")],
        ),
        ({"get": "/", "expect": {"state": 200}}, [(("expect",), "unknown-key")]),
        (
            {"get": "/", "expect": {"json": {"$.a": {"typ": "string"}}}},
            [(("expect", "json", "$.a"), "unknown-key")],
        ),
        (
            {"get": "/", "expect": {"json": {"$.a": {}}}},
            [(("expect", "json", "$.a"), "invalid-value")],
        ),
        ({"get": "/", "extract": {"a": {}}}, [(("extract", "a"), "missing-key")]),
        (
            {"get": "/", "extract": {"a": {"css": "a", "xpath": "b"}}},
            [(("extract", "a"), "conflicting-keys")],
        ),
        (
            {"get": "/", "auth": {"bearer": "a", "basic": {"username": "u", "password": "p"}}},
            [(("auth",), "conflicting-keys")],
        ),
        (
            {"get": "/", "multipart": {"a": {"file": "f", "text": "t"}}},
            [(("multipart", "a"), "conflicting-keys")],
        ),
    ],
)
def test_each_fault_is_reported_once_at_its_place(
    data: dict[str, Any], faults: list[tuple[tuple[str | int, ...], str]]
) -> None:
    """One fault gives one error, whatever unions lie on the way."""
    assert faults_of(RequestSpec, data) == faults


def test_all_faults_of_a_request_are_reported_together() -> None:
    """A wrong key doesn't hide a wrong value."""
    found = faults_of(RequestSpec, {"get": "/", "nam": "x", "timeout": "x", "expect": {"x": 1}})

    assert sorted(code for _, code in found) == ["invalid-unit", "unknown-key", "unknown-key"]


@pytest.mark.parametrize(
    ("block", "faults"),
    [
        ({"base": "http://x"}, [((), "unknown-key")]),
        ({"timeout": 5}, [(("timeout",), "invalid-unit")]),
        ({"pool": {"per_usr": 1}}, [(("pool",), "unknown-key")]),
    ],
)
def test_faults_of_the_http_block(
    block: dict[str, Any], faults: list[tuple[tuple[str | int, ...], str]]
) -> None:
    """The block is checked like a request."""
    assert faults_of(HttpModel, block) == faults


def test_every_key_has_a_description_and_an_example() -> None:
    """Editors show both."""
    bare = [
        name
        for model in (RequestKeys, HttpModel)
        for name, field in model.model_fields.items()
        if not (field.description and field.examples)
    ]

    assert bare == []

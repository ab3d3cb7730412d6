"""Whatever a reply holds, the run goes on: a failure of that iteration at most."""

from __future__ import annotations

import asyncio
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planrunner.clock import MonotonicClock
from planrunner.engine import run
from planrunner.graph.run_graph import HeaderNode
from planrunner.language.expressions.expression import parse
from planrunner.protocols.http.clients.identity import WireIdentity
from planrunner.protocols.http.cookies import CookieJar
from tests.support.graphs import (
    Answer,
    FakeSession,
    FakeTarget,
    counts,
    make_graph,
    request,
    run_graph,
    task,
)
from tests.support.graphs import user_class as class_of
from tests.support.hostile import HOSTILE
from tests.support.http_specs import exchange_of
from tests.support.loads import counted
from tests.support.own_steps import OWN_CLIENTS, command

SOURCES = (
    *({"jsonpath": path} for path in ("$.a", "$..a", "$[*]", "$[?@.a > 1]", "$['a'][0]")),
    *({"regex": pattern} for pattern in (".", "(a)|b", r"\w+", "^$")),
    *(
        {"xpath": path}
        for path in (
            "//comment()",
            "//processing-instruction()",
            "//@*",
            "//namespace::*",
            "//s:Body/id",
            "//@x:href",
            "count(//id)",
            "1 div 0",
            "number('x')",
            "string(//id)",
            "boolean(//id)",
            "//text()",
            "/",
            "//*",
        )
    ),
    *({"css": path} for path in ("s|Body", "a::text", "*", "a::attr(x:href)", "id:not(.x)")),
    {"header": "X-Any"},
    {"cookie": "any"},
)
BODIES = (
    b"",
    b"\xff\xfe\x00",
    b'<?xml version="1.0"?><s:E xmlns:s="u"><s:Body><!-- c --><?p i?><id>4</id></s:Body></s:E>',
    b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY e "v">]><a>&e;&f;<b xmlns="u" x:href="1"/></a>',
    b"<!-- only a comment -->",
    b"<p id=1>a<br><a href=x>b</a></p>",
    b"[" * 100_000,
    b'{"a":' * 5_000 + b"1" + b"}" * 5_000,
    b'{"a": "\\ud800", "b": 1e999}',
)


def run_one(step, *more):
    users = class_of(task("t", step, *more))
    return run_graph(make_graph(users, counted(1, iterations=1)))


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(
    source=st.sampled_from(SOURCES),
    body=st.sampled_from(BODIES)
    | HOSTILE.map(lambda value: json.dumps(value, default=str).encode()),
    index=st.sampled_from(["first", "last", "all", "random"]),
)
def test_no_extraction_ends_the_run(source, body, index):
    """The request succeeded, or its failure is `extract`."""
    exchange = exchange_of({"get": "/", "extract": {"v": {**source, "index": index}}})

    told = run_one(request(operation=Answer(body=body), extractors=exchange.extractors))

    assert set(counts(told.outcome, "failure")) <= {"", "extract"}


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(
    expect=st.sampled_from(
        [
            {"contains": "${v}"},
            {"matches": "a+"},
            {"json": {"$.a": "${v}"}},
            {"json": {"$.a": {"min": "${v}"}}},
            {"json": {"$..a": {"matches": "x"}}},
            {"json": {"$.a": {"length": 3}}},
            {"header": {"X-Any": "${v}"}},
        ]
    ),
    body=st.sampled_from(BODIES),
    value=HOSTILE,
)
def test_no_expectation_ends_the_run(expect, body, value):
    """Its failure is `expect`, or `extract` where an expression had no value."""
    exchange = exchange_of({"get": "/", "expect": expect})
    users = class_of(task("t", request(operation=Answer(body=body), checks=exchange.checks)))

    told = run_graph(make_graph(users, counted(1, iterations=1), scope={"v": value}))

    assert set(counts(told.outcome, "failure")) <= {"", "expect", "extract"}


def test_a_bug_in_a_check_is_a_failure_of_its_request():
    """The boundary holds for what nobody thought of."""

    def broken(reply, scope):
        raise KeyError("unforeseen")

    told = run_one(request(checks=[broken]))

    assert counts(told.outcome, "failure") == {"extract": 1}


@pytest.mark.parametrize("text", ["\ud800", "zero\0byte"])
def test_what_no_argument_of_a_command_can_hold_is_a_failure(text):
    """And the command isn't run."""
    step = command("true", (lambda _: text,), shown="true x")
    graph = make_graph(class_of(task("t", step)), counted(1, iterations=1))

    outcome = asyncio.run(
        run(graph, clients={"fake": FakeTarget().open, **OWN_CLIENTS}, clock=MonotonicClock())
    )

    assert counts(outcome, "request", "failure") == {("true x", "extract"): 1}


def test_a_header_that_cannot_be_is_a_failure_and_never_shown(monkeypatch):
    """Values of headers are mostly secret."""
    monkeypatch.setattr(
        FakeSession,
        "set_header",
        lambda _, name, value: WireIdentity(CookieJar(int, float)).set_header(name, value),
    )
    step = HeaderNode((("Authorization", parse("'Bearer tok123' ~ end").lower().evaluate),))
    users = class_of(task("t", step, request()))

    for end in ("\n", "\r\nX-More: 1", "\0", "\ud800"):
        told = run_graph(make_graph(users, counted(1, iterations=1), scope={"end": end}))

        assert counts(told.outcome, "request", "failure") == {
            ("header Authorization", "extract"): 1
        }
        assert "tok123" not in " ".join(told.outcome.notices)

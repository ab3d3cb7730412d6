"""What every HTTP client sends for an operation: the same bytes."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from operator import itemgetter
from pathlib import Path

import pytest

from planrunner.language.expressions.expression import EvaluationError
from planrunner.protocols.http.operation import (
    DynamicBody,
    FileBody,
    Header,
    HttpSettings,
    QueryItem,
    StaticBody,
)
from tests.support.http_servers import HttpServer, Request, Wire, always, reply
from tests.support.http_users import HttpUnderTest, TestUser, converse


@pytest.mark.http1
def test_default_headers(http: HttpUnderTest) -> None:
    """What a request says when the plan says nothing, in this order."""

    async def scenario(user: TestUser, server: HttpServer) -> None:
        got = await user.get(server.origin, "/a?b=c")

        raw = server.requests[0].raw.decode()
        lines = raw.splitlines()
        assert lines[0] == "GET /a?b=c HTTP/1.1"
        assert lines[1] == f"Host: 127.0.0.1:{server.origin.port}"
        assert lines[2].startswith("User-Agent: planrunner/")
        assert lines[3:] == ["Accept: */*", "Accept-Encoding: gzip, deflate, br, zstd", ""]
        assert got.sent == len(raw)

    converse(http, always(reply()), scenario)


@pytest.mark.http1
def test_plan_headers_replace_the_defaults(http: HttpUnderTest) -> None:
    """A header the plan names is sent once, as the plan has it."""

    async def scenario(user: TestUser, server: HttpServer) -> None:
        headers = {"host": "shop.test", "user-agent": "mine", "ACCEPT": "text/html", "X-A": "1"}
        await user.get(server.origin, headers=headers)

        got = server.requests[0]
        assert {key: got.headers[key] for key in ("host", "user-agent", "accept", "x-a")} == {
            "host": "shop.test",
            "user-agent": "mine",
            "accept": "text/html",
            "x-a": "1",
        }
        assert len(got.raw.splitlines()) == 7

    converse(http, always(reply()), scenario)


def test_framing_is_the_clients_business(http: HttpUnderTest) -> None:
    """A plan cannot say two things about where its request ends."""

    async def scenario(user: TestUser, server: HttpServer) -> None:
        headers = {"content-length": "99", "Transfer-Encoding": "chunked"}
        body = StaticBody(b"abc")
        await user.get(server.origin, method="POST", headers=headers, body=body)

        got = server.requests[0]
        assert (got.headers["content-length"], got.body) == ("3", b"abc")
        assert "transfer-encoding" not in got.headers

    converse(http, always(reply()), scenario)


def test_bodies_and_their_headers(http: HttpUnderTest, tmp_path: Path) -> None:
    """Static, made for the request, from a file, and none: length and type are right."""
    file = tmp_path / "body.bin"
    file.write_bytes(b"from a file")

    async def scenario(user: TestUser, server: HttpServer) -> None:
        user.scope["n"] = 7
        make = DynamicBody(lambda scope: b'{"n":%d}' % scope["n"], "application/json")
        for body in (StaticBody(b"abc", "text/plain"), make, FileBody(file), None):
            await user.get(server.origin, method="POST", body=body)

        seen = [
            (got.body, got.headers["content-length"], got.headers.get("content-type"))
            for got in server.requests
        ]
        assert seen == [
            (b"abc", "3", "text/plain"),
            (b'{"n":7}', "7", "application/json"),
            (b"from a file", "11", None),
            (b"", "0", None),
        ]

    converse(http, always(reply()), scenario)


@pytest.mark.parametrize(
    ("value", "sent"),
    [
        ("alpha", "/kv/alpha"),
        (17, "/kv/17"),
        ("a b", "/kv/a%20b"),
        ("ä/ß", "/kv/%C3%A4/%C3%9F"),
        ("a%20b%zz", "/kv/a%20b%25zz"),
        ("x?y=1&z=(2)", "/kv/x?y=1&z=(2)"),
        ("#frag", "/kv/%23frag"),
        (" HTTP/1.1\r\nX-Evil: 1\r\n\r\n", "/kv/%20HTTP/1.1%0D%0AX-Evil:%201%0D%0A%0D%0A"),
        ("\x00\x7f\u2028", "/kv/%00%7F%E2%80%A8"),
    ],
)
def test_variable_in_a_url_is_encoded(http: HttpUnderTest, value: object, sent: str) -> None:
    """Reserved characters and escapes stay; nothing can end the request line."""

    async def scenario(user: TestUser, server: HttpServer) -> None:
        user.scope["key"] = value
        await user.get(server.origin, ("/kv/", lambda scope: scope["key"]))

        assert [got.target for got in server.requests] == [sent]

    converse(http, always(reply()), scenario)


def test_query_is_encoded_to_the_last_reserved_character(http: HttpUnderTest) -> None:
    """A value is one value whatever is in it; lists repeat, null leaves out."""

    async def scenario(user: TestUser, server: HttpServer) -> None:
        user.scope["q"] = "a&b=c d"
        query = (
            QueryItem(("q",), lambda scope: scope["q"]),
            QueryItem(("n",), lambda _: [1, True]),
            QueryItem(("none",), lambda _: None),
            QueryItem(("fixed",), "ü"),
        )
        await user.get(server.origin, "/s?x=1", query=query)

        assert server.requests[0].target == "/s?x=1&q=a%26b%3Dc%20d&n=1&n=true&fixed=%C3%BC"

    converse(http, always(reply()), scenario)


def test_header_value_with_a_line_end_sends_nothing(http: HttpUnderTest) -> None:
    """It fails as an expression, before a byte is written."""

    async def scenario(user: TestUser, server: HttpServer) -> None:
        header = Header("X-A", (lambda scope: scope["evil"],))
        user.scope["evil"] = "1\r\nX-Evil: 2"

        with pytest.raises(EvaluationError):
            await user.get(server.origin, headers=(header,))

        assert server.requests == []

    converse(http, always(reply()), scenario)


def test_url_that_only_the_scope_knows(http: HttpUnderTest) -> None:
    """A whole URL from a variable: the origin is connected to when it is known."""

    async def scenario(user: TestUser, server: HttpServer) -> None:
        user.scope["next"] = f"{server.url}/page 2?x=ü#top"
        got = await user.get(None, (lambda scope: scope["next"],))
        again = await user.get(server.origin, "/")

        assert (got.failure, server.requests[0].target) == (None, "/page%202?x=%C3%BC")
        assert again.connects == 0

    converse(http, always(reply()), scenario)


def test_what_a_step_says_itself_counts_before_set_headers(http: HttpUnderTest) -> None:
    """Also that it sends none, after a redirect, and for this step alone."""

    async def scenario(user: TestUser, server: HttpServer) -> None:
        user.session.set_header("X-A", "user")
        user.session.set_header("X-B", "user")
        own = frozenset({"x-a", "x-c"})
        await user.get(server.origin, "/away", headers={"X-A": "step"}, own_names=own)
        said = server.requests[-1].headers
        await user.get(server.origin, own_names=frozenset({"x-b"}))
        silent = server.requests[-1].headers
        await user.get(server.origin, headers={"X-A": "plan"})
        after = server.requests[-1].headers

        assert (said["x-a"], said["x-b"], "x-c" in said) == ("step", "user", False)
        assert (silent["x-a"], "x-b" in silent) == ("user", False)
        assert (after["x-a"], after["x-b"]) == ("user", "user")

    async def respond(request: Request, wire: Wire) -> None:
        away = reply(302, b"", ("Location", "/"))
        await wire.send(away if request.target == "/away" else reply())

    converse(http, respond, scenario)


def test_set_header_holds_until_taken_away(http: HttpUnderTest) -> None:
    """It replaces the plan's header and the default one; None removes both."""

    async def scenario(user: TestUser, server: HttpServer) -> None:
        async def send() -> dict[str, str]:
            await user.get(server.origin, headers={"X-A": "plan"})
            return server.requests[-1].headers

        plain = await send()
        user.session.set_header("x-a", "user")
        user.session.set_header("User-Agent", None)
        changed = await send()
        user.session.set_header("X-A", None)
        removed = await send()

        assert (plain["x-a"], changed["x-a"]) == ("plan", "user")
        assert "user-agent" in plain
        assert "user-agent" not in changed
        assert "x-a" not in removed
        with pytest.raises(EvaluationError):
            user.session.set_header("X-A", "1\nX-Evil: 2")

    converse(http, always(reply()), scenario)


# -- connections that a request ends -------------------------------------------------------


@pytest.mark.parametrize("value", ["close", "Close", "x, close"])
@pytest.mark.parametrize("method", ["GET", "POST", "HEAD"])
def test_a_request_that_asks_for_the_end_gets_it(
    http: HttpUnderTest, method: str, value: str
) -> None:
    """Its connection is not used again, although the server leaves it open."""

    async def scenario(user: TestUser, server: HttpServer) -> None:
        first = await user.get(server.origin)
        last = await user.send(server.origin, method=method, headers={"Connection": value})
        then = await user.get(server.origin)

        assert [each.failure for each in (first, last, then)] == [None] * 3
        assert [request.connection for request in server.requests] == [0, 0, 1]
        assert (last.connects, then.connects, then.retries) == (0, 1, 0)

    converse(http, always(reply()), scenario)


def test_a_connection_header_of_a_user_or_a_variable(http: HttpUnderTest) -> None:
    """Where it comes from makes no difference, and what else stands in it neither."""
    made = Header("Connection", (lambda scope: scope["how"],))

    async def scenario(user: TestUser, server: HttpServer) -> None:
        for user.scope["how"] in ("keep-alive", "close", "closed"):
            await user.get(server.origin, headers=(made,))
        user.session.set_header("Connection", "close")
        for _ in range(2):
            await user.get(server.origin)
        user.session.set_header("Connection", None)
        for _ in range(2):
            await user.get(server.origin)

        numbers = [request.connection for request in server.requests]
        reused = [now == before for before, now in pairwise(numbers)]
        assert reused[:2] == [True, False]
        assert reused[4:] == [False, True]
        assert numbers[3] != numbers[4]

    converse(http, always(reply()), scenario)


@pytest.mark.parametrize(
    "limits", [{"max_age_ns": 80_000_000}, {"max_idle_ns": 80_000_000}], ids=["age", "idle"]
)
def test_connections_have_the_life_that_the_plan_gives(
    http: HttpUnderTest, limits: dict[str, int]
) -> None:
    """One whose time is over is not used again, and costs no retry."""

    async def scenario(user: TestUser, server: HttpServer) -> None:
        got = [await user.get(server.origin) for _ in range(2)]
        await asyncio.sleep(0.12)
        got += [await user.get(server.origin) for _ in range(2)]

        assert [request.connection for request in server.requests] == [0, 0, 1, 1]
        assert [(each.failure, each.retries) for each in got] == [(None, 0)] * 4

    converse(http, always(reply()), scenario, HttpSettings(**limits))


def test_an_age_ends_a_connection_however_busy_it_is(http: HttpUnderTest) -> None:
    """So that a load balancer's new hosts get their share."""

    async def scenario(user: TestUser, server: HttpServer) -> None:
        for _ in range(8):
            await user.get(server.origin)
            await asyncio.sleep(0.03)

        assert server.connections >= 3

    settings = HttpSettings(max_age_ns=50_000_000, max_idle_ns=1_000_000_000)
    converse(http, always(reply()), scenario, settings)


# -- where a query begins ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("filter_", "target"),
    [
        ("", "/list?page=2"),
        ("?colour=red", "/list?colour=red&page=2"),
        ("?colour=red&", "/list?colour=red&page=2"),
        ("?", "/list?page=2"),
        ("/a&b", "/list/a&b?page=2"),
        ("/a?b?c", "/list/a?b?c&page=2"),
    ],
)
def test_query_joins_what_a_variable_has_begun(
    http: HttpUnderTest, filter_: str, target: str
) -> None:
    """There is one `?`, wherever it comes from."""

    async def scenario(user: TestUser, server: HttpServer) -> None:
        user.scope["filter"] = filter_
        variable = itemgetter("filter")
        query = (QueryItem(("page",), "2"),)
        await user.get(server.origin, ("/list", variable), query=query)
        await user.get(None, (f"{server.url}/list", variable), query=query)
        await user.get(server.origin, f"/list{filter_}", query=query)
        dynamic = (QueryItem(("page",), lambda scope: 1 + (scope["filter"] is not None)),)
        await user.get(server.origin, ("/list", variable), query=dynamic)

        assert [request.target for request in server.requests] == [target] * 4

    converse(http, always(reply()), scenario)


def test_a_query_without_entries_adds_nothing(http: HttpUnderTest) -> None:
    """All of them may be left out."""

    async def scenario(user: TestUser, server: HttpServer) -> None:
        user.scope["filter"] = "?a"
        query = (QueryItem(("page",), lambda _: None),)
        await user.get(server.origin, ("/list", itemgetter("filter")), query=query)

        assert server.requests[0].target == "/list?a"

    converse(http, always(reply()), scenario)

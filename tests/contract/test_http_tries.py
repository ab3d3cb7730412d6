"""What every HTTP client does in more than one try: `retry`, and tokens of OAuth2."""

from __future__ import annotations

import json
from base64 import b64decode
from typing import Any

import pytest

from planrunner.protocols.base import FailureKind
from planrunner.protocols.http.compile.auth import compile_grant
from planrunner.protocols.http.operation import Grant, HttpSettings, Retry
from planrunner.protocols.http.spec_auth import OAuth2
from planrunner.protocols.http.url import Origin
from planrunner.protocols.lowering import Lowering
from planrunner.units import NS_PER_MS
from tests.support.http_servers import (
    HttpServer,
    Request,
    Respond,
    Wire,
    always,
    closed_port,
    reply,
)
from tests.support.http_specs import MemoryFiles
from tests.support.http_users import HttpUnderTest, TestUser, converse

KINDS = frozenset({FailureKind.CONNECT, FailureKind.RESET, FailureKind.TIMEOUT})


def retry(times: int, wait_ms: int = 0) -> Retry:
    return Retry(times, wait_ms * NS_PER_MS, KINDS, range(500, 600))


def in_turn(*replies: bytes | None) -> Respond:
    """Answer with one after the other; None resets the connection."""
    left = list(replies)

    async def respond(_: Request, wire: Wire) -> None:
        data = left.pop(0)
        await (wire.reset() if data is None else wire.send(data))

    return respond


# -- retry ---------------------------------------------------------------------------------


def test_tries_are_one_sample(http: HttpUnderTest) -> None:
    """The last status, the whole time with its waits, all bytes."""
    respond = in_turn(reply(503, b"no"), reply(500, b"no"), reply(200, b"yes"))

    async def scenario(user: TestUser, server: HttpServer) -> None:
        got = await user.get(server.origin, retry=retry(3, wait_ms=20))

        assert (got.failure, got.status, got.body) == (None, 200, b"yes")
        assert (got.retries, got.connects, got.received) == (2, 1, 7)
        assert http.sent(sum(len(request.raw) for request in server.requests)) in (got.sent, None)
        assert got.ended_ns - got.asked_ns >= 40 * NS_PER_MS
        assert got.asked_ns <= got.sent_ns < got.first_byte_ns <= got.ended_ns

    converse(http, respond, scenario)


def test_no_more_tries_than_told(http: HttpUnderTest) -> None:
    """The last reply counts, whatever it is; what isn't named is not sent again."""

    async def scenario(user: TestUser, server: HttpServer) -> None:
        got = await user.get(server.origin, retry=retry(2))
        plain = await user.get(server.origin)

        assert (got.status, got.retries, plain.status, plain.retries) == (500, 2, 404, 0)
        assert len(server.requests) == 4

    converse(http, in_turn(*[reply(500)] * 3, reply(404)), scenario)


def test_a_post_is_sent_again_after_a_reset(http: HttpUnderTest) -> None:
    """The plan says so; the same bytes, expressions aren't evaluated again."""
    made = 0

    def number(_: object) -> int:
        nonlocal made
        made += 1
        return made

    async def scenario(user: TestUser, server: HttpServer) -> None:
        got = await user.get(server.origin, ("/", number), method="POST", retry=retry(1))

        assert (got.failure, got.status, got.retries, got.connects) == (None, 200, 1, 2)
        assert [request.target for request in server.requests] == ["/1", "/1"]

    converse(http, in_turn(None, reply()), scenario)


def test_each_try_has_the_whole_timeout(http: HttpUnderTest) -> None:
    """A try that got no reply in time is one reason to send again."""
    calls = 0

    async def respond(_: Request, wire: Wire) -> None:
        nonlocal calls
        calls += 1
        await (wire.hang() if calls == 1 else wire.send(reply()))

    async def scenario(user: TestUser, server: HttpServer) -> None:
        got = await user.get(server.origin, retry=retry(1), timeout_s=0.1)

        assert (got.failure, got.status, got.retries) == (None, 200, 1)
        assert got.ended_ns - got.asked_ns >= 95 * NS_PER_MS

    converse(http, respond, scenario)


def test_nobody_there_at_any_try(http: HttpUnderTest) -> None:
    """A failure stays one, and says how often it was tried."""

    async def scenario(user: TestUser, server: HttpServer) -> None:
        got = await user.get(Origin("http", "127.0.0.1", closed_port()), retry=retry(2))

        assert (got.failure, got.retries, got.status) == (FailureKind.CONNECT, 2, 0)
        assert got.sent_ns == got.asked_ns

    converse(http, always(reply()), scenario)


# -- OAuth2 --------------------------------------------------------------------------------


def grant(server: HttpServer, **more: str) -> Grant:
    lowering = Lowering({}, MemoryFiles({}))
    texts = {"token_url": f"{server.url}/token", "client_id": "me", "client_secret": "a:b c"}
    spec = OAuth2.model_validate({**texts, **more})
    made = compile_grant(spec, lowering, (), HttpSettings())
    assert lowering.faults == []
    return made


def token_server(
    *, life: object = 3600, refuses: tuple[str, ...] = (), **fields: Any
) -> tuple[Respond, list[str]]:
    """Grant t1, t2 …; refuse the tokens named."""
    granted: list[str] = []

    async def respond(request: Request, wire: Wire) -> None:

        if request.target == "/token":
            granted.append(f"t{len(granted) + 1}")
            data = {"access_token": granted[-1], "expires_in": life, **fields}
            await wire.send(reply(200, json.dumps(data).encode()))
            return
        shown = request.headers.get("authorization", "")
        is_refused = shown.removeprefix("Bearer ") in refuses
        await wire.send(reply(401 if is_refused else 200, shown.encode()))

    return respond, granted


def test_one_token_for_all_requests_of_a_user(http: HttpUnderTest) -> None:
    """Fetched by the first one, and no part of its sample."""
    respond, granted = token_server()

    async def scenario(user: TestUser, server: HttpServer) -> None:
        got = [await user.get(server.origin, f"/{n}", grant=grant(server)) for n in range(3)]

        first = server.requests[0]
        assert (first.method, first.target) == ("POST", "/token")
        assert first.body == b"grant_type=client_credentials"
        assert b64decode(first.headers["authorization"].removeprefix("Basic ")) == b"me:a%3Ab+c"
        assert [each.body for each in got] == [b"Bearer t1"] * 3
        for each, request in zip(got, server.requests[1:], strict=True):
            assert each.retries == 0
            assert http.sent(len(request.raw)) in (each.sent, None)
        assert granted == ["t1"]

    converse(http, respond, scenario)


def test_another_user_has_another_token(http: HttpUnderTest) -> None:
    """Tokens belong to one user, and to one set of credentials."""
    respond, granted = token_server()

    async def scenario(user: TestUser, server: HttpServer) -> None:
        await user.get(server.origin, grant=grant(server))
        await user.get(server.origin, grant=grant(server, scope="read write"))
        other = TestUser(user.client, user.client.session(), {})
        await other.get(server.origin, grant=grant(server))
        await other.session.close()

        assert granted == ["t1", "t2", "t3"]
        assert server.requests[2].body.endswith(b"&scope=read+write")

    converse(http, respond, scenario)


def test_another_visitor_has_another_token(http: HttpUnderTest) -> None:
    """Though it takes over the user's connections."""
    respond, granted = token_server()

    async def scenario(user: TestUser, server: HttpServer) -> None:
        await user.get(server.origin, grant=grant(server))
        user.session.renew()
        replied = await user.get(server.origin, grant=grant(server))

        assert replied.body == b"Bearer t2"
        assert granted == ["t1", "t2"]

    converse(http, respond, scenario)


def test_token_is_renewed_before_it_ends(http: HttpUnderTest) -> None:
    """One that is as good as over is not used again."""
    respond, granted = token_server(life=0)

    async def scenario(user: TestUser, server: HttpServer) -> None:
        for _ in range(2):
            await user.get(server.origin, grant=grant(server))

        assert granted == ["t1", "t2"]

    converse(http, respond, scenario)


def test_refused_token_is_replaced_once(http: HttpUnderTest) -> None:
    """After a 401 the request is sent once more with a new token: one sample, one retry."""
    respond, granted = token_server(refuses=("t1", "t3", "t4"))

    async def scenario(user: TestUser, server: HttpServer) -> None:
        got = await user.get(server.origin, grant=grant(server))
        assert (got.status, got.body, got.retries) == (200, b"Bearer t2", 1)

    converse(http, respond, scenario)
    assert granted == ["t1", "t2"]


def test_a_server_that_refuses_every_token(http: HttpUnderTest) -> None:
    """The 401 is the reply; nothing goes on for ever."""
    respond, granted = token_server(refuses=("t1", "t2"))

    async def scenario(user: TestUser, server: HttpServer) -> None:
        got = await user.get(server.origin, grant=grant(server))

        assert (got.failure, got.status, got.retries) == (None, 401, 1)
        assert granted == ["t1", "t2"]

    converse(http, respond, scenario)


@pytest.mark.parametrize(
    ("data", "kind", "words"),
    [
        (reply(403, b"who?"), FailureKind.STATUS, "no token: status 403"),
        (reply(200, b"{}"), FailureKind.PROTOCOL, "no token: the reply has no `access_token`"),
        (reply(200, b'{"access_token": "a\\nb"}'), FailureKind.PROTOCOL, "no token"),
        (None, FailureKind.RESET, "no token: "),
    ],
)
def test_no_token_is_a_failure(
    http: HttpUnderTest, data: bytes | None, kind: FailureKind, words: str
) -> None:
    """The request itself is not sent, and the sample has no status."""

    async def scenario(user: TestUser, server: HttpServer) -> None:
        got = await user.get(server.origin, grant=grant(server))

        assert (got.failure, got.status, got.sent) == (kind, 0, 0)
        assert got.detail.startswith(words)
        assert [request.target for request in server.requests] == ["/token"]

    converse(http, in_turn(data), scenario)

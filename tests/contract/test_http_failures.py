"""How requests fail: every client gives the same kind for the same misfortune, and goes on."""

from __future__ import annotations

import asyncio
import gzip
import time
from collections.abc import Awaitable, Callable

import pytest

from planrunner.protocols.base import FailureKind, Reply
from planrunner.protocols.http.operation import HttpSettings
from planrunner.protocols.http.url import Origin
from tests.support.http_servers import (
    Certificates,
    HttpServer,
    Request,
    Wire,
    always,
    closed_port,
    reply,
    serve,
    serve_raw,
)
from tests.support.http_users import HttpUnderTest, TestUser, converse

Converse = Callable[[Wire, int], Awaitable[None]]


def got_from(
    http: HttpUnderTest, talk: Converse, settings: HttpSettings | None = None, **more: object
) -> Reply:
    """Send one GET to a server that says what it likes."""

    async def scenario() -> Reply:
        async with serve_raw(talk) as server, http.user(settings) as user:
            return await user.get(server.origin, **more)

    return http.run(scenario)


def saying(data: bytes, *, then: str = "close") -> Converse:
    """Read a request, say `data`, then close, reset or hang."""

    async def talk(wire: Wire, _: int) -> None:
        await wire.reader.readuntil(b"\r\n\r\n")
        await wire.send(data)
        await asyncio.sleep(0.01)
        await getattr(wire, then)()

    return talk


# -- no connection -------------------------------------------------------------------------


def test_nothing_listens(http: HttpUnderTest) -> None:
    """A refused connection is `connect`, and nothing was sent."""

    async def scenario() -> Reply:
        async with http.user() as user:
            return await user.get(Origin("http", "127.0.0.1", closed_port()))

    got = http.run(scenario)

    assert (got.failure, got.status, got.sent, got.connects) == (FailureKind.CONNECT, 0, 0, 0)
    assert got.detail
    assert got.asked_ns == got.sent_ns <= got.ended_ns


def test_name_that_does_not_exist(http: HttpUnderTest) -> None:
    """A name without an address is `dns` (`.invalid` never has one, RFC 2606)."""

    async def scenario() -> Reply:
        async with http.user() as user:
            return await user.get(Origin("http", "shop.invalid", 80), timeout_s=20)

    got = http.run(scenario)

    assert (got.failure, got.connects) == (FailureKind.DNS, 0)


def test_hosts_give_names_addresses(http: HttpUnderTest) -> None:
    """A name of `http.hosts` is connected to where the plan says, under its own name."""

    async def scenario(user: TestUser, server: HttpServer) -> None:
        got = await user.get(Origin("http", "shop.test", server.origin.port))

        assert got.failure is None
        assert server.requests[0].headers["host"] == f"shop.test:{server.origin.port}"

    settings = HttpSettings(hosts={"shop.test": "127.0.0.1"})
    converse(http, always(reply()), scenario, settings)


def test_ipv6(http: HttpUnderTest) -> None:
    """An IPv6 address is connected to, and bracketed in Host."""

    async def scenario() -> None:
        try:
            serving = serve(always(reply(200, b"six")), host="::1")
            async with serving as server, http.user() as user:
                got = await user.get(server.origin)

                assert got.body == b"six"
                assert server.requests[0].headers["host"] == f"[::1]:{server.origin.port}"
        except OSError:
            pytest.skip("no IPv6 on this machine")

    http.run(scenario)


# -- TLS -----------------------------------------------------------------------------------


def over_tls(
    http: HttpUnderTest, certificates: Certificates, settings: HttpSettings, *, demanding: bool
) -> list[Reply]:
    tls = certificates.demanding_server if demanding else certificates.server

    async def scenario() -> list[Reply]:
        serving = serve(always(reply(200, b"safe")), tls=tls)
        async with serving as server, http.user(settings) as user:
            return [await user.get(server.origin), await user.get(server.origin)]

    return http.run(scenario)


def test_tls_with_a_trusted_authority(http: HttpUnderTest, certificates: Certificates) -> None:
    """`ca` is trusted, and the connection is used again."""
    settings = HttpSettings(ca=certificates.ca)

    got = over_tls(http, certificates, settings, demanding=False)

    assert [(each.failure, each.body) for each in got] == [(None, b"safe"), (None, b"safe")]
    assert [each.connects for each in got] == [1, 0]


def test_a_reply_over_tls_ends_with_its_connection(
    http: HttpUnderTest, certificates: Certificates
) -> None:
    """Few servers say goodbye; a large reply is whole however its records are cut."""
    body = b"x" * 300_000

    async def respond(_: Request, wire: Wire) -> None:
        await wire.send(reply(200, body, length=False))
        await wire.close()

    async def scenario() -> Reply:
        settings = HttpSettings(ca=certificates.ca)
        async with serve(respond, tls=certificates.server) as server, http.user(settings) as user:
            return await user.get(server.origin)

    got = http.run(scenario)

    assert (got.failure, got.body) == (None, body)


def test_tls_certificate_that_nobody_trusts(
    http: HttpUnderTest, certificates: Certificates
) -> None:
    """It is a `tls` failure, and nothing was sent."""
    got = over_tls(http, certificates, HttpSettings(), demanding=False)

    assert [(each.failure, each.sent) for each in got] == [(FailureKind.TLS, 0)] * 2
    assert "certificate" in got[0].detail


def test_tls_without_verification(http: HttpUnderTest, certificates: Certificates) -> None:
    """`verify: false` takes any certificate."""
    got = over_tls(http, certificates, HttpSettings(verify=False), demanding=False)

    assert got[0].failure is None


def test_tls_certificate_for_another_name(http: HttpUnderTest, certificates: Certificates) -> None:
    """A trusted certificate must also be the host's; SNI and the check use the plan's name."""

    async def scenario() -> list[Reply]:
        hosts = {"shop.test": "127.0.0.1", "other.test": "127.0.0.1"}
        settings = HttpSettings(ca=certificates.ca, hosts=hosts)
        serving = serve(always(reply()), tls=certificates.server)
        async with serving as server, http.user(settings) as user:
            names = ("shop.test", "other.test")
            return [await user.get(Origin("https", name, server.origin.port)) for name in names]

    right, wrong = http.run(scenario)

    assert (right.failure, wrong.failure) == (None, FailureKind.TLS)


@pytest.mark.parametrize("has_certificate", [True, False])
def test_tls_client_certificate(
    http: HttpUnderTest,
    certificates: Certificates,
    has_certificate: bool,  # noqa: FBT001
) -> None:
    """A server that demands a certificate gets the plan's; without one there is no reply."""
    cert = certificates.client if has_certificate else None
    settings = HttpSettings(ca=certificates.ca, cert=cert)

    got = over_tls(http, certificates, settings, demanding=True)

    assert (got[0].failure is None) == has_certificate
    if not has_certificate:
        # TLS 1.3 refuses after the handshake: the alert comes with, or as, the end.
        assert got[0].failure in (FailureKind.TLS, FailureKind.RESET)


def test_tls_to_a_server_that_speaks_none(http: HttpUnderTest) -> None:
    """Plain HTTP is no handshake."""

    async def talk(wire: Wire, _: int) -> None:
        await wire.reader.read(100)
        await wire.send(reply(400))

    async def scenario() -> Reply:
        async with serve_raw(talk) as server, http.user() as user:
            return await user.get(Origin("https", "127.0.0.1", server.origin.port))

    assert http.run(scenario).failure == FailureKind.TLS


# -- broken replies ------------------------------------------------------------------------


@pytest.mark.http1
@pytest.mark.parametrize("then", ["close", "reset"])
@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"", 0),
        (b"HTTP/1.1 2", 0),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", 200),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhe", 200),
    ],
    ids=["nothing", "head", "body", "chunk"],
)
def test_connection_lost_before_the_reply_was_whole(
    http: HttpUnderTest, data: bytes, status: int, then: str
) -> None:
    """Closed or reset, anywhere: `reset`; what was known of the reply is kept."""
    got = got_from(http, saying(data, then=then))

    assert (got.failure, got.status, got.body) == (FailureKind.RESET, status, None)
    assert got.retries == 0


@pytest.mark.http1
@pytest.mark.parametrize(
    "data",
    [
        b"garbage\r\n\r\n",
        b"\x00\x01\x02\x03\r\n\r\n\xff",
        b"SSH-2.0-OpenSSH_9.6\r\n\r\n",
        b"HTTP/1.1 abc OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nNo Colon Here\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nBad Name: 1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\nabc\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: rot13\r\n\r\nabc",
    ],
)
def test_garbage_is_a_protocol_failure(http: HttpUnderTest, data: bytes) -> None:
    """What is not HTTP fails as `protocol` as soon as it shows."""
    got = got_from(http, saying(data, then="hang"), timeout_s=2)

    assert got.failure == FailureKind.PROTOCOL
    assert got.detail


@pytest.mark.http1
@pytest.mark.parametrize(
    "data",
    [
        b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 300_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X-Many: 1\r\n" * 30_000,
    ],
    ids=["one", "many"],
)
def test_giant_head_is_too_large(http: HttpUnderTest, data: bytes) -> None:
    """A head ends, or the request does."""
    got = got_from(http, saying(data, then="hang"))

    assert got.failure == FailureKind.TOO_LARGE


@pytest.mark.http1
@pytest.mark.parametrize(
    "data",
    [
        reply(200, b"x" * 2000),
        reply(200, b"x" * 2000, length=False),
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n7d0\r\n" + b"x" * 2000 + b"\r\n",
    ],
    ids=["length", "close", "chunked"],
)
def test_giant_body_is_too_large(http: HttpUnderTest, data: bytes) -> None:
    """A body that is kept has a limit, announced or not."""
    got = got_from(http, saying(data, then="hang"), HttpSettings(max_body=1000))

    assert (got.failure, got.body) == (FailureKind.TOO_LARGE, None)


@pytest.mark.parametrize(
    "data",
    [
        reply(200, b"x" * 100_000),
        reply(200, b"x" * 100_000, length=False),
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n186a0\r\n"
        + b"x" * 100_000
        + b"\r\n0\r\n\r\n",
        reply(200, gzip.compress(b"x" * 100_000), ("Content-Encoding", "gzip")),
    ],
    ids=["length", "close", "chunked", "gzip"],
)
def test_users_share_what_may_be_kept(http: HttpUnderTest, data: bytes) -> None:
    """A user holds its last body; the next request, and the user's end, make room for others."""

    async def respond(request: Request, wire: Wire) -> None:
        await wire.send(data if request.target == "/large" else reply(200, b"small"))
        if request.target == "/large" and b"close" not in data and b"\r\n\r\n" in data:
            await wire.close()

    async def scenario(one: TestUser, server: HttpServer) -> None:
        other = TestUser(one.client, one.client.session(), {})
        third = TestUser(one.client, one.client.session(), {})

        assert len((await one.get(server.origin, "/large")).body or b"") == 100_000
        assert (await one.get(server.origin, "/large")).failure is None

        refused = await other.get(server.origin, "/large")
        assert (refused.failure, refused.body) == (FailureKind.TOO_LARGE, None)
        assert "http.max_kept" in refused.detail
        assert (await other.get(server.origin, "/small")).body == b"small"

        await one.get(server.origin, "/small")
        assert (await other.get(server.origin, "/large")).failure is None
        await other.session.close()
        assert (await third.get(server.origin, "/large")).failure is None
        await third.session.close()

    converse(http, respond, scenario, HttpSettings(max_kept=150_000))


@pytest.mark.http1
def test_interim_replies_without_end_are_not_waited_for(http: HttpUnderTest) -> None:
    """However many come, the request ends in its time."""

    async def talk(wire: Wire, _: int) -> None:
        await wire.reader.readuntil(b"\r\n\r\n")
        while True:
            await wire.send(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" * 500)

    began_s = time.monotonic()
    got = got_from(http, talk, timeout_s=0.3)

    assert got.failure in (FailureKind.TOO_LARGE, FailureKind.TIMEOUT)
    assert time.monotonic() - began_s < 3


@pytest.mark.http1
def test_next_request_after_a_failure_works(http: HttpUnderTest) -> None:
    """A failure costs its connection, nothing else."""

    async def respond(request: Request, wire: Wire) -> None:
        bad = request.target == "/bad"
        await wire.send(b"garbage\r\n\r\n" if bad else reply(200, b"fine"))

    async def scenario(user: TestUser, server: HttpServer) -> None:
        got = [await user.get(server.origin, target) for target in ("/", "/bad", "/", "/")]

        kinds = [each.failure for each in got]
        assert kinds == [None, FailureKind.PROTOCOL, None, None]
        assert [each.connects for each in got] == [1, 0, 1, 0]
        assert [each.detail == "" for each in got] == [True, False, True, True]
        assert got[2].body == b"fine"

    converse(http, respond, scenario)


# -- a server that closes idle connections ---------------------------------------------------


def closing_after(number: int, how: str) -> Callable[[Request, Wire], Awaitable[None]]:
    """Serve `number` requests on each connection, then let the next one die unanswered."""
    served: dict[int, int] = {}

    async def respond(request: Request, wire: Wire) -> None:
        served[request.connection] = served.get(request.connection, 0) + 1
        if served[request.connection] > number:
            await getattr(wire, how)()
        else:
            await wire.send(reply(200, b"fine"))

    return respond


@pytest.mark.parametrize("how", ["close", "reset"])
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "OPTIONS"])
def test_stale_connection_is_retried_once(http: HttpUnderTest, method: str, how: str) -> None:
    """An idempotent request that a reused connection lost goes out again, and is counted."""

    async def scenario(user: TestUser, server: HttpServer) -> None:
        await user.get(server.origin)
        got = await user.get(server.origin, method=method)

        assert (got.failure, got.body) == (None, b"fine")
        assert (got.retries, got.connects) == (1, 1)
        assert http.sent(2 * len(server.requests[-1].raw)) in (got.sent, None)

    converse(http, closing_after(1, how), scenario)


def test_post_is_not_sent_twice(http: HttpUnderTest) -> None:
    """The server may have done it already."""

    async def scenario(user: TestUser, server: HttpServer) -> None:
        await user.get(server.origin)
        got = await user.get(server.origin, method="POST")

        assert (got.failure, got.retries) == (FailureKind.RESET, 0)
        assert len(server.requests) == 2

    converse(http, closing_after(1, "close"), scenario)


def test_fresh_connection_is_not_retried(http: HttpUnderTest) -> None:
    """A server that closes at once does so again."""

    async def scenario(user: TestUser, server: HttpServer) -> None:
        got = await user.get(server.origin)

        assert (got.failure, got.retries, server.connections) == (FailureKind.RESET, 0, 1)

    converse(http, closing_after(0, "close"), scenario)


def test_retry_that_fails_too_is_a_failure(http: HttpUnderTest) -> None:
    """Once is enough."""
    calls = []

    async def respond(request: Request, wire: Wire) -> None:
        calls.append(request)
        if len(calls) == 1:
            await wire.send(reply(200))
        else:
            await wire.close()

    async def scenario(user: TestUser, server: HttpServer) -> None:
        await user.get(server.origin)
        got = await user.get(server.origin)

        assert (got.failure, got.retries, len(calls)) == (FailureKind.RESET, 1, 3)

    converse(http, respond, scenario)


def test_connection_closed_while_idle(http: HttpUnderTest) -> None:
    """When the end was seen before the next request, there is nothing to retry."""

    async def respond(_: Request, wire: Wire) -> None:
        await wire.send(reply(200, b"fine"))
        await wire.close()

    async def scenario(user: TestUser, server: HttpServer) -> None:
        await user.get(server.origin)
        await asyncio.sleep(0.05)
        got = await user.get(server.origin, method="POST")

        assert (got.failure, got.connects, got.retries) == (None, 1, 0)

    converse(http, respond, scenario)


# -- time ----------------------------------------------------------------------------------


@pytest.mark.http1
@pytest.mark.parametrize(
    "data",
    [b"", b"HTTP/1.1 200 OK\r\nContent-Len", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"],
    ids=["nothing", "head", "body"],
)
def test_timeout(http: HttpUnderTest, data: bytes) -> None:
    """A server that stops talking costs the timeout, not more."""
    started = time.monotonic()

    got = got_from(http, saying(data, then="hang"), timeout_s=0.1)

    assert (got.failure, got.body) == (FailureKind.TIMEOUT, None)
    assert 0.08 < (got.ended_ns - got.asked_ns) / 1e9 < 1
    assert time.monotonic() - started < 2


def test_timeout_covers_the_whole_chain(http: HttpUnderTest) -> None:
    """Redirects don't start the clock again."""

    async def respond(_: Request, wire: Wire) -> None:
        await asyncio.sleep(0.04)
        await wire.send(reply(302, b"", ("Location", "/")))

    async def scenario(user: TestUser, server: HttpServer) -> None:
        got = await user.get(server.origin, timeout_s=0.1)

        assert got.failure == FailureKind.TIMEOUT
        assert len(server.requests) <= 3

    converse(http, respond, scenario)


def test_late_reply_is_not_taken_for_the_next(http: HttpUnderTest) -> None:
    """After a timeout the connection is gone, and with it what it may still bring."""

    async def respond(request: Request, wire: Wire) -> None:
        if request.target == "/slow":
            await asyncio.sleep(0.15)
        await wire.send(reply(200, request.target.encode()))

    async def scenario(user: TestUser, server: HttpServer) -> None:
        slow = await user.get(server.origin, "/slow", timeout_s=0.05)
        got = await user.get(server.origin, "/fast")
        await asyncio.sleep(0.15)
        again = await user.get(server.origin, "/again")

        assert slow.failure == FailureKind.TIMEOUT
        assert (got.body, again.body) == (b"/fast", b"/again")

    converse(http, respond, scenario)


async def _until(holds: Callable[[], object]) -> None:
    """Give the other side its turns; it may need many on a busy machine."""
    for _ in range(500):
        if holds():
            return
        await asyncio.sleep(0.01)


@pytest.mark.parametrize("where", ["head", "body", "connect"])
def test_cancelled_request_is_cancelled(http: HttpUnderTest, where: str) -> None:
    """Cancellation comes through at once, closes the connection and leaves the user usable."""
    data = {"head": b"", "body": b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", "connect": b""}
    came, gone = [], []

    async def respond(request: Request, wire: Wire) -> None:
        if request.target == "/hang":
            await wire.send(data[where])
            came.append(request)
            await wire.hang()
            gone.append(request)
        else:
            await wire.send(reply(200, b"fine"))

    async def scenario(user: TestUser, server: HttpServer) -> None:
        asking = asyncio.ensure_future(user.get(server.origin, "/hang"))
        await asyncio.sleep(0)
        if where != "connect":
            await _until(lambda: came)
            await asyncio.sleep(0.03)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        got = await user.get(server.origin, "/")

        assert (got.failure, got.body) == (None, b"fine")
        await _until(lambda: gone == came)
        assert len(gone) == (where != "connect")

    converse(http, respond, scenario)

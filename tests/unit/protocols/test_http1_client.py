"""The wire client where it is more than the contract: heads, bodies, rewriting, connections."""

from __future__ import annotations

import asyncio
import sys
from contextlib import suppress
from contextvars import copy_context
from operator import itemgetter
from types import FrameType
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planrunner.clock import MonotonicClock
from planrunner.engine.scheduling.driving import driven
from planrunner.protocols.base import FailureKind, Reply, Scope
from planrunner.protocols.http.clients.fault import WireFault
from planrunner.protocols.http.clients.heads.head import (
    NEVER_QUICK,
    UNTIL_CLOSE,
    ReplyHead,
)
from planrunner.protocols.http.clients.heads.known import ReplyHeads
from planrunner.protocols.http.clients.http1 import client as wire
from planrunner.protocols.http.clients.http1 import session
from planrunner.protocols.http.clients.http1.body import BodyReader, ChunkedBody
from planrunner.protocols.http.clients.http1.connection import ReplyLimits, WireConnection
from planrunner.protocols.http.clients.http1.open_connection import Waiter
from planrunner.protocols.http.clients.kept_bodies import KeptBodies, KeptBudget
from planrunner.protocols.http.clients.recall import Glimpse
from planrunner.protocols.http.clients.request import bind_request
from planrunner.protocols.http.clients.rewrite import add_lines, next_hop, without
from planrunner.protocols.http.operation import HttpSettings, StaticBody, TextParts
from planrunner.protocols.http.url import Location, Origin
from planrunner.units import NS_PER_S
from planrunner.wire_wait import WireWait, outcome_of
from tests.support.http_proxies import tunnelling_proxy
from tests.support.http_servers import HttpServer, Request, Wire, always, reply, serve
from tests.support.http_users import HttpUnderTest, TestUser, converse, exchange
from tests.support.own_code import is_own

WIRE = HttpUnderTest("wire", wire.open, asyncio.run)
SHOP = Origin("http", "shop.test", 80)
OK = b"HTTP/1.1 200 OK\r\n"


# -- heads ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lines", "quick"),
    [
        ("200 OK|Content-Length: 5", 5),
        ("404 Not Found|content-LENGTH:0", 0),
        ("204 No Content|Content-Length: 5", 0),
        ("200 OK|Content-Length: 5|Connection: keep-alive", 5),
        ("200 OK|Content-Length: 5|Location: /x", 5),
        ("200 OK", NEVER_QUICK),
        ("200 OK|Transfer-Encoding: chunked", NEVER_QUICK),
        ("200 OK|Content-Length: 5|Connection: close", NEVER_QUICK),
        ("200 OK|Content-Length: 5|sET-cOOKIE: a=b", 5),
        ("200 OK|Content-Length: 5|Content-Encoding: gzip", NEVER_QUICK),
        ("302 Found|Content-Length: 5|Location: /x", NEVER_QUICK),
        ("100 Continue", NEVER_QUICK),
    ],
)
def test_quick_heads_need_no_look(lines: str, quick: int) -> None:
    """Only a reply of known length that asks for no more than a cookie takes the short way."""
    raw = ("HTTP/1.1 " + lines.replace("|", "\r\n") + "\r\n\r\n").encode()

    assert ReplyHeads(4_096, 1000).parse(raw).quick == quick


@given(st.binary(max_size=60))
def test_no_head_breaks_the_parser(data: bytes) -> None:
    """Either it is a head, or it is a failure of the request: never another exception."""
    with suppress(WireFault):
        assert (
            ReplyHeads(4_096, 1000).parse(b"HTTP/1.1 200 OK\r\n" + data + b"\r\n\r\n").status == 200
        )


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (OK + b"Content-Length : 5\r\n\r\n", OK + b"Content-Length: 5\r\n\r\n"),
        (
            OK + b"A: 1\r\n\t2\r\nContent-Length: 5\r\n\r\n",
            OK + b"A: 1 2\r\nContent-Length: 5\r\n\r\n",
        ),
        (b"\r\n" + OK + b"Content-Length: 5\r\n\r\n", OK + b"Content-Length: 5\r\n\r\n"),
        (OK + b"X: \x1b[2J\xff\r\nContent-Length: 5\r\n\r\n", None),
        (b"HTTP/1.1 200\r\nContent-Length: 05\r\n\r\n", None),
    ],
    ids=["space", "fold", "empty-line", "controls", "no-reason"],
)
def test_lenient_heads(data: bytes, text: bytes | None) -> None:
    """What can only be meant in one way is read, and shown to expectations as it was meant."""
    head = ReplyHeads(4_096, 1000).parse(data)

    assert (head.status, head.length, head.text) == (200, 5, text or data)


@pytest.mark.parametrize(
    "data",
    [
        OK + b" folded: status line\r\n\r\n",
        OK + b"Content-Length: 8\r\nContent-Length: 3\r\n\r\n",
        OK + b"Content-Length: 8, 3\r\n\r\n",
        OK + b"Content-Length: +8\r\n\r\n",
        OK + b"Content-Length: 8\r\n 3\r\n\r\n",
        OK + b"Content-Length: \r\n\r\n",
        OK + b"Content-Length: 99999999999999999999\r\n\r\n",
        OK + b"Transfer-Encoding: chunked, chunked\r\n\r\n",
        OK + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: gzip\r\n\r\n",
        OK + b"X: a\0b\r\n\r\n",
        OK + b"X: a\rContent-Length: 3\r\n\r\n",
        OK + b": nameless\r\n\r\n",
        OK + b"Bad Name: 1\r\n\r\n",
        b"HTTP/1.1 99 X\r\n\r\n",
        b"HTTP/1.1 000 X\r\n\r\n",
        b"HTTP/1.1 2000 X\r\n\r\n",
        b"HTTP/2 200\r\n\r\n",
    ],
)
def test_dangerous_heads_are_refused(data: bytes) -> None:
    """Where a reply ends, or what its lines are, is never guessed."""
    with pytest.raises(WireFault) as failed:
        ReplyHeads(4_096, 1000).parse(data)

    assert failed.value.kind == FailureKind.PROTOCOL


@pytest.mark.parametrize("line", [b" " * 60_000 + b"x", b"\t\r\n " * 15_000, b"a\r\n b" * 10_000])
def test_no_head_takes_long(line: bytes) -> None:
    """White space without end is read in linear time."""
    started_ns = MonotonicClock().now_ns()

    with suppress(WireFault):
        ReplyHeads(4_096, 1000).parse(OK + b"X:" + line + b"\r\nY" + line + b"\r\n\r\n")

    assert MonotonicClock().now_ns() - started_ns < NS_PER_S


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (OK + b"Content-Length: 8\r\nContent-Length: 3\r\n\r\n", FailureKind.PROTOCOL),
        (OK + b"X: " + b"x" * 300_000, FailureKind.TOO_LARGE),
        (OK + b"Content-Length: 99999999999\r\n\r\n", FailureKind.TOO_LARGE),
        (OK + b"Content-Le", FailureKind.TIMEOUT),
    ],
    ids=["lengths", "head", "body", "half"],
)
def test_a_failure_keeps_the_status_that_the_head_names(data: bytes, kind: FailureKind) -> None:
    """What is wrong with the rest doesn't take away what is known."""

    async def scenario(user: TestUser, server: HttpServer) -> None:
        got = await user.get(server.origin, timeout_s=0.3)

        assert (got.failure, got.status, got.body) == (kind, 200, None)

    converse(WIRE, always(data), scenario)


@pytest.mark.parametrize("number", [1, 1000])
def test_interim_replies_are_skipped_up_to_the_limit_of_a_head(number: int) -> None:
    """Servers may send some; the reply is the one that follows."""
    data = b"HTTP/1.1 100 Continue\r\n\r\n" * number + reply(200, b"hello")

    async def scenario(user: TestUser, server: HttpServer) -> None:
        got = [await user.get(server.origin) for _ in range(2)]

        assert [each.body for each in got] == [b"hello", b"hello"]
        assert got[1].connects == 0

    converse(WIRE, always(data), scenario)


def test_interim_replies_without_end_are_a_failure() -> None:
    """They cost no more than a head may cost."""

    async def respond(_: Request, wire_: Wire) -> None:
        while True:
            await wire_.send(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" * 500)

    async def scenario(user: TestUser, server: HttpServer) -> None:
        got = await user.get(server.origin)

        assert (got.failure, got.status) == (FailureKind.TOO_LARGE, 0)

    converse(WIRE, respond, scenario)


# -- bodies --------------------------------------------------------------------------------


@given(st.lists(st.binary(max_size=10)), st.integers(0, 40))
def test_body_of_known_length(pieces: list[bytes], length: int) -> None:
    """It ends exactly there, and says when more came."""
    data = b"".join(pieces)
    reader = BodyReader(length, limit=100, kept=KeptBodies(KeptBudget(1000)))
    for piece in pieces:
        reader.feed(piece)

    assert reader.content() == data[:length]
    assert reader.is_complete == (len(data) >= length)
    assert reader.has_extra == (len(data) > length)


@given(st.lists(st.binary(min_size=1, max_size=20)), st.integers(1, 7), st.booleans())
def test_chunks_however_they_are_cut(chunks: list[bytes], cut: int, extra: bool) -> None:  # noqa: FBT001
    """Packets and chunks are independent of each other."""
    data = b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\n\r\n"
    data += b"HTTP/1.1 200 OK\r\n\r\n" if extra else b""
    reader = ChunkedBody(limit=10_000, kept=KeptBodies(KeptBudget(100_000)))
    for start in range(0, len(data), cut):
        reader.feed(data[start : start + cut])

    assert reader.is_complete
    assert reader.content() == b"".join(chunks)
    assert reader.has_extra == extra


def test_many_small_chunks_take_no_more_than_their_bytes():
    """A server may send a body byte by byte; a piece of one takes fifty."""
    reader = ChunkedBody(limit=10_000, kept=KeptBodies(KeptBudget(100_000)))
    for _ in range(4):
        reader.feed(b"2\r\nab\r\n" * 1_000)
    reader.feed(b"0\r\n\r\n")

    assert reader.pieces is not None
    assert len(reader.pieces) <= 1_000
    assert reader.content() == b"ab" * 4_000


def test_body_that_nothing_reads_has_no_limit() -> None:
    """It is counted and let go, so a download of any size can be measured."""
    reader = BodyReader(UNTIL_CLOSE, limit=10)
    reader.feed(bytes(1000))

    assert reader.end()
    assert (reader.received, reader.content()) == (1000, None)


# -- requests ------------------------------------------------------------------------------


def test_constant_request_is_one_bytes_object() -> None:
    """Nothing is left to do when it is sent."""
    bound = bind_request(exchange(SHOP, "/a b", method="POST", body=StaticBody(b"x", "text/plain")))

    assert bound.data is not None
    assert bound.data.startswith(b"POST /a%20b HTTP/1.1\r\nHost: shop.test\r\n")
    assert bound.data.endswith(b"Content-Type: text/plain\r\nContent-Length: 1\r\n\r\nx")


def test_target_begins_with_a_slash_whatever_the_variable_holds() -> None:
    """A value cannot make the request line name another host."""
    bound = bind_request(exchange(SHOP, (lambda scope: scope["path"],)))

    targets = [bound.render({"path": path}).split(b" ")[1] for path in ("x", "/x", "", "http://e/")]

    assert targets == [b"/x", b"/x", b"/", b"/http://e/"]


def test_lines_go_behind_host() -> None:
    """Host stays where servers like it best."""
    data = b"GET / HTTP/1.1\r\nHost: a\r\nX: 1\r\n\r\nbody\r\n\r\n"

    assert add_lines(data, b"C: 2\r\n") == (
        b"GET / HTTP/1.1\r\nHost: a\r\nC: 2\r\nX: 1\r\n\r\nbody\r\n\r\n"
    )


def test_removing_headers_leaves_the_body_alone() -> None:
    """A body that looks like headers is a body."""
    data = b"POST / HTTP/1.1\r\nHost: a\r\nX-A: 1\r\nx-b: 2\r\n\r\nX-A: 1\r\n\r\nX-A: 2"

    assert without(data, {"x-a"}) == (
        b"POST / HTTP/1.1\r\nHost: a\r\nx-b: 2\r\n\r\nX-A: 1\r\n\r\nX-A: 2"
    )


def test_redirect_with_credentials_in_its_location() -> None:
    """They replace what the request had."""
    data = b"GET / HTTP/1.1\r\nHost: a\r\nAuthorization: x\r\nY: 1\r\n\r\n"
    location = Location(SHOP, "/to", "Basic abc")

    assert next_hop(data, 302, location, has_crossed=False) == (
        b"GET /to HTTP/1.1\r\nHost: shop.test\r\nAuthorization: Basic abc\r\nY: 1\r\n\r\n"
    )


# -- connections ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "extra", [b"x", b"HTTP/1.1 500 Bad\r\nContent-Length: 0\r\n\r\n"], ids=["byte", "reply"]
)
@pytest.mark.parametrize(
    "data",
    [
        reply(200, b"hello"),
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        b"HTTP/1.1 204 No Content\r\n\r\n",
    ],
    ids=["length", "chunked", "none"],
)
def test_bytes_after_the_reply_end_the_connection(data: bytes, extra: bytes) -> None:
    """The reply counts; the next request opens a new connection and needs no retry."""

    async def scenario(user: TestUser, server: HttpServer) -> None:
        got = [await user.get(server.origin) for _ in range(2)]

        assert [each.failure for each in got] == [None, None]
        assert [each.body for each in got] in ([b"hello"] * 2, [b""] * 2)
        assert [request.connection for request in server.requests] == [0, 1]
        assert got[1].retries == 0

    converse(WIRE, always(data + extra), scenario)


def test_unasked_bytes_end_the_connection() -> None:
    """A server that talks between requests, such as a 408 before it closes, is not believed."""

    async def respond(_: Request, wire_: Wire) -> None:
        await wire_.send(reply(200, b"hello"))
        await asyncio.sleep(0.01)
        await wire_.send(reply(408))

    async def scenario(user: TestUser, server: HttpServer) -> None:
        await user.get(server.origin)
        await asyncio.sleep(0.03)
        got = await user.get(server.origin)

        assert (got.status, got.connects) == (200, 1)

    converse(WIRE, respond, scenario)


def test_reply_object_is_reused_and_clean() -> None:
    """One object per session; nothing of an earlier reply stays in it."""

    async def respond(request: Request, wire_: Wire) -> None:
        await wire_.send(b"garbage\r\n\r\n" if request.target == "/bad" else reply(200, b"ok"))

    async def scenario(user: TestUser, server: HttpServer) -> None:
        good = user.client.bind(exchange(server.origin, needs_body=True))
        bad = user.client.bind(exchange(server.origin, "/bad"))
        seen = []
        for bound in (good, good, bad, good, good):
            got = await user.session.send(bound, {})
            seen.append(
                (got.status, got.body, got.failure, got.connects, bool(got.detail), got.head != b"")
            )

        fine = (200, b"ok", None)
        assert seen == [
            (*fine, 1, False, True),
            (*fine, 0, False, True),
            (0, None, FailureKind.PROTOCOL, 0, True, False),
            (*fine, 1, False, True),
            (*fine, 0, False, True),
        ]

    converse(WIRE, respond, scenario)


def test_connections_to_several_origins_stay_open() -> None:
    """One connection per origin and user."""

    async def scenario(user: TestUser, server: HttpServer) -> None:
        local = Origin("http", "localhost", server.origin.port)
        got = [await user.get(origin) for origin in (server.origin, local) * 2]

        assert [each.connects for each in got] == [1, 1, 0, 0]

    converse(WIRE, always(reply(200)), scenario)


def test_sweep_fails_only_what_is_late() -> None:
    """Deadlines are compared with the time the engine gives; idle sessions are left alone."""

    async def respond(request: Request, wire_: Wire) -> None:
        if request.target != "/hang":
            await wire_.send(reply(200))

    async def run() -> None:
        clock = MonotonicClock()
        async with serve(respond) as server:
            client = wire.open(HttpSettings(), clock)
            idle, hanging = client.session(), client.session()
            await idle.send(client.bind(exchange(server.origin)), {})
            bound = client.bind(exchange(server.origin, "/hang", timeout_s=10))
            asking = asyncio.ensure_future(hanging.send(bound, {}))
            await asyncio.sleep(0.03)
            before = hanging.deadline_ns

            client.sweep(before)
            await asyncio.sleep(0.01)
            assert not asking.done()
            client.sweep(before + 1)
            got = await asking

            assert got.failure == FailureKind.TIMEOUT
            assert len(idle.connections) == 1
            await client.close()

    asyncio.run(run())


def test_sweep_closes_what_has_been_idle_for_too_long() -> None:
    """The server sees it then, and not when the user comes back."""
    gone = []

    async def respond(request: Request, wire_: Wire) -> None:
        await wire_.send(reply(200))
        gone.append(request)

    async def scenario(user: TestUser, server: HttpServer) -> None:
        await user.get(server.origin)
        session = user.session
        assert isinstance(session, wire.RetiringSession)
        assert len(session.connections) == 1
        await asyncio.sleep(0.15)

        assert len(session.connections) == 0

    converse(WIRE, respond, scenario, HttpSettings(max_idle_ns=50_000_000))


def test_a_request_under_way_outlives_its_connections_age() -> None:
    """A limit is looked at between requests."""

    async def respond(_: Request, wire_: Wire) -> None:
        await asyncio.sleep(0.12)
        await wire_.send(reply(200))

    async def scenario(user: TestUser, server: HttpServer) -> None:
        got = await user.get(server.origin)

        assert (got.failure, got.retries) == (None, 0)

    settings = HttpSettings(max_age_ns=30_000_000, max_idle_ns=30_000_000)
    converse(WIRE, respond, scenario, settings)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"", "it said nothing"),
        (b"SSH-2.0-x\r\n\r\n", "it said `SSH-2.0-x`"),
        (b"HTTP/1.1 407 Who?\r\n\r\n", "it said `HTTP/1.1 407 Who?`"),
    ],
)
def test_a_tunnel_that_is_refused_says_by_whom(answer: bytes, words: str) -> None:
    """The proxy is to blame, and not the target."""

    async def run() -> Reply:
        async with (
            tunnelling_proxy(answer) as proxy,
            WIRE.user(HttpSettings(proxy=proxy.url)) as user,
        ):
            return await user.get(Origin("https", "shop.test", 443))

    got = asyncio.run(run())

    assert got.failure == FailureKind.CONNECT
    assert got.detail.startswith("the proxy `127.0.0.1:")
    assert got.detail.endswith(f"` gave no connection to `shop.test:443`: {words}")


def test_a_tunnel_that_never_opens_costs_the_timeout() -> None:
    """It is a part of connecting."""

    async def respond(_: Request, wire_: Wire) -> None:
        await wire_.hang()

    async def run() -> Reply:
        async with serve(respond) as proxy, WIRE.user(HttpSettings(proxy=proxy.url)) as user:
            return await user.get(Origin("https", "shop.test", 443), timeout_s=0.1)

    got = asyncio.run(run())

    assert (got.failure, got.sent) == (FailureKind.TIMEOUT, 0)


LATE = [
    (reply(500), 1),
    (b"HTTP/1.1 50", 1),
    (reply(408), 0),
    (b"HTTP/1.1 103 Early Hints\r\n\r\n", 0),
    (b"\r\n", 0),
    (b"more of the body", 0),
]


@pytest.mark.parametrize(("extra", "surplus"), LATE)
@pytest.mark.parametrize("pauses", [True, False], ids=["paused", "at-the-end"])
def test_replies_that_come_late_are_counted(
    extra: bytes, surplus: int, monkeypatch: pytest.MonkeyPatch, *, pauses: bool
) -> None:
    """While the user pauses, and when it ends: until then they are taken for the next one's."""
    monkeypatch.setattr(session, "LISTEN_NS", NS_PER_S // 4)  # a busy machine may be late by 20 ms

    async def respond(_: Request, wire_: Wire) -> None:
        await wire_.send(reply(200, b"hello"))
        await asyncio.sleep(0.002)
        await wire_.send(extra)

    async def scenario(user: TestUser, server: HttpServer) -> None:
        await user.get(server.origin)
        if pauses:
            await asyncio.sleep(0.25)
        await user.session.close()

        assert user.client.account().surplus_replies == surplus

    converse(WIRE, respond, scenario)


def test_the_reply_to_a_request_that_was_cut_is_not_surplus() -> None:
    """The end of a phase cuts requests, and a reply may arrive before the user hears of it."""

    async def respond(request: Request, wire_: Wire) -> None:
        if request.target == "/cut":
            await wire_.hang()
        await wire_.send(reply(200, b"hello"))

    async def scenario(user: TestUser, server: HttpServer) -> None:
        await user.get(server.origin)
        cut = asyncio.create_task(user.get(server.origin, "/cut"))
        while len(server.requests) < 2:
            await asyncio.sleep(0)
        [connection] = cast("session.WireSession", user.session).connections.values()
        cut.cancel()
        connection.data_received(reply(200, b"hello"))
        await asyncio.wait([cut])

        assert user.client.account().surplus_replies == 0

    converse(WIRE, respond, scenario)


class Nobody:
    """The owner and the transport of a connection that only exists in memory."""

    now_ns = staticmethod(MonotonicClock().now_ns)

    def __init__(self) -> None:
        self.is_closed = False
        self.glimpse: Glimpse | None = None
        self.wait: Waiter = WireWait()
        self.kept = KeptBodies(KeptBudget(1000))

    def forget(self, _: WireConnection) -> None: ...

    def note_surplus(self) -> None: ...

    def write(self, data: bytes) -> None: ...

    def close(self) -> None:
        self.is_closed = True

    abort = close


START = st.sampled_from(
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n",
        b"HTTP/1.0 200 OK\n\n",
        b"3\r\nabc\r\n",
        b"0\r\n\r\n",
    ]
)


@given(st.lists(START | st.binary(max_size=12), max_size=6), st.booleans(), st.booleans())
def test_no_bytes_break_a_connection(
    pieces: list[bytes],
    wants_body: bool,  # noqa: FBT001
    is_bodiless: bool,  # noqa: FBT001
) -> None:
    """Whatever arrives, however cut, the exchange ends as a reply or a failure, exactly once."""

    async def run() -> None:
        nobody = Nobody()
        connection = WireConnection(
            SHOP, Reply(), ReplyHeads(200, 50), ReplyLimits(200, 50), nobody
        )
        connection.connection_made(cast("asyncio.Transport", nobody))
        connection.is_bodiless = is_bodiless
        waiter = connection.expect(wants_body=wants_body)
        for piece in pieces:
            if not nobody.is_closed:
                connection.data_received(piece)
        connection.connection_lost(None)

        assert isinstance(await outcome_of(waiter), ReplyHead | WireFault | tuple)
        assert connection.waiter is None

    asyncio.run(run())


@pytest.mark.parametrize(
    ("target", "calls"),
    [("/kv", 6), (("/kv/", itemgetter("key")), 8)],
    ids=["constant", "template"],
)
def test_hot_path_stays_short(target: str | TextParts, calls: int) -> None:
    """Calls of our own functions per request: `send` and its wait twice (begun, resumed), and two.

    These take the reply and let the user go on. A template adds its two closures. Counted, not
    timed: this holds on any machine.
    """
    seen: list[str] = []

    def note(frame: FrameType, event: str, _: object) -> None:
        if event == "call" and is_own(frame):
            seen.append(frame.f_code.co_name)

    async def run() -> None:
        async with serve(always(reply(200, b"hello"))) as server:
            client = wire.open(HttpSettings(), MonotonicClock())
            session = client.session()
            bound = client.bind(exchange(server.origin, target))
            scope: Scope = {"key": "alpha"}
            for _ in range(2):
                await session.send(bound, scope)
            sys.setprofile(note)
            for _ in range(10):
                await session.send(bound, scope)
            sys.setprofile(None)
            await client.close()

    async def drive() -> None:
        await driven(run, copy_context())

    asyncio.run(drive())

    assert len(seen) <= 10 * calls, seen[:calls]


def test_closed_sessions_are_forgotten() -> None:
    """A phase's users leave nothing behind in the client."""

    async def scenario(user: TestUser, server: HttpServer) -> None:
        client = user.client
        assert isinstance(client, wire.WireClient)
        for _ in range(5):
            session = client.session()
            await session.send(client.bind(exchange(server.origin)), {})
            await session.close()

        assert client.shared.users == {user.session}

    converse(WIRE, always(reply(200)), scenario)

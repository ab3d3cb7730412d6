"""HTTP/2 connections: shared by a user's lanes, replaced when they end, slowed by windows."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
import uvloop

from planrunner import wire_wait
from planrunner.protocols.base import FailureKind, Reply, Session
from planrunner.protocols.http.clients.http1.client import open as open_client
from planrunner.protocols.http.operation import HttpSettings, StaticBody
from tests.support.http2_scripts import (
    Script,
    Talk,
    data,
    frame,
    goaway,
    head,
    ping,
    reset,
    serve_script,
    settings,
    window,
)
from tests.support.http_proxies import tunnelling_proxy
from tests.support.http_servers import (
    Certificates,
    HttpServer,
    Request,
    Wire,
    always,
    reply,
    serve,
)
from tests.support.http_users import HttpUnderTest, TestUser

HTTP2 = HttpUnderTest("wire", open_client, uvloop.run, "2")
AUTO = HttpUnderTest("wire", open_client, uvloop.run, "auto")
LENGTH = ("content-length", "4")


def scripted(
    talk: Talk,
    scenario: Callable[[TestUser, HttpServer], Awaitable[None]],
    *,
    first: bytes | None = None,
    given: HttpSettings | None = None,
) -> None:
    """Run a scenario of one user and a server that follows a script."""

    async def run() -> None:
        async with serve_script(talk, first=first) as server, HTTP2.user(given) as user:
            await scenario(user, server)

    HTTP2.run(run)


async def answers(script: Script) -> None:
    while True:
        await script.answer()


def lanes_of(user: TestUser, count: int) -> list[TestUser]:
    sessions: list[Session] = [*user.session.lanes(count)]
    return [TestUser(user.client, session, {}) for session in sessions]


async def side_by_side(user: TestUser, server: HttpServer, count: int) -> list[Reply]:
    return await asyncio.gather(*(lane.get(server.origin) for lane in lanes_of(user, count)))


# -- lanes ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "connections"),
    [
        (HttpSettings(), 1),
        (HttpSettings(streams=2), 3),
        (HttpSettings(per_user=1), 1),
        (HttpSettings(streams=2, per_user=2), 2),
    ],
)
def test_lanes_are_streams_of_one_connection(given: HttpSettings, connections: int) -> None:
    """As many as the plan allows, and as many connections; all of them are under way at once."""
    waiting: list[asyncio.Future[None]] = []

    async def respond(_: Request, wire: Wire) -> None:
        waiting.append(asyncio.get_running_loop().create_future())
        if len(waiting) == len(lanes):
            for each in waiting:
                each.set_result(None)
        await waiting[-1]
        await wire.send(reply(200, b"fine"))

    lanes: list[TestUser] = []

    async def scenario() -> None:
        async with serve(respond) as server, HTTP2.user(given) as user:
            lanes.extend(lanes_of(user, 5))
            for _ in range(2):
                got = await asyncio.gather(*(lane.get(server.origin) for lane in lanes))
                assert [each.body for each in got] == [b"fine"] * len(lanes)
                waiting.clear()
            assert len(lanes) == (4 if given.streams and given.per_user else 5)
            assert server.connections == connections
            assert sum(each.connects for each in got) == 0

    HTTP2.run(scenario)


def test_more_streams_than_the_server_takes_wait() -> None:
    """They go out as others end; none is refused, and none is lost."""

    async def scenario(user: TestUser, server: HttpServer) -> None:
        await user.get(server.origin)  # its SETTINGS are known from now on
        got = await side_by_side(user, server, 6)

        assert [each.failure for each in got] == [None] * 6
        assert server.connections == 6  # each connection takes but one

    scripted(answers, scenario, first=settings((3, 1)))


def test_lanes_wait_where_the_plan_allows_no_more_connections() -> None:
    """The server takes two at a time, and learns of the third when one has ended."""

    async def talk(script: Script) -> None:
        await script.answer()
        first, second = [(await script.request())[0] for _ in range(2)]
        await script.send(head(second, LENGTH), data(second, b"fine"))
        third, _ = await script.request()
        for stream in (first, third):
            await script.send(head(stream, LENGTH), data(stream, b"fine"))

    async def scenario(user: TestUser, server: HttpServer) -> None:
        lanes = lanes_of(user, 3)
        got = [await user.get(server.origin)]
        got += await asyncio.gather(*(lane.get(server.origin) for lane in lanes))
        assert [each.body for each in got] == [b"fine"] * 4
        assert server.connections == 1

    async def talk_late(script: Script) -> None:
        stream, _ = await script.request()
        others = [(await script.request())[0] for _ in range(2)]
        await script.send(settings((3, 2)))
        for each in (stream, *others):
            await script.send(head(each, LENGTH), data(each, b"fine"))
        await talk(script)

    async def scenario_late(user: TestUser, server: HttpServer) -> None:
        got = await side_by_side(user, server, 3)
        assert [each.body for each in got] == [b"fine"] * 3
        await scenario(user, server)

    scripted(talk_late, scenario_late)


# -- ends ----------------------------------------------------------------------------------------


def test_goodbye_ends_nothing_that_is_under_way() -> None:
    """What the server has taken is answered; what it hasn't goes over another connection."""

    async def talk(script: Script) -> None:
        if script.number:
            await answers(script)
        stream, _ = await script.request()
        late, _ = await script.request()
        assert late > stream
        await script.send(goaway(stream), head(stream, LENGTH), data(stream, b"late"))

    async def scenario(user: TestUser, server: HttpServer) -> None:
        one, other = await side_by_side(user, server, 2)
        again = await user.get(server.origin)

        assert (one.failure, one.body, one.retries) == (None, b"late", 0)
        assert (other.failure, other.body, other.retries, other.connects) == (None, b"fine", 1, 1)
        assert (again.failure, again.body, again.retries) == (None, b"fine", 0)
        assert server.connections == 2

    scripted(talk, scenario)


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    "refusal", [reset(1, 7), goaway(0, 7), goaway(0)], ids=["stream", "connection", "goodbye"]
)
def test_a_refused_request_is_sent_once_more(method: str, refusal: bytes) -> None:
    """Whatever it is, since the server says that it did nothing; refused again it has failed."""

    def talk_of(times: int) -> Talk:
        async def talk(script: Script) -> None:
            for n in range(2):
                stream, _ = await script.request()
                if script.number + n < times:
                    await script.send(refusal.replace(b"\0\0\0\1", stream.to_bytes(4, "big"), 1))
                else:
                    await script.send(head(stream, LENGTH), data(stream, b"fine"))

        return talk

    async def once(user: TestUser, server: HttpServer) -> None:
        got = await user.get(server.origin, method=method)
        assert (got.failure, got.body, got.retries) == (None, b"fine", 1)

    async def twice(user: TestUser, server: HttpServer) -> None:
        got = await user.get(server.origin, method=method)
        assert (got.failure, got.body, got.retries) == (FailureKind.RESET, None, 1)

    scripted(talk_of(1), once)
    scripted(talk_of(2), twice)


@pytest.mark.parametrize(
    ("sent", "kind", "status"),
    [
        (b"", FailureKind.RESET, 0),
        (head(1, LENGTH) + data(1, b"fi", ends=False), FailureKind.RESET, 200),
        (head(1, LENGTH) + data(1, b"fi", ends=False) + goaway(1, 2), FailureKind.RESET, 200),
    ],
    ids=["before", "within", "goodbye"],
)
def test_a_connection_that_is_lost(sent: bytes, kind: FailureKind, status: int) -> None:
    """What was under way is cut short; why the server went is said where it was."""

    async def talk(script: Script) -> None:
        if script.number:
            await answers(script)
        await script.request()
        await script.send(sent)
        await script.wire.close()

    async def scenario(user: TestUser, server: HttpServer) -> None:
        got = await user.get(server.origin)
        assert (got.failure, got.status, got.body) == (kind, status, None)
        assert ("GOAWAY INTERNAL_ERROR" in got.detail) == (sent[-1:] == b"\2")
        assert (await user.get(server.origin)).body == b"fine"

    scripted(talk, scenario)


def test_a_timeout_costs_its_stream() -> None:
    """The connection goes on where the server is alive, and is given up where it is silent."""

    async def talk(script: Script) -> None:
        if script.number == 0:
            stream, _ = await script.request()
            await script.send(head(stream))
            await script.await_frame(3)
            await script.answer()
            await script.request()
            await script.wire.hang()
        await answers(script)

    async def scenario(user: TestUser, server: HttpServer) -> None:
        got = [await user.get(server.origin, timeout_s=0.1 if n in (0, 2) else 5) for n in range(4)]

        assert [each.failure for each in got] == [FailureKind.TIMEOUT, None] * 2
        assert [each.connects for each in got] == [1, 0, 0, 1]

    scripted(talk, scenario)


# -- what a connection has to bear ---------------------------------------------------------------


def test_what_is_no_answer_is_no_matter() -> None:
    """Pings, unknown frames, padding, priorities, interim heads and trailers change no reply."""

    async def talk(script: Script) -> None:
        stream, _ = await script.request()
        cut = head(stream, LENGTH, ends_head=False)
        await script.send(
            *[ping()] * 1_000,
            frame(99, b"unknown"),
            frame(2, b"\0\0\0\0\0", stream=stream),
            head(stream, ("link", "</a>"), status="103"),
            cut[:9].replace(b"\x01", b"\x01", 1),
            cut[9:],
            frame(9, b"", flags=4, stream=stream),
            frame(0, b"\x02fi\0\0", flags=8, stream=stream),
            data(stream, b"", ends=False),
            data(stream, b"ne", ends=False),
            head(stream, ("x-trailer", "1"), status="", ends=True),
            reset(stream, 0),
            window(stream, 1),
        )
        while sum(each.kind == 6 for each in script.seen) < 1_000:
            await script.next_frame()
        await answers(script)

    async def scenario(user: TestUser, server: HttpServer) -> None:
        for _ in range(2):
            got = await user.get(server.origin)
            assert (got.failure, got.status, got.body, got.received) == (None, 200, b"fine", 4)
        assert server.connections == 1

    scripted(talk, scenario)


@pytest.mark.parametrize("table", [0, 100, 65_536])
def test_the_table_of_fields_is_as_large_as_the_server_allows(table: int) -> None:
    """What was sent before it said so counts too."""
    seen: list[str] = []

    async def talk(script: Script) -> None:
        await script.answer()
        await script.send(settings((1, table)))
        script.decoder.max_allowed_table_size = max(table, 4_096)
        while True:
            stream, fields = await script.request()
            script.decoder.max_allowed_table_size = min(table, 4_096)
            seen.append(fields["x-a"])
            await script.send(head(stream, LENGTH), data(stream, b"fine"))

    async def scenario(user: TestUser, server: HttpServer) -> None:
        for n in range(4):
            got = await user.get(server.origin, headers={"X-A": f"{n}"})
            assert (got.failure, got.body) == (None, b"fine")
        assert seen == ["1", "2", "3"]

    scripted(talk, scenario)


async def body_within_windows(script: Script, stream: int) -> bytes:
    """Read a body, and open the windows as it comes; a frame beyond them is none."""
    got, mine, all_of_them = bytearray(), 1_000, 65_535
    while True:
        came = await script.await_frame(0)
        got += came.payload
        mine -= len(came.payload)
        all_of_them -= len(came.payload)
        if mine < 0 or all_of_them < 0:
            return b""
        if came.flags & 1:
            return bytes(got)
        if mine == 0:
            mine = 7_000
            await script.send(window(stream, mine))
        if all_of_them < 7_000:
            all_of_them += 50_000
            await script.send(window(0, 50_000))


@pytest.mark.parametrize("size", [5, 40_000, 300_000])
def test_bodies_are_sent_as_the_windows_allow(size: int) -> None:
    """Never more than the server takes, of the stream and of all of them."""
    body = bytes(n % 251 for n in range(size))

    async def talk(script: Script) -> None:
        await script.answer()  # its SETTINGS are known from now on
        stream, _ = await script.request()
        is_whole = await body_within_windows(script, stream) == body
        await script.send(head(stream, status="200" if is_whole else "400", ends=True))
        await answers(script)

    async def scenario(user: TestUser, server: HttpServer) -> None:
        await user.get(server.origin)
        got = await user.get(server.origin, method="POST", body=StaticBody(body))
        assert (got.failure, got.status) == (None, 200)
        assert (await user.get(server.origin)).body == b"fine"
        assert server.connections == 1

    scripted(talk, scenario, first=settings((4, 1_000)))


def test_a_head_that_is_too_long_for_a_frame() -> None:
    """It goes on in others; the next one is known to the table."""

    async def scenario() -> None:
        async with serve(always(reply(200))) as server, HTTP2.user() as user:
            for _ in range(2):
                long = "yz" * 20_000
                got = await user.get(server.origin, headers={"X-A": long})
                assert (got.failure, got.status) == (None, 200)
                assert server.requests[-1].headers["x-a"] == long

    HTTP2.run(scenario)


def test_a_reply_before_the_request_was_sent() -> None:
    """The rest is not sent: the stream ends, the connection stays."""

    async def talk(script: Script) -> None:
        stream, _ = await script.request()
        await script.send(head(stream, LENGTH, status="413"), data(stream, b"much"))
        assert (await script.await_frame(3)).payload == b"\0\0\0\0"
        await answers(script)

    async def scenario(user: TestUser, server: HttpServer) -> None:
        body = StaticBody(b"x" * 3_000_000)
        got = await user.get(server.origin, method="POST", body=body)
        assert (got.failure, got.status, got.body) == (None, 413, b"much")
        assert (await user.get(server.origin)).body == b"fine"
        assert server.connections == 1

    scripted(talk, scenario)


def test_others_have_their_turn_between_large_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """However much there is to read at once; nothing of it is lost."""
    gave_way = []

    def give_way(transport: asyncio.Transport) -> None:
        gave_way.append(transport)
        wire_wait.give_way(transport)

    monkeypatch.setattr("planrunner.protocols.http.clients.http2.connection.give_way", give_way)
    body = b"abc" * 1_000_000

    async def talk(script: Script) -> None:
        stream, _ = await script.request()
        parts = [
            data(stream, body[at : at + 15_000], ends=False) for at in range(0, 3_000_000, 15_000)
        ]
        await script.send(head(stream), *parts, data(stream, b""))
        await answers(script)

    async def scenario(user: TestUser, server: HttpServer) -> None:
        assert (await user.get(server.origin)).body == body
        assert (await user.get(server.origin)).body == b"fine"

    scripted(talk, scenario)
    assert gave_way


@pytest.mark.parametrize("sent", [ping(), settings((3, 9)), window(3, 1), reset(1, 8)])
def test_frames_without_end_are_left_soon(sent: bytes) -> None:
    """A server that sends nothing but these would keep all users from their own replies."""

    async def talk(script: Script) -> None:
        await script.answer()
        await script.request()
        for _ in range(100):
            await script.send(sent * 1_000)

    async def scenario(user: TestUser, server: HttpServer) -> None:
        assert (await user.get(server.origin)).body == b"fine"
        got = await user.get(server.origin, timeout_s=20)
        assert got.failure is FailureKind.PROTOCOL
        assert got.detail == "the server broke HTTP/2: it sent frames without end"

    scripted(talk, scenario)


@pytest.mark.parametrize(
    ("first", "words"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "HTTP/1 instead of HTTP/2"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "something else instead of HTTP/2"),
        (ping(), "a first frame other than SETTINGS"),
        (frame(4, flags=1), "a first frame other than SETTINGS"),
    ],
    ids=["http1", "ssh", "ping", "acknowledgement"],
)
def test_a_server_that_speaks_something_else(first: bytes, words: str) -> None:
    """It is a failure of every request, and says what came."""

    async def scenario(user: TestUser, server: HttpServer) -> None:
        for _ in range(2):
            got = await user.get(server.origin)
            assert (got.failure, got.status) == (FailureKind.PROTOCOL, 0)
            assert words in got.detail

    scripted(answers, scenario, first=first)


def test_cleartext_goes_through_a_tunnel() -> None:
    """A proxy could not read it as requests of HTTP/1."""

    async def scenario() -> None:
        async with (
            serve(always(reply(200, b"fine"))) as server,
            tunnelling_proxy() as proxy,
            HTTP2.user(HttpSettings(proxy=proxy.url)) as user,
        ):
            got = await user.get(server.origin)
            assert (got.failure, got.body, got.spoken) == (None, b"fine", "http/2")

    HTTP2.run(scenario)


# -- which version -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("http", "offered", "spoken"),
    [
        (AUTO, ["h2", "http/1.1"], "http/2"),
        (AUTO, ["http/1.1"], None),
        (AUTO, [], None),
        (HTTP2, ["h2"], "http/2"),
    ],
)
def test_tls_says_which_version_is_spoken(
    http: HttpUnderTest, offered: list[str], spoken: str | None, certificates: Certificates
) -> None:
    """The best of both; lanes share a connection only where its version allows it."""

    async def scenario() -> None:
        given = HttpSettings(ca=certificates.ca)
        tls = certificates.server_of(offered)
        async with serve(always(reply(200, b"fine")), tls=tls) as server, http.user(given) as user:
            got = await side_by_side(user, server, 3)
            assert [(each.failure, each.body, each.spoken) for each in got] == [
                (None, b"fine", spoken)
            ] * 3
            assert server.connections == (1 if spoken else 3)

    http.run(scenario)


@pytest.mark.parametrize("offered", [["http/1.1"], []])
def test_a_server_without_http2_is_a_failure_where_the_plan_wants_it(
    offered: list[str], certificates: Certificates
) -> None:
    """TLS refuses, or agrees on nothing."""

    async def scenario() -> None:
        given = HttpSettings(ca=certificates.ca)
        tls = certificates.server_of(offered)
        async with serve(always(reply(200)), tls=tls) as server, HTTP2.user(given) as user:
            got = await user.get(server.origin)
            assert got.failure in (FailureKind.TLS, FailureKind.PROTOCOL)
            assert "does not speak HTTP/2" in got.detail or "protocol" in got.detail

    HTTP2.run(scenario)

"""How every HTTP client reads replies, whatever way servers write them."""

from __future__ import annotations

import asyncio
import time

import pytest

from planrunner.protocols.http.operation import StaticBody
from planrunner.protocols.http.replies.body import header_finder
from planrunner.protocols.telling_clients import Accountable
from tests.support.http_servers import HttpServer, Request, Wire, always, reply, serve_raw
from tests.support.http_users import HttpUnderTest, TestUser, answered, converse

CHUNKED = (
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"3\r\nabc\r\n4;ext=1\r\ndefg\r\n0\r\nTrailer: x\r\n\r\n"
)


def test_reply_with_length_is_read_whole(http: HttpUnderTest) -> None:
    """Status, body, head, sizes and times of a plain reply are all there."""
    got = answered(http, always(reply(200, b"hello", ("X-Kind", "plain"))))

    assert (got.failure, got.status, got.body, got.received) == (None, 200, b"hello", 5)
    assert b"\r\nx-kind: plain\r\n" in got.head.lower()
    assert got.asked_ns <= got.sent_ns <= got.first_byte_ns <= got.ended_ns
    assert (got.connects, got.retries) == (1, 0)
    assert 0 < got.connect_ns <= got.ended_ns - got.asked_ns


def test_second_request_uses_the_connection_again(http: HttpUnderTest) -> None:
    """Keep-alive costs no connection, and such a request is timed from its first byte."""

    async def scenario(user: TestUser, server: HttpServer) -> None:
        await user.get(server.origin)
        got = await user.get(server.origin)

        assert [request.connection for request in server.requests] == [0, 0]
        assert (got.connects, got.connect_ns) == (0, 0)
        assert got.sent_ns == got.asked_ns

    converse(http, always(reply(200, b"hello")), scenario)


def test_body_is_none_unless_asked_for(http: HttpUnderTest) -> None:
    """A body that nothing reads is counted and not kept."""

    async def scenario(user: TestUser, server: HttpServer) -> None:
        first = await user.get(server.origin)
        second = await user.send(server.origin)

        assert (first.body, first.received) == (b"hello", 5)
        assert (second.body, second.received) == (None, 5)

    converse(http, always(reply(200, b"hello")), scenario)


def test_chunked_reply(http: HttpUnderTest) -> None:
    """Chunks are joined, extensions and trailers skipped; framing is no part of the body."""
    got = answered(http, always(CHUNKED))

    assert (got.failure, got.body, got.received) == (None, b"abcdefg", 7)


def test_chunked_reply_that_nothing_reads_is_counted(http: HttpUnderTest) -> None:
    """The size of a body is the same whether it is kept or not."""

    async def scenario(user: TestUser, server: HttpServer) -> None:
        first = await user.send(server.origin)
        second = await user.send(server.origin)

        assert (first.received, first.body, second.connects) == (7, None, 0)

    converse(http, always(CHUNKED), scenario)


def test_reply_until_close(http: HttpUnderTest) -> None:
    """Without a length the body ends with the connection, and the next request opens a new one."""

    async def respond(_: Request, wire: Wire) -> None:
        await wire.send(reply(200, b"all there is", length=False))
        await wire.close()

    async def scenario(user: TestUser, server: HttpServer) -> None:
        first = await user.get(server.origin)
        second = await user.get(server.origin)

        assert (first.failure, first.body, first.received) == (None, b"all there is", 12)
        assert (second.body, second.connects, second.retries) == (b"all there is", 1, 0)

    converse(http, respond, scenario)


@pytest.mark.http1
@pytest.mark.parametrize(
    "data",
    [
        reply(200, b"x", ("Connection", "close")),
        reply(200, b"x", version="1.0"),
        reply(200, b"x", ("connection", "Keep-Alive, CLOSE")),
    ],
    ids=["close", "http-1.0", "list"],
)
def test_connection_that_ends_is_not_used_again(http: HttpUnderTest, data: bytes) -> None:
    """The server says so, or speaks HTTP/1.0; it needs no retry to find out."""

    async def scenario(user: TestUser, server: HttpServer) -> None:
        first = await user.get(server.origin)
        second = await user.get(server.origin)

        assert (first.body, second.body) == (b"x", b"x")
        assert (second.connects, second.retries, second.failure) == (1, 0, None)

    converse(http, always(data), scenario)


@pytest.mark.parametrize(
    ("method", "data"),
    [
        ("HEAD", reply(200, length=False) + b""),
        ("HEAD", b"HTTP/1.1 200 OK\r\nContent-Length: 53\r\n\r\n"),
        ("HEAD", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
        ("GET", b"HTTP/1.1 204 No Content\r\n\r\n"),
        ("GET", b"HTTP/1.1 304 Not Modified\r\nContent-Length: 53\r\n\r\n"),
    ],
)
def test_reply_without_a_body(http: HttpUnderTest, method: str, data: bytes) -> None:
    """HEAD, 204 and 304 end with the head, whatever it announces; the connection lives on."""

    async def scenario(user: TestUser, server: HttpServer) -> None:
        first = await user.send(server.origin, method=method, needs_body=True)
        second = await user.send(server.origin, method=method, needs_body=True)

        assert (first.failure, first.body, first.received) == (None, b"", 0)
        assert (second.failure, second.connects) == (None, 0)

    converse(http, always(data), scenario)


def test_head_and_get_alternate_on_one_connection(http: HttpUnderTest) -> None:
    """The same head means a body after GET and none after HEAD."""

    async def respond(request: Request, wire: Wire) -> None:
        data = reply(200, b"hello")
        await wire.send(data if request.method == "GET" else data.removesuffix(b"hello"))

    async def scenario(user: TestUser, server: HttpServer) -> None:
        got = [
            await user.send(server.origin, method=method, needs_body=True)
            for method in ("GET", "HEAD", "GET", "HEAD", "GET")
        ]

        assert [each.body for each in got] == [b"hello", b"", b"hello", b"", b"hello"]
        assert [each.connects for each in got] == [1, 0, 0, 0, 0]

    converse(http, respond, scenario)


@pytest.mark.parametrize("apart", [False, True], ids=["together", "apart"])
def test_interim_replies_are_skipped(http: HttpUnderTest, apart: bool) -> None:  # noqa: FBT001
    """100 and 103 precede the reply and are not it."""

    async def respond(_: Request, wire: Wire) -> None:
        parts = [
            b"HTTP/1.1 100 Continue\r\n\r\n",
            b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n",
            reply(200, b"hello"),
        ]
        for part in parts if apart else [b"".join(parts)]:
            await wire.send(part)
            await asyncio.sleep(0.005)

    got = answered(http, respond)

    assert (got.failure, got.status, got.body) == (None, 200, b"hello")


@pytest.mark.parametrize("data", [reply(200, b"hello", ("Set-Cookie", "a=b")), CHUNKED])
def test_reply_split_at_every_byte(http: HttpUnderTest, data: bytes) -> None:
    """Where packets end means nothing."""

    async def respond(_: Request, wire: Wire) -> None:
        await wire.send_split(data)

    got = answered(http, respond)

    assert (got.failure, got.status) == (None, 200)
    assert got.body in (b"hello", b"abcdefg")


@pytest.mark.http1
def test_bare_line_feeds_end_lines(http: HttpUnderTest) -> None:
    """Old and hand-made servers write LF alone (RFC 9112 §2.2)."""
    got = answered(http, always(b"HTTP/1.1 200 OK\nContent-Length: 5\nX-A: b\n\nhello"))

    assert (got.failure, got.status, got.body) == (None, 200, b"hello")


def test_bytes_after_the_reply_are_no_reply(http: HttpUnderTest) -> None:
    """The reply counts; what follows it is never taken for the next one."""

    async def scenario(user: TestUser, server: HttpServer) -> None:
        first = await user.get(server.origin)
        second = await user.get(server.origin)

        assert (first.failure, first.body, first.received) == (None, b"hello", 5)
        assert second.status != 500

    converse(http, always(reply(200, b"hello") + b"HTTP/1.1 500 Bad\r\n"), scenario)


@pytest.mark.http1
def test_reply_before_the_request_was_sent(http: HttpUnderTest) -> None:
    """A server may refuse a large body before it has read it."""

    async def converse_raw(wire: Wire, _: int) -> None:
        await wire.reader.readuntil(b"\r\n\r\n")
        await wire.send(reply(413, b"too much", ("Connection", "close")))
        while await wire.reader.read(65536):
            pass

    async def scenario() -> None:
        body = StaticBody(b"x" * 3_000_000)
        async with serve_raw(converse_raw) as server, http.user() as user:
            got = await user.get(server.origin, method="POST", body=body)

            assert (got.failure, got.status, got.body) == (None, 413, b"too much")

    http.run(scenario)


def test_large_body_arrives_whole(http: HttpUnderTest) -> None:
    """A body far over any buffer is sent no faster than the server takes it, and all of it."""
    content = bytes(range(256)) * 20_000

    async def scenario(user: TestUser, server: HttpServer) -> None:
        got = await user.get(server.origin, method="PUT", body=StaticBody(content))
        again = await user.get(server.origin)

        assert (got.failure, got.status) == (None, 200)
        assert server.requests[0].body == content
        assert http.sent(len(server.requests[0].raw) + len(content)) in (got.sent, None)
        assert again.connects == 0

    converse(http, always(reply(200)), scenario)


def test_large_reply_arrives_whole(http: HttpUnderTest) -> None:
    """Every byte is counted and kept."""
    content = bytes(range(256)) * 20_000

    got = answered(http, always(reply(200, content)))

    assert (got.failure, got.received, got.body) == (None, len(content), content)


# -- odd framing ---------------------------------------------------------------------------

PLAIN = b"HTTP/1.1 200 OK\r\n"
CHUNKS = b"5\r\nhello\r\n0\r\n\r\n"


@pytest.mark.http1
@pytest.mark.parametrize(
    "data",
    [
        PLAIN + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n" + CHUNKS,
        PLAIN + b"Transfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n" + CHUNKS,
        PLAIN + b"Transfer-Encoding: Chunked\r\nContent-Length: 999\r\n\r\n" + CHUNKS,
        PLAIN + b"Content-Length: 5\r\ncontent-length: 5\r\n\r\nhello",
        PLAIN + b"Content-Length: 5, 5\r\n\r\nhello",
        PLAIN + b"X-Note: one\r\n two\r\n\tthree\r\nContent-Length: 5\r\n\r\nhello",
        PLAIN + b"Content-Length:\r\n 5\r\n\r\nhello",
    ],
    ids=["both", "both-zero", "both-greater", "twice", "list", "folded", "folded-length"],
)
def test_odd_framing_with_one_meaning_is_read(http: HttpUnderTest, data: bytes) -> None:
    """Chunks win over a length, a repeated length is one, a fold is a space (RFC 9112 §5, §6)."""

    async def scenario(user: TestUser, server: HttpServer) -> None:
        got = [await user.get(server.origin) for _ in range(2)]

        assert [(each.failure, each.status, each.body) for each in got] == [
            (None, 200, b"hello"),
            (None, 200, b"hello"),
        ]

    converse(http, always(data), scenario)


@pytest.mark.http1
def test_a_folded_header_has_one_value(http: HttpUnderTest) -> None:
    """What reads headers sees the line as it was before it was folded."""
    folded = PLAIN + b"X-Note: one\r\n  two\r\nContent-Length: 0\r\n\r\n"

    got = answered(http, always(folded))

    assert header_finder("x-note")(got) == ["one two"]


# -- what a client knows of itself ---------------------------------------------------------


@pytest.mark.http1
@pytest.mark.parametrize(
    ("data", "surplus"),
    [
        (reply(200, b"hello"), 0),
        (reply(200, b"hello") + reply(201), 3),
        (reply(200, b"hello") + b"HTTP/1.1 5", 3),
        (CHUNKED + reply(500), 3),
        (reply(200, b"hello") + b"more of it", 0),
        (reply(200, b"hello") + b"\r\n", 0),
    ],
    ids=["one", "two", "begun", "chunked", "longer", "line"],
)
def test_more_replies_than_requests_are_counted(
    http: HttpUnderTest, data: bytes, surplus: int
) -> None:
    """Each is dropped with its connection, and belongs to no later request."""

    async def scenario(user: TestUser, server: HttpServer) -> None:
        got = [await user.get(server.origin) for _ in range(3)]
        assert isinstance(user.client, Accountable)

        assert user.client.account().surplus_replies == surplus
        assert [each.status for each in got] == [200] * 3

    converse(http, always(data), scenario)


def test_waiting_in_the_client_is_told_from_the_targets(http: HttpUnderTest) -> None:
    """httpx waits in the event loop before a request leaves; the wire client never does."""

    async def scenario(user: TestUser, server: HttpServer) -> None:
        await user.get(server.origin)
        assert isinstance(user.client, Accountable)
        before = user.client.account()
        asking = asyncio.ensure_future(user.get(server.origin))
        await asyncio.sleep(0)
        time.sleep(0.05)  # noqa: ASYNC251 - holds up the event loop, as other users would
        got = await asking

        after = user.client.account()
        queued_ns = after.queued_ns - before.queued_ns
        assert got.failure is None
        if http.name == "wire":
            assert queued_ns == 0
        else:
            assert 40e6 < queued_ns <= after.latency_ns - before.latency_ns

    converse(http, always(reply(200, b"hello")), scenario)

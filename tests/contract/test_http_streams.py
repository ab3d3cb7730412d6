"""How every HTTP client reads a reply piece by piece, and how such replies end."""

from __future__ import annotations

import asyncio
import gzip
import zlib
from typing import Any

import pytest

from planrunner.language.expressions.expression import parse
from planrunner.protocols.base import FailureKind, Reply
from planrunner.protocols.http.operation import HttpSettings, Retry, StreamPlan
from planrunner.units import NS_PER_S
from tests.support.http_servers import HttpServer, Request, Respond, Wire, always, reply
from tests.support.http_users import HttpUnderTest, TestUser, answered, converse

SSE = ("Content-Type", "text/event-stream")
HALF_A_GZIP = gzip.compress(b"data: 1\n\n")[:-9]


def plan(until: str = "", kind: str = "events", **more: Any) -> StreamPlan:
    """Return how a reply is read; `until` is an expression."""
    met = parse(until).lower().evaluate if until else None
    return StreamPlan(kind, met, reads_json=True, keeps_json=True, **more)


def in_chunks(*pieces: bytes, last: bool = True, kind: tuple[str, str] = SSE) -> Respond:
    """Answer with pieces in chunks of their own; without the last one it never ends."""

    async def respond(_: Request, wire: Wire) -> None:
        await wire.send(reply(200, b"", kind, ("Transfer-Encoding", "chunked"), length=False))
        for piece in pieces:
            await wire.send(b"%x\r\n%b\r\n" % (len(piece), piece))
            await asyncio.sleep(0)
        await (wire.send(b"0\r\n\r\n") if last else wire.hang())

    return respond


def events(got: Reply) -> int:
    assert got.arrivals is not None
    return got.arrivals.count


def test_a_stream_is_read_to_its_end(http: HttpUnderTest) -> None:
    """The last event, and the last one that was JSON, are there; nothing else is kept."""
    got = answered(
        http,
        in_chunks(b'data: {"n": 1}\n\nda', b'ta: {"n": 2}\nid: 7\n\n: hm\n\n', b"data: end\n\n"),
        stream=plan(),
    )

    assert (got.failure, got.status, got.body, events(got)) == (None, 200, b'{"n": 2}', 3)
    assert got.arrivals is not None
    assert got.arrivals.last == {"data": "end", "name": "message", "id": "7"}
    assert got.first_byte_ns <= got.arrivals.first_ns <= got.arrivals.last_ns <= got.ended_ns
    assert len(got.arrivals.gaps_ns) == 2


def test_a_stream_is_read_until_something_comes(http: HttpUnderTest) -> None:
    """The sample ends there; a server that ends its reply then keeps its connection."""

    async def scenario(user: TestUser, server: HttpServer) -> None:
        for _ in range(2):
            got = await user.get(server.origin, stream=plan("event.data == '[DONE]'"))
            assert (got.failure, events(got), got.ended_ns) == (None, 2, got.arrivals.last_ns)  # type: ignore[union-attr]
        assert [request.connection for request in server.requests] == [0, 0]
        plain = await user.send(server.origin)
        assert (plain.failure, plain.arrivals) == (None, None)
        assert (await user.send(server.origin)).arrivals is None

    converse(http, in_chunks(b"data: 1\n\n", b"data: [DONE]\n\n"), scenario)


@pytest.mark.http1
def test_an_endless_stream_costs_its_connection(http: HttpUnderTest) -> None:
    """What comes behind the piece that was waited for counts nowhere."""

    async def scenario(user: TestUser, server: HttpServer) -> None:
        for _ in range(2):
            got = await user.get(server.origin, stream=plan("json.n >= 2"))
            assert (got.failure, events(got), got.body) == (None, 2, b'{"n": 2}')
        assert [request.connection for request in server.requests] == [0, 1]

    pieces = [b'data: {"n": %d}\n\n' % n for n in (1, 2, 3)]
    converse(http, in_chunks(*pieces, last=False), scenario)


@pytest.mark.parametrize(
    ("kind", "data", "count", "body"),
    [
        ("lines", b"a\r\nb\n\nc", 4, b"c"),
        ("json", b'{"a": 1}\n\n[2]\n', 2, b"[2]"),
        ("events", b"data: cut short", 0, b""),
        ("events", b"\xef\xbb\xbfdata: \xc3\xa9\xff\r\rdata\n\n", 2, b""),
    ],
)
def test_a_plain_reply_is_a_stream_too(
    http: HttpUnderTest, kind: str, data: bytes, count: int, body: bytes
) -> None:
    """However it is framed; what the end makes a piece depends on the kind."""
    got = answered(http, always(reply(200, data, SSE)), stream=plan(kind=kind))

    assert (got.failure, events(got), got.body) == (None, count, body)


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd"])
def test_an_encoded_stream_is_decoded_while_it_comes(http: HttpUnderTest, coding: str) -> None:
    """Each event when the server flushes it, not when the body is whole."""
    if coding in ("gzip", "deflate"):
        packer = zlib.compressobj(wbits=31 if coding == "gzip" else 15)
        first = packer.compress(b"data: 1\n\n") + packer.flush(zlib.Z_SYNC_FLUSH)
    elif coding == "br":
        brotli = pytest.importorskip("brotli").Compressor()
        first = brotli.process(b"data: 1\n\n") + brotli.flush()
    else:
        zstd = pytest.importorskip("zstandard").ZstdCompressor().compressobj()
        first = zstd.compress(b"data: 1\n\n") + zstd.flush(1)

    async def respond(_: Request, wire: Wire) -> None:
        head = reply(200, b"", SSE, ("Content-Encoding", coding), length=False)
        await wire.send(head + first)
        await wire.hang()

    got = answered(http, respond, stream=plan("event.data == '1'"))

    assert (got.failure, events(got)) == (None, 1)


def cut(data: bytes, *headers: tuple[str, str]) -> Respond:
    async def respond(_: Request, wire: Wire) -> None:
        await wire.send(reply(200, data, SSE, ("Content-Length", "999"), *headers, length=False))
        await wire.close()

    return respond


@pytest.mark.parametrize(
    ("respond", "options", "kind", "words"),
    [
        (cut(b"data: 1\n\n"), plan(), FailureKind.RESET, "closed the connection"),
        (in_chunks(b"data: 1\n\n", last=False), plan(), FailureKind.TIMEOUT, "timeout"),
        (
            always(reply(200, b"{}", ("Content-Type", "application/json; charset=utf-8"))),
            plan(),
            FailureKind.PROTOCOL,
            "`application/json`, not `text/event-stream`",
        ),
        (always(reply(200, b"{}\nx\n")), plan(kind="json"), FailureKind.PROTOCOL, "line 2 of the"),
        (
            always(reply(200, b"x\n", SSE, ("Content-Encoding", "gzip"))),
            plan(),
            FailureKind.PROTOCOL,
            "not valid gzip",
        ),
        (
            always(
                reply(200, gzip.compress(b"data: 1\n\n")[:-9], SSE, ("Content-Encoding", "gzip"))
            ),
            plan(),
            FailureKind.PROTOCOL,
            "ends early",
        ),
    ],
    ids=["cut", "silent", "no stream", "no JSON", "no gzip", "half a gzip"],
)
def test_a_broken_stream_fails_by_its_kind(
    http: HttpUnderTest, respond: Respond, options: StreamPlan, kind: FailureKind, words: str
) -> None:
    """What came before is measured all the same."""
    timeout_s = 0.2 if kind is FailureKind.TIMEOUT else 5
    got = answered(http, respond, stream=options, timeout_s=timeout_s)

    assert got.failure is kind
    assert words in got.detail
    assert got.body is None


def test_a_refused_request_is_no_stream(http: HttpUnderTest) -> None:
    """Its body is read as ever."""
    refused = reply(429, b'{"error": 1}', ("Content-Type", "application/json"))
    got = answered(http, always(refused), stream=plan("event.data == 'x'"))

    assert (got.failure, got.status, got.body, got.arrivals) == (None, 429, b'{"error": 1}', None)


@pytest.mark.slow
@pytest.mark.parametrize("line", [b"data: %b", b"data: %b\n", b": %b\n"], ids=str)
def test_an_event_without_an_end_is_bounded(http: HttpUnderTest, line: bytes) -> None:
    """10 MB without an empty line fail as too large; comments are let go as they come."""
    piece = line % (b"x" * 100_000)
    got = answered(http, in_chunks(*[piece] * 100), stream=plan())

    if line.startswith(b":"):
        assert (got.failure, events(got)) == (None, 0)
        return
    assert got.failure is FailureKind.TOO_LARGE
    assert "an event of the stream is larger than 8.4 MB" in got.detail
    assert got.received < 9_000_000


@pytest.mark.http1
def test_a_stream_goes_on_over_another_connection(http: HttpUnderTest) -> None:
    """From the event that came last, after the time that the server asks for; it is one sample."""
    seen: list[str | None] = []

    async def respond(request: Request, wire: Wire) -> None:
        seen.append(request.headers.get("last-event-id"))
        number = len(seen)
        wait_ms = b"60000" if request.target == "/late" else b"5"
        data = b"retry: %b\nid: %d\ndata: %d\n\ndata: torn" % (wait_ms, number, number)
        await cut(data)(request, wire)

    async def scenario(user: TestUser, server: HttpServer) -> None:
        options = plan("event.data == '3'", reconnects=2)
        got = await user.get(server.origin, stream=options)

        assert (got.failure, events(got), got.retries, got.connects) == (None, 3, 2, 3)
        assert seen == [None, "1", "2"]
        assert got.arrivals is not None
        assert got.sent_ns <= got.first_byte_ns <= got.arrivals.first_ns < got.ended_ns

        del seen[:]
        got = await user.get(server.origin, stream=plan("event.data == '9'", reconnects=1))
        assert (got.failure, events(got), got.retries) == (FailureKind.RESET, 2, 1)

        got = await user.get(server.origin, "/late", stream=plan(reconnects=9), timeout_s=0.1)
        assert (got.failure, events(got)) == (FailureKind.TIMEOUT, 1)

    converse(http, respond, scenario)


def test_another_try_begins_from_nothing(http: HttpUnderTest) -> None:
    """`retry` sends a failed request again; what came of it before isn't counted."""
    tries: list[int] = []

    async def respond(request: Request, wire: Wire) -> None:
        tries.append(1)
        whole = in_chunks(b"data: 1\n\n", b"data: 2\n\n")
        await (whole if len(tries) > 1 else cut(b"data: 1\n\n"))(request, wire)

    async def scenario(user: TestUser, server: HttpServer) -> None:
        again = Retry(1, 0, frozenset({FailureKind.RESET}), ())
        got = await user.get(server.origin, stream=plan(), retry=again)

        assert (got.failure, events(got), got.retries) == (None, 2, 1)

    converse(http, respond, scenario)


def test_what_is_kept_of_streams_counts(http: HttpUnderTest) -> None:
    """All users together have `http.max_kept` for it, and an event that is over is let go."""
    large = b"data: " + b"x" * 150_000

    async def scenario(user: TestUser, server: HttpServer) -> None:
        got = await user.get(server.origin, stream=plan("event.data == 'end'"))
        assert (got.failure, events(got)) == (None, 4)

        got = await user.get(server.origin, "/torn", stream=plan())
        assert got.failure is FailureKind.TOO_LARGE
        assert "`http.max_kept`, 400.0 KB" in got.detail

    async def respond(request: Request, wire: Wire) -> None:
        torn = [large + b"\n\n", large * 2]
        pieces = torn if request.target == "/torn" else [large + b"\n\n"] * 3 + [b"data: end\n\n"]
        await in_chunks(*pieces)(request, wire)

    converse(http, respond, scenario, HttpSettings(max_kept=400_000, version=http.version))


def test_a_flood_of_events_ends_with_the_timeout(http: HttpUnderTest) -> None:
    """Also where it unpacks from next to nothing, faster than anybody could read it."""
    flood = gzip.compress(b"data\n\n" * 300_000)
    data = reply(200, flood, SSE, ("Content-Encoding", "gzip"))

    got = answered(http, always(data), stream=plan("event.data"), timeout_s=0.05)

    assert got.failure is FailureKind.TIMEOUT
    assert got.ended_ns - got.asked_ns < 5 * NS_PER_S

"""Replies of broken and hostile servers, in pieces of any size, to both clients."""

from __future__ import annotations

import asyncio
import gzip
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from planrunner.language.expressions.expression import parse
from planrunner.protocols.base import FailureKind, Reply
from planrunner.protocols.http.clients.http1 import client as wire
from planrunner.protocols.http.clients.httpx import client as httpx
from planrunner.protocols.http.clients.streams.cutting import MOST_OF_A_PIECE
from planrunner.protocols.http.operation import HttpSettings, StreamPlan
from planrunner.protocols.received import read_json, read_text
from tests.support.fuzzing import bounded, fuzz
from tests.support.http_servers import Wire, reply, serve_raw
from tests.support.http_users import HttpUnderTest
from tests.support.mutations import damaged, mutated_text

WIRE = HttpUnderTest("wire", wire.open, asyncio.run)
HTTPX = HttpUnderTest("httpx", httpx.open, asyncio.run)
TIMEOUT_S = 0.1
MAX_BODY = 100_000
OK = "HTTP/1.1 200 OK\r\n"
HEADS = [
    OK + "Content-Length: 5\r\n\r\nhello",
    OK + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nTrailer: x\r\n\r\n",
    OK + "Connection: close\r\n\r\nhello",
    OK + "Content-Type: text/html; charset=shift_jis\r\nContent-Length: 2\r\n\r\n\x83A",
    OK + "Set-Cookie: a=b; Path=/; Max-Age=1; Expires=Wed, 21 Oct 2015 07:28:00 GMT\r\n"
    "Set-Cookie: c=d; Domain=127.0.0.1; Secure\r\nContent-Length: 0\r\n\r\n",
    "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
    + OK
    + "Content-Length: 2\r\n\r\nok",
    "HTTP/1.1 302 Found\r\nLocation: /next?a=b#c\r\nContent-Length: 0\r\n\r\n",
    "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic\r\nContent-Length: 2\r\n\r\nno",
    "HTTP/1.1 204 No Content\r\nETag: x\r\n\r\n",
    'HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n{"a": [1, "\\ud800", 1e999]}',
    "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 4\r\n\r\nbusy",
]
# fmt: off
PIECES = [
    "\r\n", "\r\n\r\n", "\n", "\r", "\0", "\t", " ", ":", ";", ",", "\xff", "\x1b[2J", "0", "-1",
    "Content-Length: 3\r\n", "Content-Length: 99999999999999999999\r\n", "Content-Length: 0x5\r\n",
    "Transfer-Encoding: chunked\r\n", "Transfer-Encoding: gzip\r\n", "Content-Encoding: gzip\r\n",
    "Content-Encoding: br\r\n", "Content-Encoding: zstd, gzip, deflate\r\n",
    "Connection: close\r\n",
    "Connection: upgrade\r\nUpgrade: h2c\r\n", "Set-Cookie: =;;=\r\n", "Location: /\r\n",
    "Location: ?\r\n", "Location: \xe9\r\n", "Content-Type: text/x; charset=undefined\r\n",
    " folded\r\n", "X: " + "y" * 3_000 + "\r\n", "FFFFFFFFFFFFFFFF\r\n", "5;ext=\"\r\n",
    "0\r\n\r\n",
    "HTTP/1.1 103 Early Hints\r\n\r\n" * 50, "HTTP/1.1 101 Switching Protocols\r\n\r\n",
    "HTTP/2 200\r\n", "HTTP/1.1 999 \r\n", "HTTP/9.9 200 OK\r\n", OK,
]
# fmt: on
BODIES = [
    reply(200, gzip.compress(b"x" * 500_000), ("Content-Encoding", "gzip")),
    reply(200, gzip.compress(b"hello") * 50, ("Content-Encoding", "gzip")),
    reply(200, b"<a>" * 20_000),
    reply(200, b"x" * 150_000),
    reply(302, b"", ("Location", "/" + "a" * 2_000)),
    reply(200, b"retry: 1\nid: 7\ndata: {}\n\nid\r\n: hm\r\rdata\n\n"),
    reply(200, b'{"n": 1}\r\n[]\n\n"\xff"'),
    reply(200, gzip.compress(b"data: x\n\n" * 2_000), ("Content-Encoding", "gzip")),
]
STREAMS = [
    None,
    StreamPlan("events", parse("event.json.n == 1 or events > 3").lower().evaluate, reconnects=2),
    StreamPlan("lines", keeps_json=True),
    StreamPlan("json", parse("json.n").lower().evaluate, reads_json=True),
]
REPLIES = mutated_text(HEADS, PIECES).map(lambda text: text.encode("latin-1", "replace"))


@dataclass(frozen=True)
class Said:
    """What a server says to a request: pieces of a reply, and what it does then."""

    pieces: tuple[bytes, ...]
    then: str


def cut(data: bytes, places: Sequence[int]) -> tuple[bytes, ...]:
    """Return `data` in pieces that begin at these places."""
    ends = sorted({place % (len(data) + 1) for place in places})
    return tuple(data[a:b] for a, b in zip([0, *ends], [*ends, len(data)], strict=True) if a < b)


CONVERSATIONS = st.lists(
    st.builds(
        lambda data, places, then: Said(cut(data, places), then),
        REPLIES | damaged(BODIES) | st.binary(max_size=80),
        st.lists(st.integers(0, 5_000), max_size=6),
        st.sampled_from(["go on", "go on", "close", "close", "reset"]),
    ),
    min_size=1,
    max_size=3,
)


class Guard:
    """Lets nothing leave this machine, wherever a reply says that something is."""

    is_on = False

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self.is_on or event not in ("socket.connect", "socket.getaddrinfo"):
            return
        host = arguments[1][0] if event == "socket.connect" else arguments[0]
        if host not in ("127.0.0.1", b"127.0.0.1"):
            raise OSError("a fuzzer talks to itself only")


GUARD = Guard()
sys.addaudithook(GUARD)


@fuzz(
    st.tuples(st.sampled_from([WIRE, WIRE, HTTPX]), CONVERSATIONS, st.sampled_from(STREAMS)),
    examples=30,
)
def test_a_reply_has_a_status_or_a_failure(
    case: tuple[HttpUnderTest, list[Said], StreamPlan | None], folder: Path
) -> None:
    """No exception gets out, in the session or in the event loop, and no request hangs."""
    del folder
    http, said, stream = case
    unhandled: list[dict[str, Any]] = []
    GUARD.is_on = True
    try:
        with bounded(5):
            replies = http.run(lambda: converse(http, said, unhandled, stream))
    finally:
        GUARD.is_on = False

    assert unhandled == []
    for got in replies:
        check(got, MAX_BODY if stream is None else MOST_OF_A_PIECE)


async def is_asked(wire: Wire) -> bool:
    """Wait for a request, or for the end of the connection."""
    with suppress(asyncio.IncompleteReadError):
        return bool(await wire.reader.readuntil(b"\r\n\r\n"))
    return False


async def converse(
    http: HttpUnderTest,
    said: list[Said],
    unhandled: list[dict[str, Any]],
    stream: StreamPlan | None,
) -> list[Reply]:
    """Send as many requests as there are replies, and one more; all on one session."""
    asyncio.get_running_loop().set_exception_handler(lambda _, context: unhandled.append(context))
    remaining = list(said)

    async def talk(wire: Wire, _: int) -> None:
        while await is_asked(wire):
            one = remaining.pop(0) if remaining else Said((reply(200, b"ok"),), "go on")
            for piece in one.pieces:
                await wire.send(piece)
                await asyncio.sleep(0)
            if one.then != "go on":
                await getattr(wire, one.then)()
                return

    settings = HttpSettings(max_body=MAX_BODY, max_head=4_096)
    replies = []
    async with serve_raw(talk) as server, http.user(settings) as user:
        for _ in range(len(said) + 1):
            started = time.monotonic()
            replies.append(await user.get(server.origin, timeout_s=TIMEOUT_S, stream=stream))
            assert time.monotonic() - started < TIMEOUT_S + 2
    return replies


def check(got: Reply, most: int) -> None:
    """Assert that a reply is one: counted, bounded, and readable as text and as JSON."""
    if got.failure is None:
        assert 200 <= got.status <= 999
    else:
        assert got.failure in FailureKind
        assert got.detail
        assert got.detail.isprintable()
    assert got.asked_ns <= got.ended_ns
    assert got.body is None or len(got.body) <= most
    assert isinstance(got.parsed(read_text), str)
    got.parsed(read_json)

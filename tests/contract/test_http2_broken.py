"""Servers that break HTTP/2, as h2spec does to servers: the right failure, and the next one works.

Each case says what the first connection does once it has a request; whatever comes after it is
answered as it should be.
"""

from __future__ import annotations

from dataclasses import dataclass
from struct import pack

import pytest
import uvloop

from planrunner.protocols.base import FailureKind, Reply
from planrunner.protocols.http.clients.http1.client import open as open_client
from tests.support.http2_scripts import (
    Script,
    Talk,
    data,
    frame,
    head,
    ping,
    reset,
    serve_script,
    settings,
    window,
)
from tests.support.http_users import HttpUnderTest

HTTP2 = HttpUnderTest("wire", open_client, uvloop.run, "2")
LENGTH = ("content-length", "4")
PROTOCOL, RESET, TOO_LARGE = FailureKind.PROTOCOL, FailureKind.RESET, FailureKind.TOO_LARGE


@dataclass(frozen=True, slots=True)
class Broken:
    """What a server answers to the request on stream 1, and what comes of it.

    Attributes:
        code: What the client says why: in RST_STREAM where `stays`, else in GOAWAY; None for
            nothing, since the server has ended it itself.
        stays: The connection serves the next request.
    """

    name: str
    sent: bytes
    kind: FailureKind
    code: int | None = 1
    stays: bool = False
    words: str = ""


def stream(
    name: str, sent: bytes, kind: FailureKind = PROTOCOL, code: int | None = 1, *, words: str = ""
) -> Broken:
    """Break one stream."""
    return Broken(name, sent, kind, code, stays=True, words=words)


BOMB = b"\x88\x40\x01a\x7f\xa1\x1e" + b"b" * 4_000 + b"\xbe" * 200
"""A field of 4,000 bytes, and 200 times the same from the table."""

LINK = ("link", "x" * 900)


def block(data: bytes, flags: int = 4) -> bytes:
    return frame(1, data, flags=flags, stream=1)


CASES = [
    # -- what no frame is
    Broken("a 2 GB frame head", b"\xff\xff\xff\x00\x00\x7f\xff\xff\xff", PROTOCOL, 6),
    Broken("a frame longer than allowed", frame(0, b"x" * 16_385, stream=1), PROTOCOL, 6),
    Broken("SETTINGS that is no pairs", frame(4, b"12345"), PROTOCOL, 6),
    Broken("SETTINGS of a stream", frame(4, stream=1), PROTOCOL),
    Broken("an acknowledgement that says something", frame(4, b"123456", flags=1), PROTOCOL, 6),
    Broken("push enabled", settings((2, 1)), PROTOCOL),
    Broken("an initial window too large", settings((4, 2**31)), PROTOCOL, 3),
    Broken("frames too small", settings((5, 100)), PROTOCOL),
    Broken("PING of a stream", frame(6, b"01234567", stream=1), PROTOCOL),
    Broken("PING too short", frame(6, b"0123"), PROTOCOL, 6),
    Broken("GOAWAY of a stream", frame(7, b"0" * 8, stream=1), PROTOCOL),
    Broken("GOAWAY too short", frame(7, b"0"), PROTOCOL, 6),
    Broken("RST_STREAM too short", frame(3, b"0", stream=1), PROTOCOL, 6),
    Broken("RST_STREAM of no stream", reset(0, 1), PROTOCOL),
    Broken("PRIORITY of no stream", frame(2, b"01234"), PROTOCOL),
    stream("PRIORITY too short", frame(2, b"0123", stream=1), PROTOCOL, 6),
    Broken("WINDOW_UPDATE too short", frame(8, b"0"), PROTOCOL, 6),
    # -- windows
    Broken("the connection's window grows by nothing", window(0, 0), PROTOCOL),
    Broken("the connection's window overflows", window(0, 2**31 - 1), PROTOCOL, 3),
    stream("a stream's window grows by nothing", window(1, 0)),
    stream("a stream's window overflows", window(1, 2**31 - 1), PROTOCOL, 3),
    # -- streams that are none
    Broken("DATA of no stream", data(0, b"x"), PROTOCOL),
    Broken("DATA of a stream never opened", data(99, b"x"), PROTOCOL),
    Broken("a head of a stream of the server's", head(2), PROTOCOL),
    Broken("a window of a stream never opened", window(99, 1), PROTOCOL),
    Broken("RST_STREAM of a stream never opened", reset(99, 1), PROTOCOL),
    Broken("a push", frame(5, pack(">I", 2) + b"\x82", flags=4, stream=1), PROTOCOL),
    # -- heads
    Broken("CONTINUATION behind nothing", frame(9, b"\x88", flags=4, stream=1), PROTOCOL),
    Broken("PING within a head", head(1, ends_head=False) + ping(), PROTOCOL),
    Broken(
        "CONTINUATION of another stream",
        head(1, ends_head=False) + frame(9, b"", flags=4, stream=3),
        PROTOCOL,
    ),
    Broken(
        "CONTINUATION without end",
        head(1, ends_head=False) + frame(9, stream=1) * 100,
        TOO_LARGE,
        11,
    ),
    Broken(
        "CONTINUATION of a giant head",
        head(1, ends_head=False) + frame(9, b"\x00\x01a\x7f\x81\x7e" + b"b" * 16_000, stream=1) * 5,
        TOO_LARGE,
        11,
    ),
    Broken(
        "a head that decompresses to too much",
        block(BOMB),
        TOO_LARGE,
        11,
    ),
    Broken(
        "a head that can't be decompressed",
        block(b"\xff\xff\xff\xff"),
        PROTOCOL,
        9,
    ),
    Broken("an index that isn't in the table", block(b"\xfe"), PROTOCOL, 9),
    Broken("padding longer than the head", block(b"\xff\x88", 4 | 8), PROTOCOL),
    Broken(
        "padding longer than the data", head(1) + frame(0, b"\xff12", flags=8, stream=1), PROTOCOL
    ),
    stream("no status", head(1, LENGTH, status="")),
    stream("a status of letters", head(1, status="abc")),
    stream("two statuses", head(1, (":status", "200"))),
    stream("a field of a request", head(1, (":path", "/"))),
    stream("a name with capitals", head(1, ("X-A", "b"))),
    stream("a name with a space", head(1, ("x a", "b"))),
    stream("a value with a line feed", head(1, ("x", "b\nc: d"))),
    stream("a value with a whole line", head(1, ("x", "b\r\nc: d"))),
    stream("a field of the connection", head(1, ("connection", "close"))),
    stream("chunks", head(1, ("transfer-encoding", "chunked"))),
    stream("protocols switched", head(1, status="101"), PROTOCOL, 8),
    Broken(
        "an interim reply as the end", head(1, status="103", ends=True), PROTOCOL, 1, stays=True
    ),
    Broken(
        "interim replies without end",
        head(1, LINK, status="103") * 100,
        TOO_LARGE,
        8,
        stays=True,
    ),
    # -- bodies
    stream("a body before its head", data(1, b"fine")),
    Broken(
        "a body longer than announced",
        head(1, LENGTH) + data(1, b"toolong"),
        PROTOCOL,
        1,
        stays=True,
    ),
    Broken(
        "a body where none is allowed",
        head(1, status="204") + data(1, b"x"),
        PROTOCOL,
        1,
        stays=True,
    ),
    stream("a body cut short", head(1, LENGTH) + data(1, b"fi"), RESET, None),
    Broken(
        "lengths that differ", head(1, LENGTH, ("content-length", "5")), PROTOCOL, 8, stays=True
    ),
    stream("a second head within the body", head(1) + head(1)),
    stream("a status in the trailers", head(1) + head(1, ends=True)),
    # -- streams that the server gives up
    stream("reset with an error", reset(1, 2), PROTOCOL, None, words="INTERNAL_ERROR"),
    Broken(
        "reset in the body",
        head(1, LENGTH) + reset(1, 8),
        PROTOCOL,
        None,
        stays=True,
        words="CANCEL",
    ),
    stream("reset without a reason", head(1) + reset(1, 0), RESET, None),
    Broken(
        "reset with an unknown error", reset(1, 999), PROTOCOL, None, stays=True, words="error 999"
    ),
]


def talk_of(case: Broken, told: list[int]) -> Talk:
    async def talk(script: Script) -> None:
        if script.number == 0:
            await script.request()
            await script.send(case.sent)
            if case.code is not None:
                came = await script.await_frame(3 if case.stays else 7)
                told.append(int.from_bytes(came.payload[-4:], "big"))
        while True:
            await script.answer()

    return talk


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name.replace(" ", "-"))
def test_a_broken_server_costs_one_request(case: Broken) -> None:
    """The failure says what it did; the server is told; the next request is as any other."""
    told: list[int] = []

    async def scenario() -> tuple[Reply, Reply, int]:
        async with serve_script(talk_of(case, told)) as server, HTTP2.user() as user:
            first, second = [await user.get(server.origin, timeout_s=2) for _ in range(2)]
            return first, second, server.connections

    first, second, connections = HTTP2.run(scenario)

    assert (first.failure, first.body) == (case.kind, None), first.detail
    assert case.words in first.detail
    assert (second.failure, second.status, second.body) == (None, 200, b"fine"), second.detail
    assert connections == (1 if case.stays else 2)
    assert told == ([] if case.code is None else [case.code])

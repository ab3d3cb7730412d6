"""Frames of broken and hostile servers, in pieces of any size, to the WebSocket client."""

from __future__ import annotations

import asyncio
import zlib
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from planrunner.protocols.base import FailureKind
from planrunner.protocols.received import read_json, read_text
from planrunner.protocols.ws.reply import WsReply
from tests.support.fuzzing import bounded, fuzz
from tests.support.mutations import damaged
from tests.support.ws_users import frame, hostile, run, ws_user

MAX_SIZE = 100_000
MOST_MESSAGES = 8


def packed(data: bytes) -> bytes:
    compressor = zlib.compressobj(wbits=-15)
    return (compressor.compress(data) + compressor.flush(zlib.Z_SYNC_FLUSH))[:-4]


FRAMES = [
    frame(0x81, b'{"type": "said"}'),
    frame(0x81, "Grüße".encode()),
    frame(0x82, bytes(range(256))),
    frame(0x01, b"be") + frame(0x00, b"gi") + frame(0x80, b"n"),
    frame(0x01, b"be") + frame(0x89, b"?") + frame(0x80, b"gin"),
    frame(0xC1, packed(b"x" * 200_000)),
    frame(0xC1, packed(b"once")) + frame(0xC1, packed(b"twice")),
    frame(0x89, b"ping") * 20,
    frame(0x8A, b"pong"),
    frame(0x88, b"\x03\xe8bye"),
    frame(0x88, b"\x0f\xa1\x1b[2J"),
    frame(0x81, size=1 << 31),
]
EXTENSIONS = [
    (),
    (b"Sec-WebSocket-Extensions: permessage-deflate",),
    (b"Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover",),
    (b"Sec-WebSocket-Extensions: \xff;;=",),
    (b"Sec-WebSocket-Protocol: \x1b[2J",),
]
CASES = st.tuples(
    st.lists(damaged(FRAMES) | st.sampled_from(FRAMES) | st.binary(max_size=40), max_size=5),
    st.sampled_from(EXTENSIONS),
    st.booleans(),
)


@fuzz(CASES, examples=20)
def test_whatever_comes_is_a_message_or_a_failure(
    case: tuple[list[bytes], tuple[bytes, ...], bool], folder: Path
) -> None:
    """No exception gets out, in the session or in the event loop, and no step hangs."""
    del folder
    data, lines, closes = case
    unhandled: list[dict[str, Any]] = []

    async def scenario() -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: unhandled.append(context))
        async with (
            hostile(*data, closes=closes, lines=lines) as server,
            ws_user(server.origin.port, max_size=MAX_SIZE, max_queue=4) as user,
        ):
            check(await user.connect(timeout="200ms"))
            for _ in range(MOST_MESSAGES):
                got = await user.receive(timeout="5ms")
                check(got)
                if got.failure is not None:
                    break
            check(await user.say("still there?"))

    with bounded(5):
        run(scenario)

    assert unhandled == []


def check(got: WsReply) -> None:
    """Assert that a reply is one: bounded, and readable as text and as JSON."""
    if got.failure is not None:
        assert got.failure in FailureKind
        assert got.detail
        assert got.detail.isprintable()
    assert got.asked_ns <= got.ended_ns
    assert got.body is None or len(got.body) <= MAX_SIZE
    assert isinstance(got.parsed(read_text), str)
    got.parsed(read_json)

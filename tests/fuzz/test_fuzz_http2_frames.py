"""Frames of broken and hostile HTTP/2 servers, whole and damaged, in any order."""

from __future__ import annotations

import asyncio
from pathlib import Path
from struct import pack
from typing import Any

from hypothesis import strategies as st

from planrunner.protocols.base import FailureKind, Reply
from planrunner.protocols.http.clients.http1 import client as wire
from tests.support.fuzzing import bounded, fuzz
from tests.support.http2_scripts import (
    Script,
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
from tests.support.http_users import HttpUnderTest, TestUser
from tests.support.mutations import damaged

HTTP2 = HttpUnderTest("wire", wire.open, asyncio.run, "2")
TIMEOUT_S = 0.1
LENGTH = ("content-length", "4")
GOOD = [
    *(head(stream, LENGTH) + data(stream, b"fine") for stream in (1, 3)),
    head(1, LENGTH, ("set-cookie", "a=b"), ("content-encoding", "gzip")),
    head(1, ("location", "/next"), status="302", ends=True),
    head(1, ends_head=False) + frame(9, b"", flags=4, stream=1),
    head(1, ("link", "</a>"), status="103"),
    frame(0, b"\x02fine\0\0", flags=8 | 1, stream=1),
    head(1, ("x", "1"), status="", ends=True),
    settings((1, 0), (3, 1), (4, 0), (5, 16_384)),
    settings((4, 2**31 - 1)),
    frame(4, flags=1),
    *(reset(1, code) for code in (0, 2, 7, 8)),
    *(goaway(last, code) for last in (0, 1, 2**31 - 1) for code in (0, 11)),
    ping() * 3,
    window(0, 1_000) + window(1, 1_000),
    frame(2, b"\0\0\0\0\0", stream=1),
    frame(5, pack(">I", 2) + b"\x82", flags=4, stream=1),
    frame(77, b"unknown"),
]
FRAMES = st.builds(
    lambda kind, flags, stream, payload: frame(kind, payload, flags=flags, stream=stream),
    st.integers(0, 11),
    st.integers(0, 255),
    st.sampled_from([0, 1, 2, 3, 5, 2**31 - 1]),
    st.binary(max_size=60),
)
SAID = st.lists(
    st.lists(
        st.sampled_from(GOOD) | damaged(GOOD) | FRAMES | st.binary(max_size=30), max_size=5
    ).map(b"".join),
    min_size=1,
    max_size=4,
)


@fuzz(SAID, examples=60)
def test_a_reply_of_frames_has_a_status_or_a_failure(said: list[bytes], folder: Path) -> None:
    """No exception gets out, in the session or in the event loop, and no request hangs."""
    del folder
    unhandled: list[dict[str, Any]] = []
    with bounded(5):
        replies = HTTP2.run(lambda: converse(said, unhandled))

    assert unhandled == []
    for got in replies:
        assert got.failure in (None, *FailureKind)
        assert bool(got.detail) == (got.failure is not None)
        assert got.status or got.failure is not None
        assert got.asked_ns <= got.sent_ns <= got.ended_ns


async def converse(said: list[bytes], unhandled: list[dict[str, Any]]) -> list[Reply]:
    """Send two requests side by side for each thing that is said, and one more of them."""
    asyncio.get_running_loop().set_exception_handler(lambda _, context: unhandled.append(context))
    remaining = list(said)

    async def talk(script: Script) -> None:
        while True:
            stream, _ = await script.request()
            if remaining:
                await script.send(remaining.pop(0))
            else:
                await script.send(head(stream, LENGTH), data(stream, b"fine"))

    replies = []
    async with serve_script(talk) as server, HTTP2.user() as user:
        lanes = [TestUser(user.client, session, {}) for session in user.session.lanes(2)]
        for _ in range(len(said)):
            replies += await asyncio.gather(
                *(lane.get(server.origin, timeout_s=TIMEOUT_S) for lane in lanes)
            )
    return replies

"""What a broken gRPC server comes to: the right failure kind for each kind of call, in time."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from planrunner.clock import MonotonicClock
from planrunner.protocols.base import Reply
from planrunner.protocols.grpc.clients.caller import GrpcCaller
from planrunner.protocols.grpc.operation import GrpcSettings
from tests.support.grpc_hostile import (
    Answer,
    data,
    goaway,
    headers,
    nothing,
    reset,
    serve_frames,
    trailers,
)
from tests.support.grpc_servers import call, kitchen

OK = (headers(), data(b""), trailers())
KINDS = ("Cook", "Serve", "Collect", "Talk")


def ending(stream: int) -> bytes:
    """An empty DATA frame that ends the stream, without the trailers of gRPC."""
    return b"\x00\x00\x00\x00\x01" + stream.to_bytes(4, "big")


def replies(*answers: Sequence[Answer | None]) -> list[tuple[str | None, int, str]]:
    """Return the failure, retries and words of each kind of call to a server of its own."""

    async def one(method: str) -> Reply:
        async with serve_frames(*answers) as (address, _):
            settings = GrpcSettings(target=address, schema=kitchen(), timeout_ns=300_000_000)
            client = GrpcCaller(settings, MonotonicClock())
            bound = client.bind(call(method, settings=settings))
            reply = await client.session().send(bound, {})
            await client.close()
            return reply

    async def main() -> list[Reply]:
        return await asyncio.gather(*map(one, KINDS))

    return [
        (reply.failure and reply.failure.value, reply.retries, reply.detail)
        for reply in asyncio.run(main())
    ]


@pytest.mark.parametrize(
    ("answers", "kind", "retries"),
    [
        ([OK], None, 0),
        ([[reset(7)], OK], None, 1),
        ([[reset(7)], [reset(7)]], "reset", 1),
        ([[goaway(0)], OK], None, 1),
        ([[goaway(0)], [goaway(0)]], "reset", 1),
        ([[goaway(1), None]], "reset", 0),  # it may have been done
        ([[reset(1)]], "protocol", 0),
        ([[reset(2)]], "protocol", 0),
        ([[reset(8)]], "reset", 0),
        ([[reset(11)]], "protocol", 0),
        ([[None]], "reset", 0),
        ([[headers(), data(b"abc", announced=100), None]], "reset", 0),
        ([[headers(), data(b""), ending]], "protocol", 0),
        ([[headers(), data(b"abc", announced=2**31 - 1)]], "too_large", 0),
        ([[headers(), data(b"<html>"), trailers()]], "protocol", 0),
        ([[headers(b"\x8d", b"text/html"), ending]], "protocol", 0),
        ([[lambda _: b"\xff" * 40]], "protocol", 0),
        ([[headers(), data(b"xx", packed=1), trailers()]], "protocol", 0),
        ([[headers(), trailers(b"abc")]], "protocol", 0),
        ([[headers(), trailers(b"99")]], "status", 0),
        ([[nothing]], "timeout", 0),
    ],
)
def test_each_way_to_break_it_has_its_kind(
    answers: list[Sequence[Answer | None]], kind: str | None, retries: int
) -> None:
    """The same for all four kinds of call; what was refused before it began is tried once more."""
    found = replies(*answers)

    assert [(failure, again) for failure, again, _ in found] == [(kind, retries)] * len(KINDS)
    assert all(bool(words) is (kind is not None) for *_, words in found)


def test_a_reply_without_a_message() -> None:
    """A stream may be empty; a single message has to come."""
    found = replies([headers(), trailers()])

    assert [(failure, words) for failure, _, words in found] == [
        ("protocol", "no message came"),
        (None, ""),
        ("protocol", "no message came"),
        (None, ""),
    ]

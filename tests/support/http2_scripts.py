"""Servers that speak HTTP/2 as a script says, frame by frame, right or wrong."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from struct import pack

from jh2.hpack import Decoder, Encoder

from tests.support.http2_servers import PREFACE
from tests.support.http_servers import HttpServer, Wire, serve_raw

__all__ = [
    "Frame",
    "Script",
    "Talk",
    "data",
    "frame",
    "goaway",
    "head",
    "ping",
    "reset",
    "serve_script",
    "settings",
    "window",
]

END_STREAM, END_HEADERS = 1, 4


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame as it came."""

    kind: int
    flags: int
    stream: int
    payload: bytes


def frame(kind: int, payload: bytes = b"", *, flags: int = 0, stream: int = 0) -> bytes:
    return pack(">I", len(payload))[1:] + pack(">BBI", kind, flags, stream) + payload


def settings(*pairs: tuple[int, int]) -> bytes:
    return frame(4, b"".join(pack(">HI", *pair) for pair in pairs))


def head(
    stream: int,
    *fields: tuple[str, str],
    status: str = "200",
    ends: bool = False,
    ends_head: bool = True,
) -> bytes:
    """Encode a head without the table, so that it can be sent at any time."""
    pairs = [(":status", status), *fields] if status else [*fields]
    block = Encoder().encode([(name, value, True) for name, value in pairs])
    flags = END_STREAM * ends | END_HEADERS * ends_head
    return frame(1, block, flags=flags, stream=stream)


def data(stream: int, payload: bytes = b"", *, ends: bool = True) -> bytes:
    return frame(0, payload, flags=END_STREAM * ends, stream=stream)


def reset(stream: int, code: int) -> bytes:
    return frame(3, pack(">I", code), stream=stream)


def goaway(last: int, code: int = 0) -> bytes:
    return frame(7, pack(">II", last, code))


def ping(payload: bytes = b"01234567") -> bytes:
    return frame(6, payload)


def window(stream: int, more: int) -> bytes:
    return frame(8, pack(">I", more), stream=stream)


@dataclass(slots=True)
class Script:
    """The server's end of one connection, behind the prefaces.

    Attributes:
        number: Counted from 0.
        seen: Every frame that came.
    """

    wire: Wire
    number: int
    seen: list[Frame] = field(default_factory=list)
    decoder: Decoder = field(default_factory=Decoder)

    async def send(self, *parts: bytes) -> None:
        await self.wire.send(b"".join(parts))

    async def next_frame(self) -> Frame:
        first = await self.wire.reader.readexactly(9)
        size = int.from_bytes(first[:3], "big")
        payload = await self.wire.reader.readexactly(size)
        came = Frame(first[3], first[4], int.from_bytes(first[5:], "big"), payload)
        self.seen.append(came)
        return came

    async def await_frame(self, kind: int) -> Frame:
        """Return the next one of a kind."""
        while (came := await self.next_frame()).kind != kind:
            pass
        return came

    async def request(self) -> tuple[int, dict[str, str]]:
        """Return the stream and the fields of the next request."""
        came = await self.await_frame(1)
        fields = self.decoder.decode(came.payload)
        return came.stream, {str(name): str(value) for name, value, *_ in fields}

    async def answer(self, body: bytes = b"fine") -> int:
        """Take a request and answer it as it should be; returns its stream."""
        stream, _ = await self.request()
        length = ("content-length", str(len(body)))
        await self.send(head(stream, length), data(stream, body))
        return stream


Talk = Callable[[Script], Awaitable[None]]


@asynccontextmanager
async def serve_script(talk: Talk, *, first: bytes | None = None) -> AsyncIterator[HttpServer]:
    """Serve each connection with `talk`, after the server's SETTINGS or what is given instead."""

    async def converse(wire: Wire, number: int) -> None:
        try:
            assert await wire.reader.readexactly(len(PREFACE)) == PREFACE
            await wire.send(settings() if first is None else first)
            await talk(Script(wire, number))
            await wire.hang()
        except EOFError:  # the client has gone
            pass

    async with serve_raw(converse) as server:
        yield server

"""A server that speaks HTTP/2 frame by frame, so that it can break gRPC in any place."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress

__all__ = [
    "data",
    "goaway",
    "headers",
    "nothing",
    "reset",
    "serve_frames",
    "trailers",
]

_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_DATA, _HEADERS, _RESET, _SETTINGS, _PING, _GOAWAY = 0, 1, 3, 4, 6, 7

Answer = Callable[[int], bytes]
"""Returns the frames that answer a request, given its stream."""


def _frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    return (
        len(payload).to_bytes(3, "big") + bytes((kind, flags)) + stream.to_bytes(4, "big") + payload
    )


def _field(name: bytes, value: bytes) -> bytes:
    return b"\x00" + bytes((len(name),)) + name + bytes((len(value),)) + value


def headers(status: bytes = b"\x88", kind: bytes = b"application/grpc") -> Answer:
    """Begin a reply; `\\x88` is `:status: 200` in HPACK."""
    return lambda stream: _frame(_HEADERS, 4, stream, status + _field(b"content-type", kind))


def data(content: bytes, *, announced: int | None = None, packed: int = 0) -> Answer:
    """Send a message, which may announce more than there is."""
    size = len(content) if announced is None else announced
    whole = bytes((packed,)) + size.to_bytes(4, "big") + content
    return lambda stream: _frame(_DATA, 0, stream, whole)


def trailers(status: bytes = b"0") -> Answer:
    return lambda stream: _frame(_HEADERS, 5, stream, _field(b"grpc-status", status))


def reset(code: int) -> Answer:
    return lambda stream: _frame(_RESET, 0, stream, code.to_bytes(4, "big"))


def goaway(last: int, code: int = 0) -> Answer:
    """Say that no stream after `last` is looked at."""
    return lambda _: _frame(_GOAWAY, 0, 0, last.to_bytes(4, "big") + code.to_bytes(4, "big"))


def nothing(_: int) -> bytes:
    return b""


class _FrameServer:
    """Answers each request with the next frames; None among them ends the connection."""

    def __init__(self, answers: Sequence[Sequence[Answer | None]]) -> None:
        self.left = iter(answers)
        self.came: list[int] = []
        self.tasks: set[asyncio.Task[None]] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.tasks.add(task)
        with suppress(asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            await reader.readexactly(len(_PREFACE))
            writer.write(_frame(_SETTINGS, 0, 0, b""))
            while await self.answer(reader, writer):
                pass
        writer.close()

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Read a frame and write what answers it; False when the connection is to end."""
        head = await reader.readexactly(9)
        payload = await reader.readexactly(int.from_bytes(head[:3], "big"))
        kind, flags, stream = head[3], head[4], int.from_bytes(head[5:], "big")
        if kind in (_SETTINGS, _PING) and not flags & 1:
            writer.write(_frame(kind, 1, 0, payload if kind == _PING else b""))
        if kind == _HEADERS:
            self.came.append(stream)
            for answer in next(self.left, ()):
                if answer is None:
                    return False
                writer.write(answer(stream))
        return True


@asynccontextmanager
async def serve_frames(*answers: Sequence[Answer | None]) -> AsyncIterator[tuple[str, list[int]]]:
    """Serve on a free port; gives the address, and the streams that requests came on."""
    frames = _FrameServer(answers)
    server = await asyncio.start_server(frames.serve, "127.0.0.1", 0)
    try:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}", frames.came
    finally:
        server.close()
        for task in frames.tasks:
            task.cancel()
        await asyncio.gather(*frames.tasks, return_exceptions=True)

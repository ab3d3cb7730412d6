"""How coordinator and worker talk: whole messages in order, over a socket that only they have.

Messages are pickled, and no other process can write to the socket. It closes when either of the two
ends, however that happens, so each sees at once that the other one is gone.
"""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress
from struct import Struct
from typing import Final, Protocol, Self

from planrunner.engine.workers.codec import MessageCodec

__all__ = ["FrameSocket", "SocketTransport", "Transport"]

_LENGTH: Final = Struct("<Q")


class Transport(Protocol):
    """One end of a conversation."""

    def send(self, message: object) -> None:
        """Send a message; one that can't arrive any more is dropped."""

    async def receive(self) -> object:
        """Return the next message.

        Raises:
            EOFError: The other end is gone.
        """

    async def close(self) -> None: ...


class FrameSocket:
    """Whole messages over a connected stream socket, whatever is in them."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def over(cls, connected: socket.socket) -> Self:
        reader, writer = await asyncio.open_connection(sock=connected)
        return cls(reader, writer)

    def send_frame(self, data: bytes) -> None:
        """Send a message; one that can't arrive any more is dropped."""
        if not self._writer.is_closing():
            self._writer.write(_LENGTH.pack(len(data)) + data)

    async def receive_frame(self) -> bytes:
        """Return the next message.

        Raises:
            EOFError: The other end is gone.
        """
        try:
            (length,) = _LENGTH.unpack(await self._reader.readexactly(_LENGTH.size))
            return await self._reader.readexactly(length)
        except (asyncio.IncompleteReadError, OSError) as error:
            raise EOFError from error

    async def flush(self) -> None:
        """Return when little is left of what was sent and not taken yet.

        Raises:
            OSError: The other end is gone.
        """
        await self._writer.drain()

    async def close(self) -> None:
        with suppress(OSError):
            await self._writer.drain()
        self._writer.close()
        with suppress(OSError):
            await self._writer.wait_closed()


class SocketTransport(FrameSocket):
    """Values over a connected stream socket."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        super().__init__(reader, writer)
        self._codec = MessageCodec()

    def send(self, message: object) -> None:
        self.send_frame(self._codec.dumps(message))

    async def receive(self) -> object:
        return self._codec.loads(await self.receive_frame())

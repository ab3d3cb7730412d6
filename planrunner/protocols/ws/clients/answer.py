"""The answer to a handshake: read here, as picows takes only one spelling of it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from typing import Any, Final

__all__ = ["HandshakeAnswer"]

_END: Final = b"\r\n\r\n"
_MOST: Final = 16 * 1024
"""Bytes of a head: picows refuses what is longer."""

_CONNECTION: Final = re.compile(rb"\r\nconnection[ \t]*:([^\r\n]*)", re.IGNORECASE)
_SWITCHES: Final = b"HTTP/1.1 101"


class HandshakeAnswer(asyncio.Protocol):
    """Stands before picows until the head of the answer is there.

    Args:
        frames: picows' protocol, which sends the request and reads what follows.
        connected: Told when the connection is open.

    Attributes:
        head: What came first, up to where frames or a body begin.
    """

    def __init__(self, frames: Any, connected: Callable[[], None]) -> None:  # noqa: ANN401 - picows'
        self._frames = frames
        self._connected = connected
        self._transport: Any = None
        self.head = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._connected()
        self._frames.connection_made(transport)

    def data_received(self, data: bytes) -> None:
        self.head += data
        head, end, rest = self.head.partition(_END)
        if not end and len(head) < _MOST:
            return
        self.head = head
        self._transport.set_protocol(self._frames)
        whole = b"".join((as_picows_reads(head), end, rest))
        _feed(self._frames, whole, self._transport.is_closing)

    def connection_lost(self, exc: Exception | None) -> None:
        if self.head:  # no whole head: picows says of it what it lacks
            _feed(self._frames, self.head, lambda: False)
        self._frames.connection_lost(exc)

    def pause_writing(self) -> None:
        self._frames.pause_writing()

    def resume_writing(self) -> None:
        self._frames.resume_writing()

    def abort(self) -> None:
        """End the connection, if it is open."""
        if self._transport is not None:
            self._transport.abort()


def as_picows_reads(head: bytes) -> bytes:
    """Return the head of an answer with `Connection` as picows wants it, where it means the same.

    `keep-alive, Upgrade` is as legal (RFC 9110 §7.6.1), in one field or several.
    """
    if not head.startswith(_SWITCHES):
        return head
    found = b",".join(_CONNECTION.findall(head))
    if b"upgrade" not in {option.strip().lower() for option in found.split(b",")}:
        return head
    return _CONNECTION.sub(b"", head) + b"\r\nConnection: Upgrade"


def _feed(protocol: Any, data: bytes, has_ended: Callable[[], bool]) -> None:  # noqa: ANN401 - a buffered protocol
    rest = memoryview(data)
    while rest and not has_ended():
        room = protocol.get_buffer(len(rest))
        taken = min(len(room), len(rest))
        room[:taken] = rest[:taken]
        protocol.buffer_updated(taken)
        rest = rest[taken:]

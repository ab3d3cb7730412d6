"""The server's end of a WebSocket for the demo targets (RFC 6455): texts, pings and the end.

No extensions; a client that breaks the protocol is hung up on with a code that says so.
"""

from __future__ import annotations

import base64
import hashlib
from asyncio import Transport
from collections.abc import Mapping
from typing import Final, Protocol

__all__ = ["MAX_MESSAGE_BYTES", "ServedSocket", "SocketListener", "handshake", "is_handshake"]

MAX_MESSAGE_BYTES: Final = 1 << 20

_MAGIC: Final = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_CONTINUATION, _TEXT, _BINARY, _CLOSE, _PING, _PONG = 0, 1, 2, 8, 9, 10
_MOST_UNSENT: Final = 1 << 20
"""Bytes that wait to be written from which on a client that doesn't read is dropped."""


class SocketListener(Protocol):
    """Who talks with a client."""

    def on_text(self, text: str) -> None: ...
    def on_end(self) -> None: ...


def is_handshake(headers: Mapping[str, str]) -> bool:
    """Say whether a GET asks for a WebSocket, and can have one."""
    return (
        headers.get("upgrade", "").lower() == "websocket"
        and headers.get("sec-websocket-version") == "13"
        and bool(headers.get("sec-websocket-key"))
    )


def handshake(headers: Mapping[str, str], subprotocol: str) -> bytes:
    """Return the answer to it."""
    key = headers["sec-websocket-key"].encode("latin-1")
    digest = hashlib.sha1(key + _MAGIC, usedforsecurity=False).digest()
    lines = [
        b"HTTP/1.1 101 Switching Protocols",
        b"Upgrade: websocket",
        b"Connection: Upgrade",
        b"Sec-WebSocket-Accept: " + base64.b64encode(digest),
    ]
    if subprotocol:
        lines.append(b"Sec-WebSocket-Protocol: " + subprotocol.encode("latin-1"))
    return b"\r\n".join(lines) + b"\r\n\r\n"


class ServedSocket:
    """A connection after its handshake; `listener` is set by whoever opens it."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._data = b""
        self._parts: list[bytes] | None = None
        self._is_text = False
        self._is_open = True
        self.listener: SocketListener | None = None

    def send(self, text: str) -> None:
        """Send a text; nothing happens once the connection has ended."""
        if not self._is_open:
            return
        if self._transport.get_write_buffer_size() > _MOST_UNSENT:
            self._transport.abort()
            return
        self._write(_TEXT, text.encode())

    def close(self, code: int) -> None:
        """Say goodbye, and hang up."""
        if self._is_open:
            self._is_open = False
            self._write(_CLOSE, code.to_bytes(2, "big"))
            self._transport.close()

    def lost(self) -> None:
        """Note that the client has gone."""
        self._is_open = False
        if self.listener is not None:
            self.listener.on_end()

    def feed(self, data: bytes) -> None:
        """Take what came."""
        self._data += data
        while self._is_open and (step := self._frame()):
            self._data = self._data[step:]

    def _frame(self) -> int:
        """Take the first frame; returns its length, 0 where it isn't whole yet."""
        data = self._data
        if len(data) < 2:
            return 0
        kind, size, start = data[0] & 15, data[1] & 127, 2
        if data[0] & 0x70 or not data[1] & 0x80:
            self.close(1002)
            return 0
        if size > 125:
            start = 4 if size == 126 else 10
            size = int.from_bytes(data[2:start], "big")
        if size > MAX_MESSAGE_BYTES:
            self.close(1009)
            return 0
        end = start + 4 + size
        if len(data) < end:
            return 0
        payload = _unmasked(data[start + 4 : end], data[start : start + 4])
        self._take(kind, payload, is_last=bool(data[0] & 0x80))
        return end

    def _take(self, kind: int, payload: bytes, *, is_last: bool) -> None:
        if kind == _PING:
            self._write(_PONG, payload)
        elif kind == _CLOSE:
            self.close(int.from_bytes(payload[:2], "big") if payload else 1000)
        elif kind in (_TEXT, _BINARY, _CONTINUATION):
            self._add(kind, payload, is_last=is_last)
        elif kind != _PONG:
            self.close(1002)

    def _add(self, kind: int, payload: bytes, *, is_last: bool) -> None:
        if (kind == _CONTINUATION) is (self._parts is None):
            self.close(1002)
            return
        if self._parts is None:
            self._parts, self._is_text = [], kind == _TEXT
        self._parts.append(payload)
        if sum(map(len, self._parts)) > MAX_MESSAGE_BYTES:
            self.close(1009)
            return
        if not is_last:
            return
        whole, self._parts = b"".join(self._parts), None
        if not self._is_text:
            self.close(1003)
            return
        try:
            text = whole.decode()
        except UnicodeDecodeError:
            self.close(1007)
            return
        if self.listener is not None:
            self.listener.on_text(text)

    def _write(self, kind: int, payload: bytes) -> None:
        size = len(payload)
        if size < 126:
            head = bytes((0x80 | kind, size))
        elif size < 1 << 16:
            head = bytes((0x80 | kind, 126)) + size.to_bytes(2, "big")
        else:
            head = bytes((0x80 | kind, 127)) + size.to_bytes(8, "big")
        self._transport.write(head + payload)


def _unmasked(payload: bytes, mask: bytes) -> bytes:
    size = len(payload)
    key = (mask * (size // 4 + 1))[:size]
    return (int.from_bytes(payload, "big") ^ int.from_bytes(key, "big")).to_bytes(size, "big")

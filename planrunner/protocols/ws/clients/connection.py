"""One connection: frames to messages, the queue of those nobody waits for yet, and its end."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any, Final, Protocol

from picows import WSListener, WSTransport

from planrunner.protocols.base import FailureKind
from planrunner.protocols.http.clients.fault import WireFault
from planrunner.protocols.ws.clients.deflate import Deflate
from planrunner.protocols.ws.clients.opcodes import (
    BINARY,
    CLOSE,
    CONTINUATION,
    PING,
    PONG,
    TEXT,
)
from planrunner.protocols.ws.reply import ABNORMAL

__all__ = ["WsConnection", "WsEnding", "WsMessage", "WsReceiver"]

_MESSAGES: Final = (TEXT, BINARY)
_NORMAL: Final = (1000, 1001)
_MOST_UNSENT: Final = 256 * 1024
"""Bytes that wait to be written from which on pings are not answered: nobody reads the answers."""

_NO_CODE: Final = 1005
_PROTOCOL_ERROR: Final = 1002
_NO_UTF8: Final = 1007
_TOO_LARGE: Final = 1009

WsMessage = tuple[int, int, bytes]
"""When it came, when the last one before it was sent (0 for none), and what it says."""


class WsEnding(WireFault):
    """Why a connection is no longer open; `status` is the close code, 0 for none."""

    def __init__(self, kind: FailureKind, detail: str, status: int = 0) -> None:
        super().__init__(kind, detail)
        self.status: Final = status


class WsReceiver(Protocol):
    """Who waits at a connection."""

    def take(self, came_ns: int, asked_ns: int, data: bytes) -> bool: ...
    def lose(self, ending: WsEnding) -> None: ...


class WsConnection(WSListener):
    """One connection of a user, in picows' callbacks.

    Attributes:
        transport: None until the handshake is done.
        url: Where it goes to.
        deflate: None where messages are not compressed.
        lasts: It is kept when an iteration ends.
        sent_ns: When the last message was sent.
        answered_ns: The last of these times that a message has been the answer to.
        sent: Bytes of messages sent since a sample last took them.
        receiver: Who waits for messages; they queue where nobody does.
        ending: Why it is no longer open; None while it is.
        is_told: Some step has failed for that.
        drained: What is awaited while too much waits to be written; None otherwise.
        pinged_ns: When a ping was sent that is not answered yet; 0 for none.
        ping_due_ns: When the next one is due.
    """

    __slots__ = (
        "_lost",
        "_max_queue",
        "_max_size",
        "_now_ns",
        "_parts",
        "_parts_are_packed",
        "_parts_are_text",
        "_parts_size",
        "_queued",
        "answered_ns",
        "deflate",
        "drained",
        "ending",
        "is_told",
        "lasts",
        "ping_due_ns",
        "pinged_ns",
        "queue",
        "receiver",
        "sent",
        "sent_ns",
        "transport",
        "url",
    )

    def __init__(self, now_ns: Callable[[], int], *, max_size: int, max_queue: int) -> None:
        self._now_ns = now_ns
        self._max_size = max_size
        self._max_queue = max_queue
        self._parts: list[bytes] | None = None
        self._parts_size = 0
        self._parts_are_packed = self._parts_are_text = False
        self._queued = 0
        self._lost: asyncio.Future[None] | None = None
        self.transport: Any = None
        self.url = ""
        self.deflate: Deflate | None = None
        self.lasts = False
        self.sent_ns = self.answered_ns = self.sent = 0
        self.queue: deque[WsMessage] = deque()
        self.receiver: WsReceiver | None = None
        self.ending: WsEnding | None = None
        self.is_told = False
        self.drained: asyncio.Future[None] | None = None
        self.pinged_ns = self.ping_due_ns = 0

    # -- what comes --------------------------------------------------------------------------

    def on_ws_frame(self, transport: WSTransport, frame: Any) -> None:  # noqa: ANN401 - untrue types
        # Calls through slots take two steps here and in the steps, as in `WireConnection`.
        now_ns = self._now_ns
        came_ns = now_ns()
        kind = frame.msg_type
        if self.ending is not None:  # nothing that comes after the end counts
            if kind == CLOSE:
                transport.disconnect()
            return
        if (
            kind in _MESSAGES
            and frame.fin
            and self._parts is None
            and not (frame.rsv1 or frame.rsv2 or frame.rsv3)
        ):
            data = frame.get_payload_as_bytes()
            if not data.isascii() and kind == TEXT and not _is_utf8(data):
                self._end_for_utf8()
            elif (receiver := self.receiver) is not None:
                receiver.take(came_ns, self.sent_ns, data)
            else:
                self._keep(data, came_ns)
            return
        try:
            self._look_at(transport, frame, kind, came_ns)
        except WsEnding as ending:
            self.end(ending)
        except WireFault as fault:
            is_large = fault.kind is FailureKind.TOO_LARGE
            code = _TOO_LARGE if is_large else _PROTOCOL_ERROR
            self.end(WsEnding(fault.kind, fault.detail), code)

    def _look_at(self, transport: Any, frame: Any, kind: int, came_ns: int) -> None:  # noqa: ANN401
        """Take any frame but a whole plain message."""
        if frame.rsv2 or frame.rsv3 or (frame.rsv1 and not self._may_be_packed(kind)):
            raise WireFault(FailureKind.PROTOCOL, "a frame has reserved bits set")
        if kind in (*_MESSAGES, CONTINUATION):
            self._add(frame, kind, came_ns)
        elif kind == PING:
            if transport.underlying_transport.get_write_buffer_size() < _MOST_UNSENT:
                transport.send_pong(frame.get_payload_as_bytes())
        elif kind == PONG:
            self.pinged_ns = 0
        else:
            raise _closed_by(frame.get_payload_as_bytes())

    def _may_be_packed(self, kind: int) -> bool:
        return self.deflate is not None and kind in _MESSAGES

    def _add(self, frame: Any, kind: int, came_ns: int) -> None:  # noqa: ANN401
        """Add a fragment to its message, or a whole compressed one."""
        parts = self._parts
        if (kind == CONTINUATION) is (parts is None):
            words = "continues no message" if parts is None else "begins inside another message"
            raise WireFault(FailureKind.PROTOCOL, f"a fragment {words}")
        if parts is None:
            parts = self._parts = []
            self._parts_size = 0
            self._parts_are_packed, self._parts_are_text = bool(frame.rsv1), kind == TEXT
        data = frame.get_payload_as_bytes()
        self._parts_size += len(data)
        if self._parts_size > self._max_size:
            words = f"a message has more than {self._max_size} bytes (`ws.max_size`)"
            raise WireFault(FailureKind.TOO_LARGE, words)
        if data:
            parts.append(data)
        if not frame.fin:
            return
        self._parts = None
        whole = b"".join(parts)
        if self._parts_are_packed:
            assert self.deflate is not None
            whole = self.deflate.decompress(whole, self._max_size)
        if self._parts_are_text and not _is_utf8(whole):
            self._end_for_utf8()
        else:
            self._arrived(whole, came_ns)

    def _arrived(self, data: bytes, came_ns: int) -> None:
        if self.receiver is not None:
            self.receiver.take(came_ns, self.sent_ns, data)
        else:
            self._keep(data, came_ns)

    def _keep(self, data: bytes, came_ns: int) -> None:
        """Keep a message that nobody waits for yet."""
        self._queued += len(data)
        if len(self.queue) >= self._max_queue:
            words = f"more than {self._max_queue} messages wait (`ws.max_queue`)"
            self.end(WsEnding(FailureKind.TOO_LARGE, words), _TOO_LARGE)
        elif self.queue and self._queued > self._max_size:
            words = f"waiting messages have more than {self._max_size} bytes (`ws.max_size`)"
            self.end(WsEnding(FailureKind.TOO_LARGE, words), _TOO_LARGE)
        else:
            self.queue.append((came_ns, self.sent_ns, data))

    def next_message(self) -> WsMessage:
        """Take the first of those that wait; there must be one."""
        message = self.queue.popleft()
        self._queued -= len(message[2])
        return message

    def _end_for_utf8(self) -> None:
        self.end(WsEnding(FailureKind.PROTOCOL, "a text is not UTF-8"), _NO_UTF8)

    # -- its end -----------------------------------------------------------------------------

    def end(self, ending: WsEnding, code: int = 0) -> None:
        """Be no longer open; with `code`, say so to the server, and hang up."""
        if self.ending is None:
            self.ending = ending
            self._parts = None
        transport = self.transport
        if transport is not None and not transport.is_disconnected:
            if code or not transport.is_close_frame_sent:
                transport.send_close(code or _reply_code(ending.status))
            if code:
                transport.disconnect(False)  # noqa: FBT003 - positional in picows
            else:
                transport.disconnect()
        self.wake()

    def wake(self) -> None:
        """Tell who waits that nothing will come any more."""
        if self.drained is not None and not self.drained.done():
            self.drained.set_result(None)
        self.drained = None
        if self.receiver is not None and self.ending is not None:
            self.receiver.lose(self.ending)

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        # picows keeps what it found wrong for whoever waits; unasked, asyncio would report it.
        asyncio.get_running_loop().create_task(self._find_out(transport))

    async def _find_out(self, transport: WSTransport) -> None:
        try:
            await transport.wait_disconnected()
            words, kind = "the connection ended without a close", FailureKind.RESET
            status = ABNORMAL
        except Exception as error:  # noqa: BLE001 - whatever picows' parser raises
            words, kind = f"the server broke the protocol: {error}", FailureKind.PROTOCOL
            status = 0
            if getattr(error, "code", 0) == _TOO_LARGE:
                words = f"a message has more than {self._max_size} bytes (`ws.max_size`)"
                kind = FailureKind.TOO_LARGE
        self.end(WsEnding(kind, words, status))
        self.transport = None  # which holds what holds this
        if self._lost is not None and not self._lost.done():
            self._lost.set_result(None)

    async def wait_lost(self) -> None:
        """Wait until the connection has ended on both sides."""
        if self.transport is not None and not self.transport.is_disconnected:
            self._lost = asyncio.get_running_loop().create_future()
            await self._lost

    def close(self, code: int = 1000, reason: bytes = b"") -> None:
        """Close it from here; the server is told, and not waited for."""
        self.ending = self.ending or WsEnding(FailureKind.CONNECT, "the connection is closed")
        self.is_told = True
        self.queue.clear()
        transport = self.transport
        if transport is not None and not transport.is_disconnected:
            transport.send_close(code, reason)

    def drop(self) -> None:
        """Hang up."""
        if self.transport is not None and not self.transport.is_disconnected:
            self.transport.disconnect(False)  # noqa: FBT003 - positional in picows

    # -- flow control ------------------------------------------------------------------------

    def pause_writing(self) -> None:
        self.drained = asyncio.get_running_loop().create_future()

    def resume_writing(self) -> None:
        if self.drained is not None and not self.drained.done():
            self.drained.set_result(None)
        self.drained = None


def _closed_by(payload: bytes) -> WsEnding:
    """Return the end that a close frame of the server makes."""
    code = int.from_bytes(payload[:2], "big") if payload else _NO_CODE
    reason = payload[2:].decode("utf-8", "replace")
    said = f"{code}, `{reason[:100]}`" if reason else str(code)
    kind = FailureKind.RESET if code in (*_NORMAL, _NO_CODE) else FailureKind.PROTOCOL
    return WsEnding(kind, f"the server closed the connection: {said}", code)


def _reply_code(code: int) -> int:
    """Return what a close is answered with: the same code, but for those that stand for none."""
    return code if code in _NORMAL or 3000 <= code <= 4999 else 1000


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True

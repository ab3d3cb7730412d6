"""One connection: writes a request, reads its reply, says how it ended.

State   | waiter  | reading | what arrives
--------|---------|---------|---------------------------------------------------------------
idle    | None    | None    | anything: the connection closes, its next use opens a new one
waiting | pending | None    | the head; a quick reply ends here, in one step
reading | pending | set     | the body
lost    | None    | None    | nothing; `is_usable` is False for ever

The waiter's result is a tuple when `reply` is filled in and nothing is left to do but to store the
cookies in it, a `ReplyHead` for a reply that needs a look (`take_body` has the rest), or a
`WireFault`.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Final

from planrunner.protocols.base import FailureKind, Reply
from planrunner.protocols.http.clients.fault import WireFault, map_loss
from planrunner.protocols.http.clients.heads.head import HEAD_END, ReplyHead, is_surplus
from planrunner.protocols.http.clients.heads.known import ReplyHeads
from planrunner.protocols.http.clients.http1.body import BodyReader, read_body
from planrunner.protocols.http.clients.http1.open_connection import (
    ConnectionOwner,
    ReplyLimits,
    ReplyOutcome,
    Waiter,
)
from planrunner.protocols.http.clients.recall import is_worth_a_glimpse
from planrunner.protocols.http.clients.streams.reading import GRACE_NS, StreamReading
from planrunner.protocols.http.url import Origin
from planrunner.units import NS_PER_S
from planrunner.wire_wait import MUCH, give_way

__all__ = ["WireConnection"]

WriteBytes = Callable[[bytes | memoryview], None]

ANY_HEAD_END: Final = re.compile(rb"\n\r?\n")
PIECE: Final = 256 * 1024
"""What a large request is cut into, each written when the one before has left."""


class WireConnection(asyncio.Protocol):
    """A connection that serves one request at a time.

    Attributes:
        waiter: Pending while a reply is awaited.
        awaits_head: Nothing of that reply has come yet, and it may have a body.
        wants_body: Keep the body of the reply that is awaited.
        is_bodiless: The reply to this request has no body whatever its head says (HEAD).
        is_last: The request that is under way asks for the end of the connection.
        is_usable: May take another request.
        opened_ns: When it was.
        used_ns: When the last reply on it ended; 0 when none has.
        interim: Bytes of interim replies to the request that is under way.
        broken: What came of a head that could not be read to its end.
        stream: Takes the reply that is awaited piece by piece; None where that is taken whole.
        shared: None: it is its session's own.
    """

    shared: Final = None

    __slots__ = (
        "awaits_head",
        "broken",
        "buffer",
        "drained",
        "head",
        "heads",
        "interim",
        "is_bodiless",
        "is_last",
        "is_paused",
        "is_usable",
        "limits",
        "now_ns",
        "opened_ns",
        "origin",
        "owner",
        "reading",
        "reply",
        "stream",
        "transport",
        "used_ns",
        "waiter",
        "wants_body",
        "write",
    )

    transport: asyncio.Transport
    write: WriteBytes

    def __init__(
        self,
        origin: Origin,
        reply: Reply,
        heads: ReplyHeads,
        limits: ReplyLimits,
        owner: ConnectionOwner,
    ) -> None:
        self.origin = origin
        self.reply = reply
        self.heads = heads
        self.limits = limits
        self.owner = owner
        self.now_ns = owner.now_ns
        self.waiter: Waiter | None = None
        self.drained: asyncio.Future[None] | None = None
        self.buffer = bytearray()
        self.head: ReplyHead | None = None
        self.reading: BodyReader | None = None
        self.stream: StreamReading | None = None
        self.broken = b""
        self.interim = 0
        self.awaits_head = self.wants_body = self.is_bodiless = False
        self.is_paused = self.is_last = False
        self.opened_ns = self.used_ns = 0
        self.is_usable = True

    # -- what a session does ---------------------------------------------------------------

    def expect(self, *, wants_body: bool, stream: StreamReading | None = None) -> Waiter:
        """Begin an exchange: the next bytes are its reply."""
        self.wants_body = wants_body
        self.stream = stream
        self.awaits_head = not (self.is_bodiless or self.is_last or stream)
        self.waiter = waiter = self.owner.wait
        waiter.begin()
        return waiter

    async def write_large(self, data: bytes) -> None:
        """Write piece by piece, no faster than the server takes it; stop when it has replied."""
        view = memoryview(data)
        write = self.write
        for start in range(0, len(data), PIECE):
            if not await self._push(view[start : start + PIECE], write):
                return
            write = self.transport.write

    async def write_upload(self, head: bytes, body: AsyncGenerator[bytes]) -> None:
        """Write like `write_large` what is read meanwhile.

        Raises:
            WireFault: It could not be read.
        """
        async with aclosing(body):
            going = await self._push(head, self.write)
            while going and (piece := await anext(body, None)) is not None:
                going = await self._push(piece, self.transport.write)

    async def _push(self, piece: bytes | memoryview, write: WriteBytes) -> bool:
        """Write one piece and wait until it has left; False when no more is wanted."""
        if self.waiter is None or not self.waiter.is_pending:
            # The reply is there already, and what was not sent will never be asked for.
            self.close()
            return False
        write(piece)
        self.reply.sent += len(piece)
        if self.is_paused:
            self.drained = asyncio.get_running_loop().create_future()
            await self.drained
        return True

    def write_whole_urls(self, credentials: bytes) -> None:
        """Write requests as a proxy takes them from now on: they come without their origin."""
        prefix, write = str(self.origin).encode("ascii"), self.transport.write

        def write_whole_url(data: bytes | memoryview) -> None:
            data = bytes(data)
            target, end = data.index(b" ") + 1, data.index(b"\r\n") + 2
            self.reply.sent += len(prefix) + len(credentials)
            write(data[:target] + prefix + data[target:end] + credentials + data[end:])

        self.write = write_whole_url

    def take_body(self) -> BodyReader | None:
        """Return the body of the reply that has just ended, and forget that reply."""
        head, reading = self.head, self.reading
        if head is not None and reading is not None and is_worth_a_glimpse(head.status):
            self.owner.glimpse = head.text, reading.beginning
        self.reading = self.head = None
        return reading

    def fail(self, fault: WireFault) -> None:
        """End the exchange under way with `fault`, and the connection with it."""
        if self.stream is not None and self.stream.is_over:
            self._leave()
            return
        self.is_usable = False
        self.transport.abort()
        self._finish(fault)

    def abort(self) -> None:
        """Close at once; what is under way stays unanswered."""
        self.is_usable = False
        self.waiter = None
        self.owner.forget(self)
        self.transport.abort()

    def close(self) -> None:
        self.is_usable = False
        self.owner.forget(self)
        self.transport.close()

    # -- what the event loop calls ---------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]  # a stream's is a Transport
        self.write = self.transport.write
        self.opened_ns = self.now_ns()

    def data_received(self, data: bytes) -> None:
        waiter = self.waiter
        if waiter is not None and self.awaits_head and waiter.is_pending:
            heads = self.heads
            head = heads.latest
            body = data.removeprefix(head.raw)
            if body is data:  # it begins with something else
                head = heads.of_reply(data)
                body = data[len(head.raw) :]
            if len(body) == head.quick:
                # As `_finish_quick`, inline. Calls through slots take two steps, here and in
                # `WireSession.send`: Python 3.11 specialises the load, but no call of a slot.
                now_ns = self.now_ns
                reply = self.reply
                self.used_ns = reply.first_byte_ns = reply.ended_ns = now_ns()
                if reply.head is not head.raw:
                    reply.head, reply.status, reply.received = head.raw, head.status, head.quick
                reply.body = body if self.wants_body else None
                self.waiter = None
                waiter.outcome = head.cookies
                waiter.is_pending = False
                resume = waiter.resume
                resume()
                return
        self._receive(data)

    def pause_writing(self) -> None:
        self.is_paused = True

    def resume_writing(self) -> None:
        self.is_paused = False
        self._wake_writer()

    def eof_received(self) -> None:
        """Return None: the transport closes, and `connection_lost` says the rest."""
        if self.waiter is None:
            # Until then a request could still be written into the void.
            self.owner.forget(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_usable = False
        if self.waiter is not None:
            head, reading = self.head, self.reading
            if self.stream is not None and self.stream.is_over:
                self._leave()
            elif exc is None and head is not None and reading is not None and reading.end():
                self._complete(head, reading)
            else:
                self._finish(self._loss(exc))
        self.owner.forget(self)

    # -- everything that is not a quick reply ----------------------------------------------

    def _receive(self, data: bytes) -> None:
        if self.waiter is None or not self.waiter.is_pending:
            # Over and still there: the end of a phase has cut the request whose reply this is.
            if self.waiter is None and self.is_usable and is_surplus(data):
                self.owner.note_surplus()
            self.abort()
            return
        if len(data) >= MUCH:
            give_way(self.transport)
        self.awaits_head = False
        if not self.reply.first_byte_ns:
            self.reply.first_byte_ns = self.now_ns()
        try:
            if self.head is None or self.reading is None:
                self._read_head(data)
            else:
                self._read_body(self.head, self.reading, data)
        except WireFault as fault:
            self.fail(fault)
        self.heads.learn()

    def _read_head(self, data: bytes) -> None:
        buffer = self.buffer
        end = data.find(HEAD_END) + len(HEAD_END)
        if not buffer and len(HEAD_END) <= end <= self.limits.max_head:
            head = self._parse_head(data[:end])
            if head.status >= 200:
                self._begin_body(head, data[end:])
                return
        self._collect_head(buffer, data)

    def _parse_head(self, raw: bytes) -> ReplyHead:
        try:
            return self.heads.parse(raw)
        except WireFault:
            self.broken = raw
            raise

    def _collect_head(self, buffer: bytearray, data: bytes) -> None:
        """Read a head that comes in pieces, behind interim replies, or with bare line feeds."""
        limit = self.limits.max_head
        seen = max(0, len(buffer) - len(HEAD_END))
        buffer += data
        # An end within the limit, so that a long head fails the same however it is cut. Interim
        # replies count with it: a server that sends them without end is not waited for.
        while end := ANY_HEAD_END.search(buffer, seen, max(0, limit - self.interim)):
            head = self._parse_head(bytes(buffer[: end.end()]))
            del buffer[: end.end()]
            if head.status >= 200:
                rest = bytes(buffer)
                buffer.clear()
                self._begin_body(head, rest)
                return
            self.interim += end.end()
            seen = 0
        if not b"HTTP/1.".startswith(buffer[:7]):
            raise WireFault(FailureKind.PROTOCOL, "the reply is not HTTP/1")
        if len(buffer) + self.interim >= limit:
            what = "head and the interim replies before it are" if self.interim else "head is"
            raise WireFault(FailureKind.TOO_LARGE, f"the reply's {what} larger than {limit} bytes")

    def _begin_body(self, head: ReplyHead, rest: bytes) -> None:
        stream = self.stream
        is_plain = self.waiter is not None and not (self.is_bodiless or self.is_last or stream)
        if head.quick == len(rest) and is_plain:
            self._finish_quick(head, rest if self.wants_body else None)
            return
        self.head = head  # known even if the body is refused
        kept = self.owner.kept if self.wants_body else None
        if self.is_bodiless:
            reading = BodyReader(0, limit=0, kept=kept)
        else:
            self.reply.is_dirty = self.reply.is_dirty or kept is not None
            sink = None
            if stream is not None and stream.takes(head.status):
                kept, sink = None, stream.feed
                self.reply.arrivals = stream.arrivals
                stream.begin(head.status, head.text, head.encoding)
            reading = read_body(head, limit=self.limits.max_body, kept=kept, sink=sink)
        reading.is_glimpsed = not self.wants_body and is_worth_a_glimpse(head.status)
        self.reading = reading
        if rest or reading.is_complete:
            self._read_body(head, reading, rest)

    def _read_body(self, head: ReplyHead, reading: BodyReader, data: bytes) -> None:
        if data:
            reading.feed(data)
        if reading.is_complete:
            self._complete(head, reading)
        elif self.stream is not None and self.stream.is_over:
            # The server ends it now, most likely; if it doesn't, the connection is given up.
            asyncio.get_running_loop().call_later(GRACE_NS / NS_PER_S, self._leave_to, reading)

    def _leave_to(self, reading: BodyReader) -> None:
        """End the exchange whose body this is, unless it has ended."""
        if reading is self.reading and self.waiter is not None:
            self._leave()

    def _leave(self) -> None:
        """End the exchange, of whose reply the plan has seen enough, and the connection with it."""
        self.is_usable = False
        if self.head is not None and self.reading is not None:
            self._complete(self.head, self.reading)

    def _complete(self, head: ReplyHead, reading: BodyReader) -> None:
        """End the exchange: a whole reply is here."""
        keeps = head.keeps_alive and reading.is_framed and not (self.is_last or reading.has_extra)
        self.is_usable = self.is_usable and keeps
        if reading.has_surplus:
            self.owner.note_surplus()
        if head.needs_look or self.stream or (head.encoding and self.wants_body):
            self._finish(head)
            return
        reply = self.reply
        reply.status = head.status
        reply.received = reading.received
        reply.head = head.text
        reply.body = reading.content()
        self.take_body()
        self._finish(())

    def _finish_quick(self, head: ReplyHead, body: bytes | None) -> None:
        reply = self.reply
        self.used_ns = reply.ended_ns = self.now_ns()
        reply.status = head.status
        reply.received = head.quick
        reply.head = head.raw
        reply.body = body
        waiter, self.waiter = self.waiter, None
        assert waiter is not None  # a reply is awaited
        waiter.end(head.cookies)

    def _finish(self, outcome: ReplyOutcome) -> None:
        """Hand over the outcome; what was read stays until `take_body`."""
        self.used_ns = self.reply.ended_ns = self.now_ns()
        waiter, self.waiter = self.waiter, None
        self.stream = None
        if not self.is_usable:
            self.close()
        self.broken = self.broken or bytes(self.buffer)
        self.interim = 0
        self.buffer.clear()
        self._wake_writer()
        if waiter is not None and waiter.is_pending:
            waiter.end(outcome)

    def _loss(self, exc: Exception | None) -> WireFault:
        if self.reading is not None:
            when = f"after {self.reading.received} bytes of the reply's body"
        elif self.buffer:
            when = "in the middle of the reply's head"
        else:
            when = "before it replied"
        is_stale = self.used_ns > 0 and not self.reply.first_byte_ns
        return map_loss(exc, when, is_stale=is_stale)

    def _wake_writer(self) -> None:
        if self.drained is not None and not self.drained.done():
            self.drained.set_result(None)

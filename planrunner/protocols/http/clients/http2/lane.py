"""A lane's place on an HTTP/2 connection: one request at a time, each on a stream of its own.

To what sends requests it is what `WireConnection` is, and takes the same bytes: rendering,
cookies, redirects, second tries, decoding and deadlines know no version.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from functools import partial

from planrunner.protocols.base import FailureKind, Reply
from planrunner.protocols.http.clients.fault import WireFault, map_loss
from planrunner.protocols.http.clients.heads.head import ReplyHead
from planrunner.protocols.http.clients.http1.body import BodyReader, read_body
from planrunner.protocols.http.clients.http1.open_connection import (
    ConnectionOwner,
    ReplyOutcome,
    Waiter,
)
from planrunner.protocols.http.clients.http2 import frames
from planrunner.protocols.http.clients.http2.carrier import Carrier
from planrunner.protocols.http.clients.http2.frames import BrokenStream, ErrorCode, frame
from planrunner.protocols.http.clients.http2.heads import Fields, check_trailers
from planrunner.protocols.http.clients.recall import is_worth_a_glimpse
from planrunner.protocols.http.clients.streams.reading import StreamReading
from planrunner.protocols.http.operation import HTTP2

__all__ = ["Http2Lane"]


class Http2Lane:
    """What `WireConnection` is to one session, on a connection that others share.

    Attributes:
        number: Of the open stream; 0 while there is none.
        window: What the server takes of its request's body now.
        waiter: Pending while a reply is awaited.
        wants_body: Keep the body of the reply that is awaited.
        is_bodiless: The reply to this request has no body whatever its head says (HEAD).
        is_last: The connection takes no further request.
        head: Of the reply under way; `reading` its body, unless that is quick.
        broken: Nothing: a head that can't be read says no status here.
        awaits_head: For the hot path, which sets it.
        stream: Takes the reply that is awaited piece by piece; None where that is taken whole.
    """

    __slots__ = (
        "_credit",
        "_drained",
        "_ends_with_rest",
        "_heard",
        "_interim",
        "_is_sending",
        "_rest",
        "awaits_head",
        "broken",
        "connection",
        "head",
        "is_bodiless",
        "is_last",
        "number",
        "origin",
        "owner",
        "reading",
        "reply",
        "stream",
        "waiter",
        "wants_body",
        "window",
    )

    def __init__(self, connection: Carrier, owner: ConnectionOwner, reply: Reply) -> None:
        self.connection = connection
        self.origin = connection.origin
        self.owner = owner
        self.reply = reply
        self.waiter: Waiter | None = None
        self.head: ReplyHead | None = None
        self.reading: BodyReader | None = None
        self.stream: StreamReading | None = None
        self.number = self.window = self._heard = self._interim = 0
        self._credit = frames.OUR_WINDOW
        self._rest: bytes | memoryview = b""
        self._drained: asyncio.Future[None] | None = None
        self._is_sending = self._ends_with_rest = False
        self.awaits_head = self.wants_body = self.is_bodiless = self.is_last = False
        self.broken = b""

    # -- what a session does ---------------------------------------------------------------

    @property
    def shared(self) -> Carrier:
        """What it is a place on."""
        return self.connection

    @property
    def is_usable(self) -> bool:
        """May take another request."""
        return self.connection.is_usable

    @property
    def opened_ns(self) -> int:
        """When its connection was."""
        return self.connection.opened_ns

    @property
    def used_ns(self) -> int:
        """When the last reply on its connection ended; 0 when none has."""
        return self.connection.used_ns

    def expect(self, *, wants_body: bool, stream: StreamReading | None = None) -> Waiter:
        """Begin an exchange: the next stream of the connection has its reply."""
        self.wants_body = wants_body
        self.stream = stream
        self.waiter = waiter = self.owner.wait
        waiter.begin()
        return waiter

    def write(self, data: bytes) -> None:
        """Send a whole request; what the server doesn't take yet follows when it does."""
        self._prepare()
        self.reply.sent -= len(data)  # frames are what is sent
        connection = self.connection
        if connection.is_usable and connection.has_room:
            self._begin(data)
        else:
            connection.when_there_is_room(self, partial(self._begin, data))

    async def write_large(self, data: bytes) -> None:
        """Send piece by piece, no faster than the server takes it; stop when it has replied."""
        start = data.index(b"\r\n\r\n") + 4
        await self._begin_slowly(data[:start])
        await self._push(memoryview(data)[start:])
        self._end_body()

    async def write_upload(self, head: bytes, body: AsyncGenerator[bytes]) -> None:
        """Send like `write_large` what is read meanwhile.

        Raises:
            WireFault: It could not be read.
        """
        async with aclosing(body):
            await self._begin_slowly(head)
            while self._is_sending and (piece := await anext(body, None)) is not None:
                await self._push(piece)
        self._end_body()

    def take_body(self) -> BodyReader | None:
        """Return the body of the reply that has just ended, and forget that reply."""
        head, reading = self.head, self.reading
        if head is not None and reading is not None and is_worth_a_glimpse(head.status):
            self.owner.glimpse = head.text, reading.beginning
        self.reading = self.head = None
        return reading

    def fail(self, fault: WireFault) -> None:
        """End the exchange under way with `fault`; the connection stays if it is alive."""
        is_silent = self.connection.heard == self._heard
        self.finish(fault, ErrorCode.CANCEL)
        if is_silent:
            self.connection.retire()

    def break_off(self, fault: BrokenStream | WireFault) -> None:
        """End the exchange under way with what the server did wrong."""
        if isinstance(fault, WireFault):
            self.fail(fault)
            return
        words = f"the server broke HTTP/2: {fault.detail}"
        self.finish(WireFault(FailureKind.PROTOCOL, words), fault.code)

    def abort(self) -> None:
        """Let go of what is under way; it stays unanswered."""
        self.waiter = None
        self.finish((), ErrorCode.CANCEL)
        self.reading = self.head = None

    def close(self) -> None:
        """Leave, and let the connection take no more requests."""
        self.connection.retire()

    # -- what the connection calls ---------------------------------------------------------

    def take_head(self, fields: Fields, *, ends: bool) -> None:
        """Take a head: of an interim reply, of the reply, or of what follows its body.

        Raises:
            BrokenStream: It is malformed, or doesn't belong there.
            WireFault: What it says can't be.
        """
        if self.head is not None:
            if not ends:
                raise BrokenStream("a second head within a reply")
            check_trailers(fields)
            self._end()
            return
        connection, reply = self.connection, self.reply
        if not reply.first_byte_ns:
            reply.first_byte_ns = connection.now_ns()
        head = connection.heads.of_reply(fields)
        if head.status < 200:
            self._take_interim(head, ends=ends)
            return
        self.head = head
        if ends:
            self._end()
        elif head.quick < 0 or self.is_bodiless or self.stream is not None:
            self._read(head)

    def take_data(self, data: bytes, size: int, *, ends: bool) -> None:
        """Take a piece of the body; `size` with its padding.

        Raises:
            BrokenStream: There should be none, or less.
            WireFault: More than may be kept comes.
        """
        head = self.head
        if head is None:
            raise BrokenStream("a body before its head")
        reading = self.reading
        if reading is None:
            if ends and head.quick == len(data) and self.stream is None:
                self._finish_quick(head, data if self.wants_body else None)
                return
            reading = self._read(head)
        if data:
            reading.feed(data)
        if reading.has_extra:
            raise BrokenStream("more bytes than the reply's head announces")
        if ends:
            self._end()
        elif self.stream is not None and self.stream.is_over:
            self._complete(head, reading, ErrorCode.CANCEL)  # the plan has seen enough
        else:
            self._count(size)

    def _count(self, size: int) -> None:
        """Count what the server has used of the stream's window, and open it again."""
        self._credit -= size
        if self._credit < 0:
            words = "more bytes than the stream's window allows"
            raise BrokenStream(words, ErrorCode.FLOW_CONTROL_ERROR)
        if self._credit < frames.OUR_WINDOW // 2:
            more = frames.window_frame(self.number, frames.OUR_WINDOW - self._credit)
            self.connection.transport.write(more)
            self._credit = frames.OUR_WINDOW

    def take_reset(self, code: int) -> None:
        """End the exchange: the server gives the stream up."""
        name = frames.error_words(code)
        if code == ErrorCode.REFUSED_STREAM:
            words = "the server refused the stream before it took the request"
            fault = WireFault(FailureKind.RESET, words, is_stale=True, is_refused=True)
        elif code == ErrorCode.NO_ERROR:
            fault = WireFault(FailureKind.RESET, f"the server ended the stream {self._when()}")
        else:
            words = f"the server reset the stream {self._when()}: {name}"
            fault = WireFault(FailureKind.PROTOCOL, words)
        self.finish(fault)

    def loss(self, exc: Exception | None, farewell: str) -> WireFault:
        """Return what the end of the connection means to the exchange under way."""
        is_stale = self.number > 1 and not self.reply.first_byte_ns
        when = f"{self._when()} ({farewell})" if farewell else self._when()
        return map_loss(exc, when, is_stale=is_stale)

    def wake(self) -> None:
        """Go on sending: there may be room."""
        if self._rest and self._ends_with_rest:
            self.connection.transport.write(self._frames_of_rest())
        if self._drained is not None and not self._drained.done():
            self._drained.set_result(None)

    def finish(self, outcome: ReplyOutcome, code: ErrorCode | None = None) -> None:
        """Hand over the outcome; what was read stays until `take_body`."""
        connection, waiter = self.connection, self.waiter
        self.reply.ended_ns = connection.now_ns()
        self.waiter = self.stream = None
        if self._is_sending:
            # The reply is there already, and what was not sent will never be asked for.
            self._is_sending = False
            code = code or ErrorCode.NO_ERROR
        self._rest = b""
        connection.release(self, code)
        if self.is_last:
            connection.retire()
        if self._drained is not None and not self._drained.done():
            self._drained.set_result(None)
        if waiter is not None and waiter.is_pending:
            waiter.end_soon(outcome)  # what was read with it is not taken yet

    # -- sending ---------------------------------------------------------------------------

    def _prepare(self) -> None:
        self.reply.is_dirty = True
        self.reply.spoken = HTTP2
        self._heard = self.connection.heard
        self._interim = 0
        self._credit = frames.OUR_WINDOW

    def _begin(self, data: bytes) -> None:
        connection = self.connection
        fields, start = connection.heads.of_request(data)
        ends = start == len(data)
        out = connection.open_stream(self, fields, ends=ends)
        self.reply.sent += len(out)
        if not ends:
            self._rest = data[start:]
            self._is_sending = self._ends_with_rest = True
            out += self._frames_of_rest()
        connection.transport.write(out)

    async def _begin_slowly(self, head: bytes) -> None:
        self._prepare()
        begun = asyncio.get_running_loop().create_future()
        self._drained = begun
        connection = self.connection

        def begin() -> None:
            fields, _ = connection.heads.of_request(head)
            out = connection.open_stream(self, fields, ends=False)
            self._is_sending = True
            self.reply.sent += len(out)
            connection.transport.write(out)
            if not begun.done():
                begun.set_result(None)

        connection.when_there_is_room(self, begin)
        await begun

    async def _push(self, piece: bytes | memoryview) -> None:
        """Send a piece of the body when the server takes it; nothing once it has replied."""
        self._rest, self._ends_with_rest = piece, False
        while self._is_sending:
            out = self._frames_of_rest()
            if out:
                self.connection.transport.write(out)
            if not self._rest and not self.connection.is_paused:
                return
            self._drained = asyncio.get_running_loop().create_future()
            await self._drained

    def _end_body(self) -> None:
        if self._is_sending:
            self._is_sending = False
            out = frame(frames.DATA, frames.END_STREAM, self.number)
            self.reply.sent += len(out)
            self.connection.transport.write(out)

    def _frames_of_rest(self) -> bytes:
        """Return as much of the body as the server takes now."""
        connection, rest, out = self.connection, self._rest, []
        while rest and (size := min(len(rest), self.window, connection.window)) > 0:
            size = min(size, connection.max_frame)
            piece, rest = bytes(rest[:size]), rest[size:]
            self.window -= size
            connection.window -= size
            connection.is_moving = True
            is_last = self._ends_with_rest and not rest
            self._is_sending = not is_last
            flags = frames.END_STREAM if is_last else 0
            out.append(frame(frames.DATA, flags, self.number, piece))
        self._rest = rest
        data = b"".join(out)
        self.reply.sent += len(data)
        return data

    # -- reading ---------------------------------------------------------------------------

    def _take_interim(self, head: ReplyHead, *, ends: bool) -> None:
        if ends:
            raise BrokenStream("an interim reply that ends the stream")
        self._interim += len(head.raw)
        limit = self.connection.limits.max_head
        if self._interim > limit:
            # A server that sends them without end is not waited for.
            words = f"the interim replies are larger than {limit} bytes"
            raise WireFault(FailureKind.TOO_LARGE, words)

    def _read(self, head: ReplyHead) -> BodyReader:
        kept = self.owner.kept if self.wants_body else None
        if self.is_bodiless:
            reading = BodyReader(0, limit=0, kept=kept)
        else:
            sink, stream = None, self.stream
            if stream is not None and stream.takes(head.status):
                kept, sink = None, stream.feed
                self.reply.arrivals = stream.arrivals
                stream.begin(head.status, head.text, head.encoding)
            limit = self.connection.limits.max_body
            reading = read_body(head, limit=limit, kept=kept, sink=sink)
        reading.is_glimpsed = not self.wants_body and is_worth_a_glimpse(head.status)
        self.reading = reading
        return reading

    def _end(self) -> None:
        """End the exchange: all of the stream is here."""
        head = self.head
        assert head is not None  # a stream doesn't end before it
        reading = self.reading or self._read(head)
        if not (reading.is_complete or reading.end()):
            words = f"the server ended the stream {self._when()}"
            raise WireFault(FailureKind.RESET, words)
        self._complete(head, reading)

    def _complete(
        self, head: ReplyHead, reading: BodyReader, code: ErrorCode | None = None
    ) -> None:
        """End the exchange: as much of a reply is here as is wanted."""
        self.connection.used_ns = self.connection.now_ns()
        if head.needs_look or self.stream or (head.encoding and self.wants_body):
            self.finish(head, code)
            return
        reply = self.reply
        reply.status = head.status
        reply.received = reading.received
        reply.head = head.text
        reply.body = reading.content()
        self.take_body()
        self.finish(())

    def _finish_quick(self, head: ReplyHead, body: bytes | None) -> None:
        reply = self.reply
        reply.status = head.status
        reply.received = head.quick
        reply.head = head.text
        reply.body = body
        self.head = None
        self.finish(head.cookies)
        self.connection.used_ns = reply.ended_ns

    def _when(self) -> str:
        if self.reading is not None:
            return f"after {self.reading.received} bytes of the reply's body"
        return "before it replied" if self.head is None else "after the reply's head"

"""One HTTP/2 connection: its frames, and what holds for all of its streams (RFC 9113).

What breaks the connection ends all that is under way on it; what breaks a stream ends one request.
A connection that is over for new requests (GOAWAY, its age, a farewell of ours) sees those under
way through and closes behind the last one; the next request opens another.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final

from planrunner.protocols.base import FailureKind, Reply
from planrunner.protocols.http.clients.fault import WireFault
from planrunner.protocols.http.clients.http1.open_connection import ConnectionOwner, ReplyLimits
from planrunner.protocols.http.clients.http2 import frames
from planrunner.protocols.http.clients.http2.blocks import FinishedBlocks, HeadBlocks
from planrunner.protocols.http.clients.http2.frames import (
    BrokenConnection,
    BrokenStream,
    ErrorCode,
    Setting,
    frame,
)
from planrunner.protocols.http.clients.http2.heads import Fields, Http2Heads
from planrunner.protocols.http.clients.http2.lane import Http2Lane
from planrunner.protocols.http.url import Origin
from planrunner.wire_wait import MUCH, give_way

__all__ = ["Http2Connection"]

WINDOW: Final = 16 * 1024 * 1024
MOST_UNREAD: Final = 1024 * 1024
"""Answers to PING and SETTINGS that a server hasn't read: with more it only floods us."""

MOST_IDLE: Final = 256 * 1024
"""Bytes of frames that bring no request further; a ping of 17 every 10 s takes days."""

MOST_CANCELLED: Final = 1_000

TakeFrame = Callable[[int, int, bytes], None]


class Http2Connection(asyncio.Protocol):
    """A connection whose streams are the requests of one user's lanes.

    Attributes:
        at_work: The lanes with an open stream, by its number.
        lanes: All that may open one.
        is_usable: May take another request.
        max_streams: As many may be open at once.
        max_frame: The longest frame that the server takes.
        window: What the server takes now of all bodies together; `first_window` of a new stream's.
        opened_ns: When it was.
        used_ns: When the last reply on it ended; 0 when none has.
        heard: How often something came.
        is_moving: A request or a reply has gone on since something came before.
    """

    __slots__ = (
        "_blocks",
        "_buffer",
        "_cancelled",
        "_credit",
        "_farewell",
        "_frames",
        "_has_settings",
        "_heads",
        "_idle",
        "_is_over",
        "_waiting",
        "at_work",
        "first_window",
        "heads",
        "heard",
        "is_moving",
        "is_paused",
        "is_usable",
        "lanes",
        "limits",
        "max_frame",
        "max_streams",
        "next_stream",
        "now_ns",
        "opened_ns",
        "origin",
        "transport",
        "used_ns",
        "window",
    )

    transport: asyncio.Transport

    def __init__(
        self, origin: Origin, heads: Http2Heads, limits: ReplyLimits, now_ns: Callable[[], int]
    ) -> None:
        self.origin = origin
        self.heads = heads
        self.limits = limits
        self.now_ns = now_ns
        self.at_work: dict[int, Http2Lane] = {}
        self.lanes: set[Http2Lane] = set()
        self.is_usable, self.is_paused = True, False
        self.next_stream = 1
        self.max_streams, self.max_frame = frames.LARGEST_WINDOW, frames.SMALLEST_FRAME
        self.window = self.first_window = frames.START_WINDOW
        self.opened_ns = self.used_ns = self.heard = self._idle = 0
        self.is_moving = False
        self._credit = WINDOW
        self._blocks = FinishedBlocks()
        self._heads = HeadBlocks(limits.max_head)
        self._waiting: deque[tuple[Http2Lane, Callable[[], None]]] = deque()
        self._cancelled: dict[int, None] = {}
        self._buffer = b""
        self._farewell = ""
        self._has_settings = self._is_over = False
        self._frames: dict[int, TakeFrame] = {
            frames.DATA: self._take_data,
            frames.HEADERS: self._take_headers,
            frames.PRIORITY: self._take_priority,
            frames.RST_STREAM: self._take_reset,
            frames.SETTINGS: self._take_settings,
            frames.PUSH_PROMISE: frames.refuse_push,
            frames.PING: self._take_ping,
            frames.GOAWAY: self._take_goaway,
            frames.WINDOW_UPDATE: self._take_window,
            frames.CONTINUATION: self._take_continuation,
        }

    # -- what lanes do ---------------------------------------------------------------------

    def lane(self, owner: ConnectionOwner, reply: Reply) -> Http2Lane:
        """Return one more place for requests, one at a time."""
        lane = Http2Lane(self, owner, reply)
        self.lanes.add(lane)
        return lane

    @property
    def places(self) -> int:
        return len(self.lanes)

    @property
    def has_room(self) -> bool:
        return len(self.at_work) < self.max_streams

    def when_there_is_room(self, lane: Http2Lane, begin: Callable[[], None]) -> None:
        """Call `begin` once the server takes another stream."""
        if not self.is_usable:
            lane.finish(self._gone("the connection was closing"))
        elif self.has_room:
            begin()
        else:
            self._waiting.append((lane, begin))

    def open_stream(self, lane: Http2Lane, fields: Fields, *, ends: bool) -> bytes:
        """Give a lane its next stream; returns the frames that begin it."""
        number = lane.number = self.next_stream
        self.next_stream += 2
        if number > frames.STREAM_ID - 4:
            self.retire()
        self.at_work[number] = lane
        lane.window = self.first_window
        block = self._blocks.compress(fields)
        flags = frames.END_HEADERS | (frames.END_STREAM if ends else 0)
        if len(block) <= self.max_frame:
            return frame(frames.HEADERS, flags, number, block)
        return b"".join(frames.cut_head(block, flags, number, self.max_frame))

    def release(self, lane: Http2Lane, code: ErrorCode | None) -> None:
        """End a lane's stream; `code` tells the server so, where it would go on."""
        number, lane.number = lane.number, 0
        if number:
            del self.at_work[number]
            if code is not None and not self._is_over:
                self._cancel(number, code)
        elif self._waiting:
            self._waiting = deque(entry for entry in self._waiting if entry[0] is not lane)
        while self._waiting and self.has_room and self.is_usable:
            _, begin = self._waiting.popleft()
            begin()
        if not self.is_usable:
            self._close_behind_the_last()

    def retire(self) -> None:
        """Take no more requests; close when those under way have ended."""
        self.is_usable = False
        for lane in list(self.lanes):
            lane.owner.forget(lane)
        waiting, self._waiting = self._waiting, deque()
        for lane, _ in waiting:
            lane.finish(self._gone("the connection was closing"))
        self._close_behind_the_last()

    # -- what the event loop calls ---------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]  # a stream's is a Transport
        self.opened_ns = self.now_ns()
        settings = {
            Setting.ENABLE_PUSH: 0,
            Setting.INITIAL_WINDOW_SIZE: frames.OUR_WINDOW,
            Setting.MAX_HEADER_LIST_SIZE: self.limits.max_head,
        }
        more = frames.window_frame(0, WINDOW - frames.START_WINDOW)
        self.transport.write(frames.PREFACE + frames.settings_frame(settings) + more)

    def data_received(self, data: bytes) -> None:  # noqa: C901, PLR0912, PLR0915 - calls cost more
        if self._is_over:
            return
        self.heard += 1
        if len(data) >= MUCH:
            give_way(self.transport)
        if self._buffer:
            data, self._buffer = self._buffer + data, b""
        unpack, take = frames.FRAME_HEAD.unpack_from, self._frames
        at, end = 0, len(data)
        try:
            while end - at >= 9:
                high, low, kind, flags, stream = unpack(data, at)
                size = high << 8 | low
                if size > frames.SMALLEST_FRAME:
                    raise frames.too_long(data, size, is_first=not self._has_settings)
                stop = at + 9 + size
                if stop > end:
                    break
                if self._heads.begun is not None:
                    self._heads.check(kind, stream & frames.STREAM_ID)
                elif not self._has_settings:
                    frames.check_first(kind, flags)
                if kind in take:  # others are ignored (§5.5)
                    take[kind](flags, stream & frames.STREAM_ID, data[at + 9 : stop])
                at = stop
            self._idle = 0 if self.is_moving else self._idle + at
            self.is_moving = False
            if self._idle > MOST_IDLE:
                raise BrokenConnection(ErrorCode.ENHANCE_YOUR_CALM, "frames without end")
        except BrokenConnection as fault:
            self._break(fault)
            return
        if at < end:
            self._buffer = data[at:]

    def pause_writing(self) -> None:
        self.is_paused = True

    def resume_writing(self) -> None:
        self.is_paused = False
        self._wake_senders()

    def connection_lost(self, exc: Exception | None) -> None:
        self._is_over = True
        self._end(lambda lane: lane.loss(exc, self._farewell))

    # -- frames of a stream ----------------------------------------------------------------

    def _take_data(self, flags: int, stream: int, payload: bytes) -> None:
        lane = self.at_work.get(stream)
        if lane is None:
            self._check_cancelled(stream, flags)
        size = len(payload)
        self._credit -= size
        if self._credit < 0:
            words = "more bytes than the connection's window allows"
            raise BrokenConnection(ErrorCode.FLOW_CONTROL_ERROR, words)
        if self._credit < WINDOW // 2:
            self._answer(frames.window_frame(0, WINDOW - self._credit))
            self._credit = WINDOW
        if flags & frames.PADDED:
            payload = frames.unpadded(flags & frames.PADDED, payload)
        if lane is not None:
            self.is_moving = self.is_moving or size > 0
            try:
                lane.take_data(payload, size, ends=bool(flags & frames.END_STREAM))
            except (BrokenStream, WireFault) as fault:
                lane.break_off(fault)

    def _take_headers(self, flags: int, stream: int, payload: bytes) -> None:
        if stream not in self.at_work:
            self._check_cancelled(stream, flags)
        if flags & (frames.PADDED | frames.PRIORITY_FLAG):
            payload = frames.unpadded(flags, payload)
        if flags & frames.END_HEADERS:
            self._take_block(flags, stream, payload)
        else:
            self._heads.begin(flags, stream, payload)

    def _take_continuation(self, flags: int, stream: int, payload: bytes) -> None:
        begun, block = self._heads.go_on(payload)
        if flags & frames.END_HEADERS:
            self._take_block(begun, stream, block)

    def _take_block(self, flags: int, stream: int, block: bytes) -> None:
        """Take a whole head, of a stream that was cancelled too: the table of fields is shared."""
        fields = self._heads.read(block)
        self.is_moving = True
        lane = self.at_work.get(stream)
        if lane is not None:
            try:
                lane.take_head(fields, ends=bool(flags & frames.END_STREAM))
            except (BrokenStream, WireFault) as fault:
                lane.break_off(fault)

    def _take_reset(self, flags: int, stream: int, payload: bytes) -> None:
        del flags
        lane = self.at_work.get(stream)
        if lane is None:
            frames.check_opened(stream, self.next_stream)
        code = frames.read_number(payload, "RST_STREAM")
        if lane is not None:
            lane.take_reset(code)

    def _take_priority(self, flags: int, stream: int, payload: bytes) -> None:
        del flags
        if not stream:
            words = "PRIORITY of no stream"
            raise BrokenConnection(ErrorCode.PROTOCOL_ERROR, words)
        if len(payload) != 5 and (lane := self.at_work.get(stream)) is not None:
            lane.break_off(BrokenStream("PRIORITY of a wrong length", ErrorCode.FRAME_SIZE_ERROR))

    def _check_cancelled(self, stream: int, flags: int) -> None:
        """Look at a piece of a reply that nobody waits for.

        Raises:
            BrokenConnection: It isn't one that we have cancelled.
        """
        frames.check_opened(stream, self.next_stream)
        if stream not in self._cancelled:
            words = f"a frame of stream {stream}, which it had ended"
            raise BrokenConnection(ErrorCode.STREAM_CLOSED, words)
        if flags & frames.END_STREAM:
            del self._cancelled[stream]

    # -- frames of the connection ----------------------------------------------------------

    def _take_settings(self, flags: int, stream: int, payload: bytes) -> None:
        frames.check_no_stream(stream, "SETTINGS")
        if flags & frames.ACK:
            if payload:
                words = "an acknowledgement of SETTINGS with a payload"
                raise BrokenConnection(ErrorCode.FRAME_SIZE_ERROR, words)
            return
        self._has_settings = True
        for key, value in frames.read_settings(payload):
            self._set(key, value)
        self._answer(frame(frames.SETTINGS, frames.ACK, 0))

    def _set(self, key: int, value: int) -> None:
        if key == Setting.HEADER_TABLE_SIZE:
            self._blocks.resize(value)
        elif key == Setting.MAX_CONCURRENT_STREAMS:
            self.max_streams = value
            while self._waiting and self.has_room and self.is_usable:
                _, begin = self._waiting.popleft()
                begin()
        elif key == Setting.MAX_FRAME_SIZE:
            self.max_frame = value
        elif key == Setting.INITIAL_WINDOW_SIZE:
            more, self.first_window = value - self.first_window, value
            for lane in self.at_work.values():
                lane.window += more
                if lane.window > frames.LARGEST_WINDOW:
                    words = "a window of more than 2**31-1 bytes"
                    raise BrokenConnection(ErrorCode.FLOW_CONTROL_ERROR, words)
            self._wake_senders()

    def _take_ping(self, flags: int, stream: int, payload: bytes) -> None:
        frames.check_no_stream(stream, "PING")
        frames.check_size(payload, "PING", most=8)
        if not flags & frames.ACK:
            self._answer(frame(frames.PING, frames.ACK, 0, payload))

    def _take_goaway(self, flags: int, stream: int, payload: bytes) -> None:
        del flags
        frames.check_no_stream(stream, "GOAWAY")
        frames.check_size(payload, "GOAWAY")
        last = int.from_bytes(payload[:4], "big") & frames.STREAM_ID
        self._farewell = f"GOAWAY {frames.error_words(int.from_bytes(payload[4:8], 'big'))}"
        for number in [number for number in self.at_work if number > last]:
            if (lane := self.at_work.get(number)) is not None:
                lane.finish(self._gone(f"the server ended the connection ({self._farewell})"))
        self.retire()

    def _take_window(self, flags: int, stream: int, payload: bytes) -> None:
        del flags
        more = frames.read_number(payload, "WINDOW_UPDATE") & frames.LARGEST_WINDOW
        if not stream:
            self.window += more
            if not more or self.window > frames.LARGEST_WINDOW:
                raise BrokenConnection(*frames.wrong_window(more))
            self._wake_senders()
            return
        lane = self.at_work.get(stream)
        if lane is not None:
            lane.window += more
            if not more or lane.window > frames.LARGEST_WINDOW:
                code, words = frames.wrong_window(more)
                lane.break_off(BrokenStream(words, code))
            else:
                lane.wake()
        else:
            frames.check_opened(stream, self.next_stream)

    # -- ends ------------------------------------------------------------------------------

    def _gone(self, why: str) -> WireFault:
        words = f"{why} before it took the request"
        return WireFault(FailureKind.RESET, words, is_stale=True, is_refused=True)

    def _answer(self, data: bytes) -> None:
        if self.transport.get_write_buffer_size() > MOST_UNREAD:
            words = "frames without end, and takes no answers"
            raise BrokenConnection(ErrorCode.ENHANCE_YOUR_CALM, words)
        self.transport.write(data)

    def _cancel(self, stream: int, code: ErrorCode) -> None:
        if len(self._cancelled) >= MOST_CANCELLED:
            del self._cancelled[next(iter(self._cancelled))]
        self._cancelled[stream] = None
        self.transport.write(frames.reset_frame(stream, code))

    def _break(self, fault: BrokenConnection) -> None:
        """End the connection, and all requests on it with what the server did."""
        self.transport.write(frames.goaway_frame(fault.code))
        is_flooded = self.transport.get_write_buffer_size() > MOST_UNREAD
        self.transport.abort() if is_flooded else self.transport.close()
        self._is_over = True
        if fault.is_too_large:
            kind, words = FailureKind.TOO_LARGE, fault.detail
        else:
            kind, words = FailureKind.PROTOCOL, f"the server broke HTTP/2: it sent {fault.detail}"
        self._end(lambda _: WireFault(kind, words))

    def _end(self, fault_of: Callable[[Http2Lane], WireFault]) -> None:
        self.is_usable = False
        waiting, self._waiting = self._waiting, deque()
        for lane in [*self.at_work.values(), *(lane for lane, _ in waiting)]:
            lane.finish(fault_of(lane))
        self.retire()

    def _close_behind_the_last(self) -> None:
        if not self.at_work and not self._is_over:
            self._is_over = True
            self.transport.write(frames.goaway_frame(ErrorCode.NO_ERROR))
            self.transport.close()

    def _wake_senders(self) -> None:
        for lane in list(self.at_work.values()):
            lane.wake()

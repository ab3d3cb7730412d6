"""Reply bodies: three ways to end, one way to be fed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import httptools

from planrunner.protocols.base import FailureKind
from planrunner.protocols.http.clients.fault import WireFault
from planrunner.protocols.http.clients.heads.head import UNTIL_CLOSE, ReplyHead, is_surplus
from planrunner.protocols.http.clients.kept_bodies import KeptBodies
from planrunner.protocols.http.clients.recall import GLIMPSE

__all__ = ["BodyReader", "ChunkedBody", "read_body"]

CHUNKED_HEAD: Final = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


_MOST_PIECES: Final = 1_000


class BodyReader:
    """Counts a body's bytes, keeps them when asked to, and knows when it is complete.

    Attributes:
        received: Bytes of the body so far, without chunk framing.
        has_extra: Bytes came after the end: the connection cannot be trusted any more.
        has_surplus: They are another reply.
        is_glimpsed: Keep the beginning although nothing reads it.
        beginning: What was kept then.
        limit: Of bytes kept; a body that nothing reads is counted and let go, however long.
        kept: Where those that are kept count; None keeps none.
        sink: Takes them as they come; None where nothing does.
    """

    __slots__ = (
        "beginning",
        "has_extra",
        "has_surplus",
        "is_complete",
        "is_glimpsed",
        "kept",
        "length",
        "limit",
        "pieces",
        "received",
        "sink",
    )

    def __init__(
        self,
        length: int,
        *,
        limit: int,
        kept: KeptBodies | None = None,
        sink: Callable[[bytes], None] | None = None,
    ) -> None:
        self.length = length
        self.received = 0
        self.is_complete = length == 0
        self.has_extra = self.has_surplus = self.is_glimpsed = False
        self.beginning = b""
        self.limit = limit
        self.pieces: list[bytes | bytearray] | None = None if kept is None else []
        self.kept = kept
        self.sink = sink
        if kept is not None:
            self._check(length)
            # All of it at once: whoever finds no room at the end has read for nothing.
            kept.hold(max(length, 0))

    def feed(self, data: bytes) -> None:
        """Take the next bytes from the wire.

        Raises:
            WireFault: More than may be kept comes, or its chunks are broken.
        """
        if self.length != UNTIL_CLOSE and len(data) > (missing := self.length - self.received):
            self.has_extra = True
            self.has_surplus = is_surplus(data[missing:])
            data = data[:missing]
        self._take(data)
        self.is_complete = self.received == self.length

    def end(self) -> bool:
        """Say whether the body is complete now that the connection has ended."""
        self.is_complete = self.length == UNTIL_CLOSE
        return self.is_complete

    @property
    def is_framed(self) -> bool:
        """The body ends before its connection does."""
        return self.length != UNTIL_CLOSE

    def content(self) -> bytes | None:
        return None if self.pieces is None else b"".join(self.pieces)

    def _take(self, data: bytes) -> None:
        self.received += len(data)
        if self.sink is not None:
            self.sink(data)
        elif self.pieces is not None:
            self._check(self.received)
            if self.kept is not None and self.length == UNTIL_CLOSE:
                self.kept.hold(len(data))
            _keep(self.pieces, data)
        elif self.is_glimpsed and len(self.beginning) < GLIMPSE:
            self.beginning += data[: GLIMPSE - len(self.beginning)]

    def _check(self, size: int) -> None:
        if size > self.limit:
            words = f"the reply's body is larger than {self.limit} bytes"
            raise WireFault(FailureKind.TOO_LARGE, words)


def _keep(pieces: list[bytes | bytearray], data: bytes) -> None:
    """Keep a piece; many are made one, as each takes memory of its own, whatever is in it."""
    pieces.append(data)
    if len(pieces) > _MOST_PIECES:
        whole = pieces[0] if isinstance(pieces[0], bytearray) else bytearray(pieces[0])
        whole += b"".join(pieces[1:])
        pieces[:] = [whole]


class ChunkedBody(BodyReader):
    """httptools takes the chunks apart, behind a made-up head."""

    __slots__ = ("begun", "parser")

    def __init__(
        self,
        *,
        limit: int,
        kept: KeptBodies | None = None,
        sink: Callable[[bytes], None] | None = None,
    ) -> None:
        super().__init__(UNTIL_CLOSE, limit=limit, kept=kept, sink=sink)
        self.begun = 0
        self.parser = httptools.HttpResponseParser(self)
        self.parser.feed_data(CHUNKED_HEAD)

    def on_message_begin(self) -> None:
        self.begun += 1

    def on_body(self, data: bytes) -> None:
        if self.begun == 1:
            self._take(data)

    def on_message_complete(self) -> None:
        self.is_complete = True

    def feed(self, data: bytes) -> None:
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserCallbackError as fault:
            if isinstance(fault.__context__, WireFault):
                raise fault.__context__ from None
            raise
        except httptools.HttpParserError as fault:
            if not self.is_complete:
                words = f"the reply's chunks are broken: {str(fault).lower()}"
                raise WireFault(FailureKind.PROTOCOL, words) from fault
            self.has_extra = True
        self.has_surplus = self.begun > 1
        self.has_extra = self.has_extra or self.has_surplus

    def end(self) -> bool:
        return self.is_complete

    @property
    def is_framed(self) -> bool:
        return True


def read_body(
    head: ReplyHead,
    *,
    limit: int,
    kept: KeptBodies | None,
    sink: Callable[[bytes], None] | None = None,
) -> BodyReader:
    """Return the reader for the body that `head` announces.

    Raises:
        WireFault: It announces more than may be kept.
    """
    if head.is_chunked:
        return ChunkedBody(limit=limit, kept=kept, sink=sink)
    return BodyReader(head.length, limit=limit, kept=kept, sink=sink)

"""One reply that is read piece by piece, whichever client brings its bytes.

A client calls `begin` when the head of a reply is there, `feed` with what comes of the body
(framing undone, content coding not), and `end` when the body has ended. Where `is_over` says so,
it waits no longer for the rest.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from planrunner.language.expressions.values import UNDEFINED, evaluation_error
from planrunner.metrics.arrivals import Arrivals
from planrunner.protocols.base import FailureKind, Reply, Scope
from planrunner.protocols.http.clients.fault import WireFault
from planrunner.protocols.http.clients.kept_bodies import UNCOUNTED, KeptBodies
from planrunner.protocols.http.clients.recall import GLIMPSE
from planrunner.protocols.http.clients.streams.cutting import (
    MOST_OF_A_PIECE,
    LinePieces,
    Pieces,
    PieceTooLarge,
    SsePieces,
    StreamPiece,
)
from planrunner.protocols.http.content import BrokenContent, StreamDecoder
from planrunner.protocols.http.operation import StreamPlan
from planrunner.units import NS_PER_MS, format_size

__all__ = ["GRACE_NS", "StreamReading"]

GRACE_NS: Final = 100 * NS_PER_MS
"""How long a server has to end a reply of which the plan has seen enough; then the connection is
given up. Most end it at once, and the connection serves the next request."""

_SHOWN: Final = 64 * 1024
_MANY: Final = 1_000
_UNREAD: Final = 16
"""Pieces of which it is not asked yet whether they are JSON: the last of them is what counts."""

_USUAL_WAIT_MS: Final = 3_000
_TYPE: Final = re.compile(rb"(?im)^content-type[ \t]*:[ \t]*([^;\r\n]*?)[ \t]*[;\r\n]")
_EVENT_STREAM: Final = b"text/event-stream"
_NO_CONTENT: Final = 204


class StreamReading:
    """The pieces of one reply; after a reconnect they go on where the others ended.

    Attributes:
        arrivals: When they came.
        ends_ns: Until when it may last.
        over_ns: When `until` was true; 0 while it wasn't.
        beginning: The first bytes of it as they came, for people.
    """

    __slots__ = (
        "_decoder",
        "_has_begun",
        "_json",
        "_kept",
        "_last",
        "_left",
        "_now_ns",
        "_pieces",
        "_plan",
        "_scope",
        "_unread",
        "arrivals",
        "beginning",
        "ends_ns",
        "over_ns",
    )

    def __init__(
        self,
        plan: StreamPlan,
        scope: Scope,
        now_ns: Callable[[], int],
        *,
        kept: KeptBodies,
        timeout_ns: int,
    ) -> None:
        self._plan = plan
        self._kept = kept
        self.ends_ns = now_ns() + timeout_ns
        self._scope: dict[str, Any] = {} if plan.until is None else dict(scope)
        self._now_ns = now_ns
        self._pieces: Pieces = SsePieces() if plan.kind == "events" else LinePieces()
        self._decoder: StreamDecoder | None = None
        self._left = plan.reconnects
        self._last: StreamPiece | None = None
        self._json: StreamPiece | None = None
        self._unread: list[StreamPiece] = []
        self._has_begun = False
        self.arrivals = Arrivals()
        self.over_ns = 0
        self.beginning = b""

    @property
    def is_over(self) -> bool:
        """Whether the plan has seen enough."""
        return self.over_ns > 0

    def takes(self, status: int) -> bool:
        """Whether a reply with this status is the stream; any other is a reply like others."""
        return 200 <= status < 300

    @property
    def has_begun(self) -> bool:
        """Whether the stream, or what is left of it, comes over this connection or came."""
        return self._has_begun

    def begin(self, status: int, head: bytes, encoding: str) -> None:
        """Begin with the body of a reply; `encoding` is its content coding in lower case.

        Raises:
            WireFault: It is no stream.
        """
        if self._plan.kind == "events" and status != _NO_CONTENT:
            _check_type(head)
        self._has_begun = True
        self._pieces.restart()
        self._scope["status"] = status
        try:
            self._decoder = StreamDecoder(encoding) if encoding else None
        except BrokenContent as fault:
            raise WireFault(FailureKind.PROTOCOL, fault.message) from fault

    def feed(self, data: bytes) -> None:
        """Take the next bytes of the body.

        Raises:
            WireFault: They cannot be read, or a piece gets too large.
        """
        if self.is_over:
            return
        now_ns = self._now_ns()
        if len(self.beginning) < GLIMPSE:
            self.beginning += data[: GLIMPSE - len(self.beginning)]
        try:
            if self._decoder is None:
                self._take(data, now_ns)
                return
            for decoded in self._decoder.feed(data):
                self._take(decoded, now_ns)
                self._check_time()
        except BrokenContent as fault:
            raise WireFault(FailureKind.PROTOCOL, fault.message) from fault
        except PieceTooLarge as fault:
            what = "an event" if self._plan.kind == "events" else "a line"
            words = f"{what} of the stream is larger than {format_size(MOST_OF_A_PIECE)}"
            raise WireFault(FailureKind.TOO_LARGE, words) from fault

    def _take(self, data: bytes, now_ns: int) -> None:
        if self._plan.is_shown and len(self.arrivals.text) < _SHOWN:
            self.arrivals.text += data[: _SHOWN - len(self.arrivals.text)]
        for number, piece in enumerate(self._pieces.feed(data), 1):
            self._note(piece, now_ns)
            if self.over_ns:
                return
            if not number % _MANY:
                self._check_time()
        self._count()

    def _check_time(self) -> None:
        """Fail when what came at once takes longer to read than the request may last."""
        if self._now_ns() > self.ends_ns:
            raise WireFault(FailureKind.TIMEOUT, "the stream was not read within the timeout")

    def _count(self) -> None:
        """Count what is kept of the stream, where it is much."""
        last = self._last
        size = self._pieces.pending + (0 if last is None else len(last["data"]))
        if size > UNCOUNTED:
            self._kept.release()  # the same in the call before, and nothing else
            self._kept.hold(size)

    def _note(self, piece: StreamPiece, now_ns: int) -> None:
        plan = self._plan
        if plan.kind == "json":
            if not piece["data"].strip():
                return  # a blank line between two documents
            if piece.get_json() is UNDEFINED:
                number = self.arrivals.count + 1
                raise WireFault(FailureKind.PROTOCOL, f"line {number} of the stream is not JSON")
        self.arrivals.note(now_ns)
        self._last = piece
        if plan.keeps_json:
            self._unread.append(piece)
            if len(self._unread) >= _UNREAD or len(piece["data"]) > UNCOUNTED:
                self._find_json()
        if plan.until is not None and self._is_met(piece):
            self.over_ns = now_ns

    def _find_json(self) -> None:
        """Find the last piece that is JSON, the latest first: most often that is one look."""
        for piece in reversed(self._unread):
            if piece.get_json() is not UNDEFINED:
                self._json = piece
                break
        self._unread.clear()

    def _is_met(self, piece: StreamPiece) -> bool:
        """Evaluate `until`; a piece for which it has no value isn't what is waited for."""
        plan, scope = self._plan, self._scope
        assert plan.until is not None
        scope["event"], scope["line"], scope["events"] = piece, piece["data"], self.arrivals.count
        if plan.reads_json:
            scope["json"] = piece.get_json()
        try:
            return bool(plan.until(scope))
        except Exception as error:  # noqa: BLE001 - the boundary: no reply may end the run
            self.arrivals.last_words = str(evaluation_error(error, "`until`"))
            return False

    def end(self, reply: Reply) -> None:
        """Give the reply what expressions read of the stream, which has ended.

        Raises:
            WireFault: The end shows that what came cannot be read.
        """
        if self.is_over:
            reply.ended_ns = self.over_ns
        else:
            if self._decoder is not None and not self._decoder.is_whole:
                raise WireFault(FailureKind.PROTOCOL, "the reply's encoded body ends early")
            if (piece := self._pieces.rest()) is not None:
                self._note(piece, reply.ended_ns)
        self._find_json()
        self.arrivals.last = self._last
        self.arrivals.is_met = self.is_over
        read = self._json or self._last
        reply.body = b"" if read is None else read["data"].encode()

    # -- once more ---------------------------------------------------------------------------

    def wants_again(self, reply: Reply) -> bool:
        """Whether the plan wants another connection after this reply, to go on with the stream."""
        if not self._left or self.is_over or not self._has_begun or reply.status == _NO_CONTENT:
            return False
        if reply.failure is None:
            return self._plan.until is not None and self.takes(reply.status)
        return reply.failure in (FailureKind.RESET, FailureKind.CONNECT)

    def again(self) -> tuple[int, str]:
        """Return how long to wait before the next connection, and what it begins behind."""
        self._left -= 1
        retry_ms = self._pieces.retry_ms
        wait_ms = _USUAL_WAIT_MS if retry_ms is None else retry_ms
        return wait_ms * NS_PER_MS, self._pieces.last_id


def _check_type(head: bytes) -> None:
    found = _TYPE.search(head)
    if found is not None and found[1].lower() != _EVENT_STREAM:
        shown = found[1][:60].decode("latin-1")
        words = f"the reply is `{shown}`, not `text/event-stream`"
        raise WireFault(FailureKind.PROTOCOL, words)

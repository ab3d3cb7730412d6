"""What a lane needs of the connection that carries its streams."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Protocol

from planrunner.protocols.base import Reply
from planrunner.protocols.http.clients.http1.open_connection import (
    ConnectionOwner,
    OpenConnection,
    ReplyLimits,
)
from planrunner.protocols.http.clients.http2.frames import ErrorCode
from planrunner.protocols.http.clients.http2.heads import Fields, Http2Heads
from planrunner.protocols.http.url import Origin

__all__ = ["Carrier"]


class Carrier(Protocol):
    """A connection of HTTP/2, as its lanes see it.

    Attributes:
        max_streams: As many may be open at once.
        max_frame: The longest frame that the server takes.
        window: What the server takes now of all bodies together.
        used_ns: When the last reply on it ended; 0 when none has.
        heard: How often something came.
        is_moving: A request or a reply has gone on since something came before.

    A lane is `Any` here: its module needs this one.
    """

    origin: Origin
    heads: Http2Heads
    limits: ReplyLimits
    now_ns: Callable[[], int]
    transport: asyncio.Transport
    is_usable: bool
    is_paused: bool
    max_streams: int
    max_frame: int
    window: int
    opened_ns: int
    used_ns: int
    heard: int
    is_moving: bool

    @property
    def places(self) -> int:
        """How many lanes there are."""

    @property
    def has_room(self) -> bool:
        """Whether the server takes another stream now."""

    def lane(self, owner: ConnectionOwner, reply: Reply) -> OpenConnection:
        """Return one more place for requests, one at a time."""

    def open_stream(self, lane: Any, fields: Fields, *, ends: bool) -> bytes:  # noqa: ANN401
        """Give a lane its next stream; returns the frames that begin it."""

    def when_there_is_room(self, lane: Any, begin: Callable[[], None]) -> None:  # noqa: ANN401
        """Call `begin` once the server takes another stream."""

    def release(self, lane: Any, code: ErrorCode | None) -> None:  # noqa: ANN401
        """End a lane's stream; `code` tells the server so, where it would go on."""

    def retire(self) -> None:
        """Take no more requests; close when those under way have ended."""

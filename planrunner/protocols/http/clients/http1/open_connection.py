"""What a session sends its requests on, whatever that speaks."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from typing import Protocol

from planrunner.protocols.base import Reply
from planrunner.protocols.http.clients.fault import WireFault
from planrunner.protocols.http.clients.heads.head import ReplyHead
from planrunner.protocols.http.clients.http1.body import BodyReader
from planrunner.protocols.http.clients.kept_bodies import KeptBodies
from planrunner.protocols.http.clients.recall import Glimpse
from planrunner.protocols.http.clients.streams.reading import StreamReading
from planrunner.protocols.http.url import Origin
from planrunner.wire_wait import WireWait

__all__ = [
    "ConnectionOwner",
    "OpenConnection",
    "ReplyLimits",
    "ReplyOutcome",
    "SharedConnection",
    "Waiter",
]

ReplyOutcome = ReplyHead | WireFault | tuple[str, ...]
"""A tuple has the cookies that a reply sets of which nothing else is left to do."""

Waiter = WireWait[ReplyOutcome]


class ReplyLimits:
    __slots__ = ("max_body", "max_head")

    def __init__(self, max_head: int, max_body: int) -> None:
        self.max_head = max_head
        self.max_body = max_body


class ConnectionOwner(Protocol):
    """The session a connection belongs to.

    Attributes:
        wait: What it waits with for each reply.
        glimpse: Of the last reply that is worth one.
        kept: Where the bodies that it keeps count.
    """

    now_ns: Callable[[], int]
    wait: Waiter
    glimpse: Glimpse | None
    kept: KeptBodies

    def forget(self, connection: OpenConnection) -> None:
        """Never use the connection again; may be called twice."""

    def note_surplus(self) -> None:
        """Count a reply that no request asked for."""


class OpenConnection(Protocol):
    """A connection, or a session's place on one that it shares; one request at a time.

    Attributes:
        waiter: Pending while a reply is awaited.
        wants_body: Keep the body of the reply that is awaited.
        awaits_head: Nothing of that reply has come yet, and it may have a body.
        is_bodiless: The reply to this request has no body whatever its head says (HEAD).
        is_last: The request that is under way asks for the end of the connection.
    """

    waiter: Waiter | None
    wants_body: bool
    awaits_head: bool
    is_bodiless: bool
    is_last: bool

    @property
    def origin(self) -> Origin:
        """Where it leads."""

    @property
    def shared(self) -> SharedConnection | None:
        """What it is a place on; None for a connection of the session's own."""

    @property
    def is_usable(self) -> bool:
        """May take another request."""

    @property
    def opened_ns(self) -> int:
        """When the connection was."""

    @property
    def used_ns(self) -> int:
        """When the last reply on the connection ended; 0 when none has."""

    @property
    def head(self) -> ReplyHead | None:
        """Return the head of the reply under way."""

    @property
    def broken(self) -> bytes:
        """Return what came of a head that could not be read to its end."""

    @property
    def write(self) -> Callable[[bytes], None]:
        """Send a request."""

    def expect(self, *, wants_body: bool, stream: StreamReading | None = None) -> Waiter:
        """Begin an exchange: what comes next is its reply."""

    async def write_large(self, data: bytes) -> None:
        """Send piece by piece, no faster than the server takes it; stop when it has replied."""

    async def write_upload(self, head: bytes, body: AsyncGenerator[bytes]) -> None:
        """Send like `write_large` what is read meanwhile.

        Raises:
            WireFault: It could not be read.
        """

    def take_body(self) -> BodyReader | None:
        """Return the body of the reply that has just ended, and forget that reply."""

    def fail(self, fault: WireFault) -> None:
        """End the exchange under way with `fault`."""

    def abort(self) -> None:
        """Let go of what is under way at once; it stays unanswered."""

    def close(self) -> None:
        """Take no more requests."""


class SharedConnection(Protocol):
    """A connection that serves several sessions of a user side by side."""

    @property
    def is_usable(self) -> bool:
        """May take another request."""

    @property
    def max_streams(self) -> int:
        """How many requests the server takes at once."""

    @property
    def places(self) -> int:
        """How many sessions have a place on it."""

    def lane(self, owner: ConnectionOwner, reply: Reply) -> OpenConnection:
        """Give a session a place."""

"""What one virtual user has: its connections, cookies, headers, and the request under way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import field

from planrunner.clock import Clock
from planrunner.protocols.base import FailureKind, Reply
from planrunner.protocols.http.clients.fault import WireFault
from planrunner.protocols.http.clients.heads.known import ReplyHeads
from planrunner.protocols.http.clients.http1.connection import WireConnection
from planrunner.protocols.http.clients.http1.group import ConnectionGroup
from planrunner.protocols.http.clients.http1.open_connection import (
    OpenConnection,
    ReplyLimits,
    Waiter,
)
from planrunner.protocols.http.clients.http1.opening import HttpConnector
from planrunner.protocols.http.clients.identity import WireIdentity
from planrunner.protocols.http.clients.kept_bodies import KeptBodies, KeptBudget
from planrunner.protocols.http.clients.recall import Glimpse, recall
from planrunner.protocols.http.clients.retries import Tokens
from planrunner.protocols.http.clients.tally import Tally
from planrunner.protocols.http.url import Origin
from planrunner.values import dataclass

__all__ = ["Lifetime", "WireShared", "WireUser"]


@dataclass(frozen=True, slots=True)
class Lifetime:
    """How long a connection may be used; 0 for ever."""

    max_age_ns: int = 0
    max_idle_ns: int = 0

    @property
    def is_limited(self) -> bool:
        return self.max_age_ns > 0 or self.max_idle_ns > 0

    def is_over(self, connection: OpenConnection, now_ns: int) -> bool:
        """Say whether a connection that nothing is under way on has to go."""
        idle_ns = now_ns - (connection.used_ns or connection.opened_ns)
        is_old = 0 < self.max_age_ns <= now_ns - connection.opened_ns
        return is_old or 0 < self.max_idle_ns <= idle_ns


@dataclass(frozen=True, slots=True)
class WireShared:
    """What the users of one client have in common.

    Attributes:
        budget: Of the bodies that they keep.
        users: Those not closed yet.
        per_user: Connections of one user to one host at once; 0 leaves it to the plan's steps.
        lifetime: Of their connections.
        streams: Requests side by side on one connection of HTTP/2; 0 leaves it to the steps.
        spoken: What is spoken on all of them, if that is known before and not HTTP/1.1.
        tally: What is wrong with them.
        http1_only: Origins that don't speak HTTP/2, as was seen.
    """

    clock: Clock
    now_ns: Callable[[], int]
    limits: ReplyLimits
    heads: ReplyHeads
    connector: HttpConnector
    budget: KeptBudget
    per_user: int = 0
    lifetime: Lifetime = Lifetime()
    streams: int = 0
    spoken: str | None = None
    tally: Tally = field(default_factory=Tally)
    users: set[WireUser] = field(default_factory=set)
    http1_only: set[str] = field(default_factory=set)


class WireUser:
    """One user's state; `WireSession` adds what the engine calls.

    Attributes:
        number: Says what address it connects from.
        reply: Reused for every request; what `send` returned is overwritten by the next.
        connections: The open ones, by origin; one that has ended takes itself out.
        current: The connection the request under way was written to, None while one is opened.
        deadline_ns: Of the request under way.
        wait: What its reply is awaited with.
        written: What was last written to it, of a large request the beginning.
        group: What it shares with the user's other lanes; None where HTTP/1.1 is all there is.
        glimpse: What is known of the last reply that looked like a failure and nothing reads.
        kept: The bodies that the reply holds.
    """

    __slots__ = (
        "clock",
        "connections",
        "current",
        "deadline_ns",
        "glimpse",
        "group",
        "identity",
        "kept",
        "now_ns",
        "number",
        "reply",
        "shared",
        "tokens",
        "wait",
        "written",
    )

    wait: Waiter

    def __init__(
        self, shared: WireShared, identity: WireIdentity, tokens: Tokens, number: int = 0
    ) -> None:
        self.shared = shared
        self.number = number
        self.identity = identity
        self.tokens = tokens
        self.clock = shared.clock
        self.now_ns = shared.now_ns
        self.connections: dict[str | None, OpenConnection] = {}
        self.current: OpenConnection | None = None
        self.group: ConnectionGroup | None = None
        self.deadline_ns = 0
        self.written = b""
        self.glimpse: Glimpse | None = None
        self.reply = Reply()
        self.reply.is_dirty = False
        self.kept = KeptBodies(shared.budget)

    def join(self, origin: Origin) -> OpenConnection | None:
        """Return a place on a connection that is open and shared; None when there is none."""
        return None if self.group is None else self.group.join(self, origin)

    async def open(self, origin: Origin) -> OpenConnection:
        """Open a connection, the session's only one to this origin from now on.

        Raises:
            WireFault: With the kind dns, connect or tls; with HTTP/2 protocol too.
        """
        shared, group = self.shared, self.group
        if group is None or not shared.connector.may_multiplex(origin):
            return await self.dial(origin)
        return await group.open(self, origin, self.dial)

    async def dial(self, origin: Origin) -> OpenConnection:
        """Open a connection of its own; fails as `open` does."""
        shared = self.shared

        def make() -> WireConnection:
            return WireConnection(origin, self.reply, shared.heads, shared.limits, self)

        opened = await shared.connector.open(origin, make, self.number)
        self.reply.connects += 1
        connection = opened if isinstance(opened, WireConnection) else opened.lane(self, self.reply)
        self.connections[str(origin)] = connection
        return connection

    def retire(self, now_ns: int) -> None:
        """Close the connections whose time is over, unless a reply is awaited."""
        is_over = self.shared.lifetime.is_over
        for connection in list(self.connections.values()):
            if connection.waiter is None and is_over(connection, now_ns):
                connection.close()

    def forget(self, connection: OpenConnection) -> None:
        """Take a connection that has ended out of the open ones."""
        key = str(connection.origin)
        if self.connections.get(key) is connection:
            del self.connections[key]

    def note_surplus(self) -> None:
        self.shared.tally.surplus_replies += 1

    def recall(self) -> tuple[str, str]:
        current = self.current
        origin = None if current is None else current.origin
        return recall(self.reply, origin=origin, data=self.written, glimpse=self.glimpse)

    def expire(self) -> None:
        """Fail the request under way: its deadline has passed."""
        connection = self.current
        if connection is not None and connection.waiter is not None:
            words = "no complete reply within the timeout"
            connection.fail(WireFault(FailureKind.TIMEOUT, words))

    def clean(self) -> None:
        """Take out of the reply what a quick one doesn't overwrite, and the last one's rest."""
        reply = self.reply
        reply.is_dirty = True  # of what goes on from here
        reply.failure = reply.spoken = None
        reply.detail = ""
        reply.status = reply.received = 0
        reply.connect_ns = reply.connects = reply.retries = 0
        reply.body = None
        reply.head = b""
        reply.cookies = ()
        reply.arrivals = None

"""One virtual user's connections, and the few statements that a plain request takes.

`send` is the hot path. A request that is constant or a template, to an open connection, answered
by a reply that needs no look: one write, one future, and a dozen stores. Everything else goes on
in a `WireExchange`, which may take its time.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from planrunner.protocols.base import FailureKind, Reply, Scope
from planrunner.protocols.http.clients.wire_connection import WireConnection
from planrunner.protocols.http.clients.wire_exchange import WireExchange
from planrunner.protocols.http.clients.wire_fault import WireFault
from planrunner.protocols.http.clients.wire_identity import WireIdentity
from planrunner.protocols.http.clients.wire_request import LARGE, WireRequest
from planrunner.protocols.http.url import Origin

if TYPE_CHECKING:
    from planrunner.protocols.http.clients.wire import WireClient

__all__ = ["WireSession"]


class WireSession:
    """The wire client's `Session`.

    Attributes:
        reply: Reused for every request; what `send` returned is overwritten by the next.
        connections: The open ones, by origin; one that has ended takes itself out.
        current: The connection the request under way was written to, None while one is opened.
        deadline_ns: Of the request under way; `WireClient.sweep` looks at it.
    """

    __slots__ = (
        "_client",
        "_create_future",
        "_is_dirty",
        "connections",
        "current",
        "deadline_ns",
        "identity",
        "limits",
        "now_ns",
        "reply",
    )

    def __init__(self, client: WireClient, identity: WireIdentity) -> None:
        self._client = client
        self._create_future = asyncio.get_running_loop().create_future
        self._is_dirty = False
        self.identity = identity
        self.limits = client.limits
        self.now_ns = client.now_ns
        self.connections: dict[str | None, WireConnection] = {}
        self.current: WireConnection | None = None
        self.deadline_ns = 0
        self.reply = Reply()

    # -- the contract ----------------------------------------------------------------------

    async def send(self, bound: WireRequest, scope: Scope) -> Reply:
        connection = self.connections.get(bound.key)
        if connection is None or bound.needs_care:
            origin, data = bound.prepare(scope)
            return await WireExchange(self, bound, origin, data).run()
        plain = data = bound.data or bound.render(scope)
        if len(data) > LARGE:
            return await WireExchange(self, bound, connection.origin, data).run()
        if not self.identity.is_plain:
            data = self.identity.dress(data, connection.origin, bound.names, has_crossed=False)
        reply = self.reply
        if self._is_dirty:
            self._is_dirty = False
            self._reset(reply)
        reply.first_byte_ns = 0
        reply.sent = len(data)
        connection.wants_body = bound.wants_body
        connection.waiter = waiter = self._create_future()
        self.current = connection
        reply.asked_ns = reply.sent_ns = now_ns = self.now_ns()
        self.deadline_ns = now_ns + bound.timeout_ns
        connection.write(data)
        try:
            outcome = await waiter
        except asyncio.CancelledError:
            connection.abort()
            raise
        if outcome is None:
            return reply
        rest = WireExchange(self, bound, connection.origin, plain)
        return await rest.resume(connection, outcome)

    def set_header(self, name: str, value: str | None) -> None:
        self.identity.set_header(name, value)

    async def close(self) -> None:
        self._client.sessions.discard(self)
        for connection in list(self.connections.values()):
            connection.close()

    # -- what the client, an exchange and a connection call --------------------------------

    async def open(self, origin: Origin) -> WireConnection:
        """Open a connection, the session's only one to this origin from now on.

        Raises:
            WireFault: With the kind dns, connect or tls.
        """
        client = self._client

        def make() -> WireConnection:
            return WireConnection(origin, self.reply, client.heads, client.limits, self)

        connection = await client.connector.open(origin, make)
        self.connections[str(origin)] = connection
        return connection

    def forget(self, connection: WireConnection) -> None:
        """Take a connection that has ended out of the open ones."""
        key = str(connection.origin)
        if self.connections.get(key) is connection:
            del self.connections[key]

    def expire(self) -> None:
        """Fail the request under way: its deadline has passed."""
        connection = self.current
        if connection is not None and connection.waiter is not None:
            words = "no complete reply within the timeout"
            connection.fail(WireFault(FailureKind.TIMEOUT, words))

    def clean(self) -> None:
        """Make the reply an empty one, all but its times and what was sent."""
        self._is_dirty = True
        self._reset(self.reply)

    def _reset(self, reply: Reply) -> None:
        reply.failure = None
        reply.detail = ""
        reply.status = reply.received = 0
        reply.connect_ns = reply.connects = reply.retries = 0
        reply.body = None
        reply.head = b""

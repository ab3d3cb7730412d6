"""The hot path: the few statements that a plain request takes.

A request that is constant or a template, to an open connection, answered by a reply that needs no
look: one write, one future, and a dozen stores. Everything else goes on in a `WireExchange`, which
may take its time.
"""

from __future__ import annotations

import asyncio

from planrunner.protocols.base import Reply, Scope
from planrunner.protocols.http.clients.wire_exchange import WireExchange
from planrunner.protocols.http.clients.wire_request import LARGE, WireRequest
from planrunner.protocols.http.clients.wire_user import WireUser

__all__ = ["WireSession"]


class WireSession(WireUser):
    """The wire client's `Session`."""

    __slots__ = ()

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
        if self.is_dirty:
            self.is_dirty = False
            self.clean()
        reply.first_byte_ns = 0
        reply.sent = len(data)
        connection.wants_body = bound.wants_body
        connection.waiter = waiter = self.create_future()
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
        self.shared.users.discard(self)
        for connection in list(self.connections.values()):
            connection.close()

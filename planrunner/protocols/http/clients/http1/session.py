"""The hot path: the few statements that a plain request takes.

A request that is constant or a template, to an open connection, answered by a reply that needs no
look: one write and a dozen stores. Everything else goes on in a `WireExchange`, which
may take its time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from typing import Final

from planrunner.protocols.base import Reply, Scope
from planrunner.protocols.http.clients.http1.exchange import WireExchange
from planrunner.protocols.http.clients.http1.group import ConnectionGroup
from planrunner.protocols.http.clients.http1.open_connection import ReplyOutcome
from planrunner.protocols.http.clients.http1.user import WireShared, WireUser
from planrunner.protocols.http.clients.identity import WireIdentity
from planrunner.protocols.http.clients.request import LARGE, Outbound, WireRequest
from planrunner.protocols.http.clients.retries import Tokens, send_with_care
from planrunner.units import NS_PER_MS, NS_PER_S
from planrunner.wire_wait import WireWait

LISTEN_NS: Final = 20 * NS_PER_MS

__all__ = ["RetiringSession", "WireSession"]


class WireSession(WireUser):
    """The wire client's `Session`."""

    __slots__ = ("bound", "others", "plain")

    bound: WireRequest
    plain: bytes

    def __init__(
        self, shared: WireShared, identity: WireIdentity, tokens: Tokens, number: int = 0
    ) -> None:
        super().__init__(shared, identity, tokens, number)
        self.wait = WireWait(self, self.reply)
        self.others: list[WireSession] = []
        if shared.connector.speaks_http2:
            self.group = ConnectionGroup(shared.streams, shared.http1_only)

    # Not `async`: whoever waits for the reply waits with the wait itself.
    def send(self, bound: WireRequest, scope: Scope) -> Awaitable[Reply]:
        try:
            connection = self.connections[bound.key]
        except KeyError:
            return self._send_slowly(bound, scope)
        render = bound.render
        plain = data = bound.data or render(scope)
        size = len(data)
        if size > LARGE:
            return WireExchange(self, bound, connection.origin, data).run()
        if not self.identity.is_plain:
            data = self.identity.dress(data, connection.origin, bound, has_crossed=False)
            size = len(data)
        reply = self.reply
        if reply.is_dirty:
            self.clean()
            self.kept.release()
            reply.is_dirty = False
        reply.first_byte_ns = 0
        reply.sent = size
        now_ns, write, waiter = self.now_ns, connection.write, self.wait
        connection.wants_body = bound.wants_body
        connection.awaits_head = waiter.is_pending = True
        connection.waiter = waiter
        self.current, self.bound, self.plain = connection, bound, plain
        reply.asked_ns = reply.sent_ns = asked_ns = now_ns()
        self.deadline_ns = asked_ns + bound.timeout_ns
        self.written = data
        write(data)
        if waiter.is_pending:
            return waiter
        return self.go_on(waiter.outcome) or reply

    def go_on(self, outcome: ReplyOutcome) -> Awaitable[Reply] | None:
        """Do what is left when the reply is there: store its cookies, or go on from there."""
        connection = self.current
        assert connection is not None  # it was written to
        if isinstance(outcome, tuple):
            self.identity.store(outcome, connection.origin, self.plain)
            return None
        rest = WireExchange(self, self.bound, connection.origin, self.plain)
        return rest.resume(connection, outcome)

    def let_go(self) -> None:
        """Hang up: nobody waits for the reply any more."""
        if self.current is not None:
            self.current.abort()

    async def _send_slowly(self, bound: WireRequest, scope: Scope) -> Reply:
        outbound = bound.prepare(scope)
        if bound.may_repeat:
            return await send_with_care(self, bound, outbound, scope)
        return await self.exchange(bound, outbound)

    async def exchange(self, bound: WireRequest, outbound: Outbound) -> Reply:
        """Send once, redirects included."""
        exchange = WireExchange(
            self, bound, outbound.origin, outbound.data, outbound.upload, outbound.signer
        )
        exchange.reading = outbound.reading
        return await exchange.run()

    def lanes(self, count: int) -> Sequence[WireSession]:
        most = min(count, self._most_lanes(count))
        while len(self.others) < most - 1:
            other = type(self)(self.shared, self.identity, self.tokens, self.number)
            other.group = self.group
            self.shared.users.add(other)
            self.others.append(other)
        return (self, *self.others[: most - 1])

    def _most_lanes(self, count: int) -> int:
        shared, group = self.shared, self.group
        if not shared.per_user:
            return count
        if group is not None and (shared.spoken or group.is_multiplexing):
            return shared.per_user * (shared.streams or count)
        return shared.per_user

    def set_header(self, name: str, value: str | None) -> None:
        self.identity.set_header(name, value)
        if name.lower() == "connection":
            # Only a request that opens its connection looks at whether it is to end.
            for session in (self, *self.others):
                for connection in list(session.connections.values()):
                    connection.close()

    def renew(self) -> None:
        self.identity.renew()
        self.tokens.renew()

    async def end_iteration(self) -> None:
        for session in (self, *self.others):
            for connection in list(session.connections.values()):
                connection.close()

    async def close(self) -> None:
        await self._listen()
        for other in self.others:
            await other.close()
        self.shared.users.discard(self)
        self.kept.release()
        for connection in list(self.connections.values()):
            connection.close()
        self.current = None  # or the two would hold each other

    async def _listen(self) -> None:
        """Wait until a second reply to the last request would have come.

        In a user that never pauses it can't be seen before: it is taken for the next one's.
        """
        used_ns = max((each.used_ns for each in self.connections.values()), default=0)
        left_ns = used_ns + LISTEN_NS - self.now_ns()
        if used_ns and left_ns > 0:
            await asyncio.sleep(left_ns / NS_PER_S)


class RetiringSession(WireSession):
    """A session whose connections have a limited life; others don't pay for the look at it."""

    __slots__ = ()

    def send(self, bound: WireRequest, scope: Scope) -> Awaitable[Reply]:
        self.retire(self.now_ns())
        return super().send(bound, scope)

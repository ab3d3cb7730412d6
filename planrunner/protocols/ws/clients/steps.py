"""The steps that open and close connections, bound."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from planrunner.protocols.base import FailureKind, Reply, Scope, Sent
from planrunner.protocols.http.clients.fault import WireFault
from planrunner.protocols.http.clients.identity import WireIdentity
from planrunner.protocols.http.clients.request import Outbound, WireRequest
from planrunner.protocols.http.clients.rewrite import add_lines
from planrunner.protocols.http.clients.tap import sent_message
from planrunner.protocols.http.url import Origin
from planrunner.protocols.ws.clients.connection import WsConnection, WsEnding
from planrunner.protocols.ws.clients.handshake import (
    SWITCHING,
    Offer,
    headers_of,
    shake_hands,
)
from planrunner.protocols.ws.clients.opening import socket_url
from planrunner.protocols.ws.clients.session import HttpVisitor, WsSession
from planrunner.protocols.ws.reply import WsReply
from planrunner.units import NS_PER_S
from planrunner.values import dataclass

__all__ = ["BoundClose", "BoundConnect"]


@dataclass(frozen=True, slots=True)
class BoundConnect:
    """Open a connection.

    Attributes:
        request: The GET of the handshake.
        lasts: The connection is kept when the iteration ends.
    """

    on: str
    request: WireRequest
    offer: Offer
    lasts: bool
    timeout_ns: int

    async def run(self, session: WsSession, scope: Scope) -> WsReply:
        shared, settings = session.shared, session.shared.settings
        visitor = session.visitor
        assert visitor is not None  # `builds_on` gives one
        outbound = self.request.prepare(scope)
        connection = WsConnection(
            shared.now_ns, max_size=settings.max_size, max_queue=settings.max_queue
        )
        connection.lasts = self.lasts
        session.put(self.on, connection)
        reply = session.reply
        reply.begin(shared.now_ns())
        try:
            async with asyncio.timeout(self.timeout_ns / NS_PER_S):
                await self._open(session, visitor, connection, outbound, scope)
        except TimeoutError:
            reply.fail(FailureKind.TIMEOUT, "no answer to the handshake within the timeout")
        except WireFault as fault:
            reply.fail(fault.kind, visitor.tokens.cover(fault.detail), status=reply.status)
        reply.ended_ns = shared.now_ns()
        if reply.failure is not None or reply.status != SWITCHING:
            words = reply.detail or f"the handshake was answered with the status {reply.status}"
            connection.ending = WsEnding(FailureKind.CONNECT, words)
            connection.is_told = True
            connection.drop()
        elif settings.ping_ns:
            connection.ping_due_ns = reply.ended_ns + settings.ping_ns
        return reply

    async def _open(
        self,
        session: WsSession,
        visitor: HttpVisitor,
        connection: WsConnection,
        outbound: Outbound,
        scope: Scope,
    ) -> None:
        reply, shared = session.reply, session.shared
        data, origin, identity = outbound.data, outbound.origin, visitor.identity
        if (line := await self._token(visitor, scope, reply)) is None:
            return
        data = add_lines(data, line) if line else data
        while True:
            dressed = self._dressed(data, origin, identity, outbound)
            session.written = dressed
            target = dressed.split(b" ", 2)[1].decode("ascii")
            connection.url = socket_url(origin, target)
            if shared.told is not None:
                shared.told(self._shown(dressed, origin, visitor, connection.url))
            await shake_hands(
                connection,
                reply,
                connector=shared.connector,
                number=session.number,
                origin=origin,
                data=dressed,
                offer=self.offer,
                now_ns=shared.now_ns,
                max_size=shared.settings.max_size,
            )
            cookies = _cookies(reply.head)
            if cookies:
                identity.store(cookies, origin, dressed)
            signer = outbound.signer
            again = signer is not None and signer.wants_again(
                reply.status, reply.head, identity.answers
            )
            if not again:
                return

    async def _token(self, visitor: HttpVisitor, scope: Scope, reply: WsReply) -> bytes | None:
        """Return the line of a token that the plan has granted; None where there is none to get."""
        grant = self.request.grant
        if grant is None:
            return b""

        async def fetch() -> Reply:
            return await visitor.exchange(grant.request, grant.request.prepare(scope))

        token = await visitor.tokens.get(grant, fetch, visitor.clock.now_ns)
        if isinstance(token, bytes):
            return token
        reply.fail(token.failure or FailureKind.STATUS, token.detail, status=token.status)
        return None

    def _dressed(
        self, data: bytes, origin: Origin, identity: WireIdentity, outbound: Outbound
    ) -> bytes:
        # Not by a method of the identity: where HTTP is tapped, that tells as HTTP.
        if outbound.signer is None:
            return WireIdentity.dress(identity, data, origin, self.request, has_crossed=False)
        return WireIdentity.sign(
            identity,
            data,
            origin,
            self.request,
            has_crossed=False,
            signer=outbound.signer,
            is_streamed=False,
        )

    def _shown(self, data: bytes, origin: Origin, visitor: HttpVisitor, url: str) -> Sent:
        sent = sent_message(data, origin, visitor.tokens)
        own = headers_of(b"\r\n", self.offer)
        return Sent(sent.method, url, (*sent.headers, *own), b"")


def _cookies(head: bytes) -> tuple[str, ...]:
    lines = (line.partition(":") for line in head.decode("latin-1").split("\r\n")[1:])
    return tuple(value.strip() for name, _, value in lines if name.lower() == "set-cookie")


@dataclass(frozen=True, slots=True)
class BoundClose:
    on: str
    code: int
    reason: Callable[[Scope], bytes] | None
    timeout_ns: int

    async def run(self, session: WsSession, scope: Scope) -> WsReply:
        reason = b"" if self.reason is None else self.reason(scope)
        connection = session.connection(self.on)
        if connection is None or connection.ending is not None:
            return session.not_open(self.on)
        shared, reply = session.shared, session.reply
        if shared.told is not None:
            said = f"{self.code} ".encode() + reason
            shared.told(Sent("close", connection.url, (), said.strip()))
        reply.begin(shared.now_ns())
        session.forget(connection)
        connection.close(self.code, reason)
        try:
            async with asyncio.timeout(self.timeout_ns / NS_PER_S):
                await connection.wait_lost()
        except TimeoutError:
            words = "the server did not close the connection within the timeout"
            reply.fail(FailureKind.TIMEOUT, words, ends=True)
        finally:
            connection.drop()  # where it isn't lost yet
        reply.ended_ns = shared.now_ns()
        return reply

"""The WebSocket client of one worker: picows frames, everything around it is here."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from planrunner.clock import Clock
from planrunner.protocols.base import Exchange, FailureKind, Redirect, Sent
from planrunner.protocols.http.clients.request import bind_request
from planrunner.protocols.ws.clients.connection import WsConnection, WsEnding
from planrunner.protocols.ws.clients.handshake import Offer
from planrunner.protocols.ws.clients.messages import BoundReceive, BoundSend
from planrunner.protocols.ws.clients.opcodes import BINARY, TEXT
from planrunner.protocols.ws.clients.opening import SocketConnector
from planrunner.protocols.ws.clients.session import WsBound, WsSession, WsShared
from planrunner.protocols.ws.clients.steps import BoundClose, BoundConnect
from planrunner.protocols.ws.contents import ConstantContent
from planrunner.protocols.ws.operation import (
    CloseAction,
    ConnectAction,
    ReceiveAction,
    SendAction,
    WsSettings,
)

__all__ = ["WsClient", "open"]

_AWAY: Final = 1001
_WAYS: Final[Mapping[type, str]] = {BoundSend: "send_message", BoundReceive: "receive"}


class WsClient:
    """The `Client` of one worker."""

    ends_iterations = True
    ways = WsSession.ways

    def __init__(self, settings: WsSettings, clock: Clock) -> None:
        connector = SocketConnector(settings.http, clock.now_ns)
        self.shared = WsShared(settings, clock.now_ns, connector, None, set(), {})

    def tap(self, told: Callable[[Sent | Redirect], None]) -> None:
        self.shared = replace(self.shared, told=told)

    def bind(self, exchange: Exchange) -> WsBound:
        timeout_ns = exchange.timeout_ns
        match exchange.operation:
            case ConnectAction() as connect:
                request = bind_request(connect.request)
                if request.origin is None or request.origin.scheme == "https":
                    self.shared.connector.prepare()
                offer = Offer(connect.subprotocols, self.shared.settings.compresses)
                return BoundConnect(connect.on, request, offer, bool(connect.is_kept), timeout_ns)
            case SendAction() as send:
                kind = TEXT if send.is_text else BINARY
                content = send.render
                data = content.data if isinstance(content, ConstantContent) else b""
                now_ns, told = self.shared.now_ns, self.shared.told
                return BoundSend(send.on, data, content, kind, timeout_ns, now_ns, told)
            case ReceiveAction() as receive:
                until, count = receive.until, receive.count
                seeks = until is not None or count != 1
                return BoundReceive(receive.on, until, count, seeks, timeout_ns, self.shared.now_ns)
            case CloseAction() as close:
                return BoundClose(close.on, close.code, close.reason, timeout_ns)
            case _:
                raise AssertionError(type(exchange.operation).__name__)

    def way_of(self, bound: WsBound) -> str:
        return _WAYS.get(type(bound), "send")

    def session(self) -> WsSession:
        return self.session_of(0)

    def session_of(self, number: int) -> WsSession:
        session = WsSession(self.shared, number)
        self.shared.sessions.add(session)
        return session

    def sweep(self, now_ns: int) -> None:
        shared = self.shared
        for session in list(shared.sessions):
            if 0 < session.deadline_ns < now_ns:
                session.expire()
            for connection in list(session.connections.values()):
                if 0 < connection.ping_due_ns < now_ns:
                    self._ping(connection, now_ns)
        for connection, until_ns in list(shared.closing.items()):
            if connection.transport is None or until_ns < now_ns:
                connection.drop()
                del shared.closing[connection]

    def _ping(self, connection: WsConnection, now_ns: int) -> None:
        """Ping a connection, or give it up where the last ping was not answered."""
        if connection.ending is not None:
            connection.ping_due_ns = 0
        elif connection.pinged_ns:
            connection.end(WsEnding(FailureKind.RESET, "the server did not answer a ping"), _AWAY)
        else:
            connection.pinged_ns = now_ns
            connection.ping_due_ns = now_ns + self.shared.settings.ping_ns
            connection.transport.send_ping()

    async def close(self) -> None:
        for session in list(self.shared.sessions):
            await session.close()
        await asyncio.sleep(0)
        for connection in self.shared.closing:
            connection.drop()
        self.shared.closing.clear()


def open(settings: WsSettings, clock: Clock) -> WsClient:  # noqa: A001 - the registry's name
    """Open the client: a `ClientFactory`."""
    return WsClient(settings, clock)

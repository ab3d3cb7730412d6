"""The wire client: HTTP/1.1 as bytes, for as many requests a second as one core can send.

It does what a load test of an HTTP/1.1 server needs and no more; HTTP/2 and proxies are the httpx
client's. `wire_session` has the hot path.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from planrunner.clock import Clock
from planrunner.protocols.base import Exchange
from planrunner.protocols.http.clients.wire_connect import Connector
from planrunner.protocols.http.clients.wire_connection import Limits
from planrunner.protocols.http.clients.wire_head import ReplyHeads
from planrunner.protocols.http.clients.wire_identity import WireIdentity
from planrunner.protocols.http.clients.wire_request import WireRequest, bind_request
from planrunner.protocols.http.clients.wire_session import WireSession
from planrunner.protocols.http.cookies import CookieJar
from planrunner.protocols.http.operation import HttpSettings

__all__ = ["WireClient", "open"]


class WireClient:
    """The HTTP/1.1 `Client` of one worker.

    Attributes:
        sessions: Those not closed yet.
    """

    def __init__(self, settings: HttpSettings, clock: Clock) -> None:
        self.now_ns = clock.now_ns
        self.limits = Limits(settings.max_head, settings.max_body)
        self.heads = ReplyHeads(settings.max_body)
        self.connector = Connector(settings, self.now_ns)
        self.sessions: set[WireSession] = set()

    def bind(self, exchange: Exchange) -> WireRequest:
        bound = bind_request(exchange)
        if bound.origin is None or bound.origin.scheme == "https":
            self.connector.prepare_tls()
        return bound

    def session(self) -> WireSession:
        session = WireSession(self, WireIdentity(CookieJar(self.now_ns, _wall_s)))
        self.sessions.add(session)
        return session

    def sweep(self, now_ns: int) -> None:
        for session in self.sessions:
            if session.deadline_ns < now_ns:
                session.expire()

    async def close(self) -> None:
        for session in list(self.sessions):
            await session.close()
        # Transports say goodbye (TLS: close_notify) in the loop's next turns.
        await asyncio.sleep(0)


def open(settings: HttpSettings, clock: Clock) -> WireClient:  # noqa: A001 - the registry's name
    """Open the client: a `ClientFactory`."""
    return WireClient(settings, clock)


def _wall_s() -> float:
    return datetime.now(UTC).timestamp()

"""The wire client: HTTP/1.1 as bytes, for as many requests a second as one core can send.

It does what a load test of an HTTP server needs and no more; connections that speak HTTP/2 are in
`http2`, and used like the others; SOCKS proxies are the httpx
client's. `session` has the hot path.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime

from planrunner.clock import Clock
from planrunner.protocols.base import Exchange, Redirect, Sent
from planrunner.protocols.http.clients.heads.known import ReplyHeads
from planrunner.protocols.http.clients.http1.open_connection import ReplyLimits
from planrunner.protocols.http.clients.http1.opening import HttpConnector
from planrunner.protocols.http.clients.http1.session import RetiringSession, WireSession
from planrunner.protocols.http.clients.http1.user import Lifetime, WireShared
from planrunner.protocols.http.clients.identity import WireIdentity
from planrunner.protocols.http.clients.kept_bodies import UNCOUNTED, KeptBudget
from planrunner.protocols.http.clients.request import WireRequest, bind_request
from planrunner.protocols.http.clients.retries import Tokens
from planrunner.protocols.http.clients.tap import TappedIdentity, keeping_replies
from planrunner.protocols.http.cookies import CookieJar
from planrunner.protocols.http.operation import HTTP2, HttpSettings
from planrunner.protocols.telling_clients import ClientAccount

__all__ = ["WireClient", "open"]


class WireClient:
    """The HTTP `Client` of one worker."""

    def __init__(self, settings: HttpSettings, clock: Clock) -> None:
        limits = ReplyLimits(settings.max_head, settings.max_body)
        self.shared = WireShared(
            clock,
            clock.now_ns,
            limits,
            ReplyHeads(limits.max_head, min(settings.max_body, UNCOUNTED)),
            HttpConnector(settings, clock.now_ns, limits),
            KeptBudget(settings.max_kept),
            settings.per_user,
            Lifetime(settings.max_age_ns, settings.max_idle_ns),
            settings.streams,
            HTTP2 if settings.version == "2" else None,
        )
        self.ends_iterations = settings.per_iteration
        self._told: Callable[[Sent | Redirect], None] | None = None

    def tap(self, told: Callable[[Sent | Redirect], None]) -> None:
        self._told = told

    def bind(self, exchange: Exchange) -> WireRequest:
        bound = bind_request(exchange if self._told is None else keeping_replies(exchange))
        self.shared.connector.prepare(bound.origin)
        return bound

    def session(self) -> WireSession:
        return self.session_of(0)

    def session_of(self, number: int) -> WireSession:
        jar = CookieJar(self.shared.now_ns, _wall_s)
        tokens, told = Tokens(), self._told
        identity = WireIdentity(jar) if told is None else TappedIdentity(jar, tokens, told)
        make = RetiringSession if self.shared.lifetime.is_limited else WireSession
        session = make(self.shared, identity, tokens, number)
        self.shared.users.add(session)
        return session

    def sweep(self, now_ns: int) -> None:
        is_limited = self.shared.lifetime.is_limited
        for user in self.shared.users:
            if user.deadline_ns < now_ns:
                user.expire()
            if is_limited:
                user.retire(now_ns)

    def account(self) -> ClientAccount:
        return self.shared.tally.account()

    async def close(self) -> None:
        for user in list(self.shared.users):
            for connection in list(user.connections.values()):
                connection.close()
        self.shared.users.clear()
        # Transports say goodbye (TLS: close_notify) in the loop's next turn.
        await asyncio.sleep(0)


def open(settings: HttpSettings, clock: Clock) -> WireClient:  # noqa: A001 - the registry's name
    """Open the client: a `ClientFactory`."""
    return WireClient(settings, clock)


def _wall_s() -> float:
    return datetime.now(UTC).timestamp()

"""The httpx client: the reference behaviour, and what the wire client doesn't do (SOCKS).

Requests are rendered, dressed with cookies and redirected by the same code as the wire client's,
so both send the same bytes; httpx opens connections, speaks TLS and HTTP, and finds the replies.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

import httpx

from planrunner.clock import Clock
from planrunner.language.expressions.values import EvaluationError
from planrunner.protocols.base import Exchange, FailureKind, Redirect, Reply, Scope, Sent
from planrunner.protocols.http.clients.decoding import decode_body
from planrunner.protocols.http.clients.fault import WireFault
from planrunner.protocols.http.clients.http1.connect import tls_context
from planrunner.protocols.http.clients.httpx.attempt import HttpxAttempt, Outgoing, attempt
from planrunner.protocols.http.clients.httpx.sources import SourceBackend
from planrunner.protocols.http.clients.identity import WireIdentity
from planrunner.protocols.http.clients.kept_bodies import KeptBodies, KeptBudget
from planrunner.protocols.http.clients.recall import Glimpse, recall
from planrunner.protocols.http.clients.request import Outbound, WireRequest, bind_request
from planrunner.protocols.http.clients.retries import Tokens, send_with_care
from planrunner.protocols.http.clients.rewrite import method_of, next_hop, target_of
from planrunner.protocols.http.clients.tally import Tally
from planrunner.protocols.http.clients.tap import TappedIdentity, keeping_replies
from planrunner.protocols.http.cookies import CookieJar
from planrunner.protocols.http.operation import HttpSettings
from planrunner.protocols.http.sources import Sources
from planrunner.protocols.http.url import REDIRECTS, Location, Origin, UrlError, crosses, join
from planrunner.protocols.telling_clients import ClientAccount
from planrunner.units import NS_PER_S

FOREVER: Final = 2**63

__all__ = ["HttpxClient", "HttpxSession", "open"]


def open(settings: HttpSettings, clock: Clock) -> HttpxClient:  # noqa: A001 - the registry's name
    """Open the client: a `ClientFactory`."""
    return HttpxClient(settings, clock)


class HttpxClient:
    """One worker's httpx: every user has its own connections, all share one TLS context."""

    def __init__(self, settings: HttpSettings, clock: Clock) -> None:
        self.settings = settings
        self.clock = clock
        self.now_ns = clock.now_ns
        # Making a context costs 70 to 120 ms: once for all users.
        self.tls = tls_context(settings)
        self.tally = Tally()
        self.sources = Sources(settings.sources)
        self.ends_iterations = settings.per_iteration
        self.budget = KeptBudget(settings.max_kept)
        self._told: Callable[[Sent | Redirect], None] | None = None

    def tap(self, told: Callable[[Sent | Redirect], None]) -> None:
        self._told = told

    def bind(self, exchange: Exchange) -> WireRequest:
        return bind_request(exchange if self._told is None else keeping_replies(exchange))

    def session(self) -> HttpxSession:
        return self.session_of(0)

    def session_of(self, number: int) -> HttpxSession:
        jar = CookieJar(self.now_ns, _wall_s)
        tokens, told = Tokens(), self._told
        identity = WireIdentity(jar) if told is None else TappedIdentity(jar, tokens, told)
        return HttpxSession(self, identity, tokens, number)

    def account(self) -> ClientAccount:
        return self.tally.account()

    def sweep(self, now_ns: int) -> None:
        """Do nothing: each request has its own timer here."""

    async def close(self) -> None:
        """Do nothing: sessions own the connections."""


class HttpxSession:
    """One user's connections and cookies; the reply object is used again for each request."""

    def __init__(
        self, client: HttpxClient, identity: WireIdentity, tokens: Tokens, number: int
    ) -> None:
        self._client = client
        self._number = number
        self.identity = identity
        self._others: list[HttpxSession] = []
        self.tokens = tokens
        self.clock = client.clock
        self._reply = Reply()
        self.kept = KeptBodies(client.budget)
        self._written: Outbound | None = None
        self._glimpse: Glimpse | None = None
        # One for each name of `http.hosts`: httpx's pool would share a connection among all names
        # with the same address. All other names share the one under "".
        self._transports: dict[str, httpx.AsyncHTTPTransport] = {}
        self._retire_ns = FOREVER

    async def send(self, bound: WireRequest, scope: Scope) -> Reply:
        if self._client.now_ns() >= self._retire_ns:
            await self._close_transports()
        outbound = bound.prepare(scope)
        if bound.may_repeat:
            return await send_with_care(self, bound, outbound, scope)
        return await self.exchange(bound, outbound)

    async def exchange(self, bound: WireRequest, outbound: Outbound) -> Reply:
        """Send once, redirects included."""
        reply, origin = self._fresh_reply(), outbound.origin
        try:
            async with asyncio.timeout(bound.timeout_ns / NS_PER_S):
                await self._follow(bound, outbound)
        except WireFault as fault:
            self._fail(fault.kind, fault.detail)
        except TimeoutError:
            what = "complete reply" if reply.sent else f"connection to {origin}"
            self._fail(FailureKind.TIMEOUT, f"no {what} within the timeout")
        return reply

    def lanes(self, count: int) -> Sequence[HttpxSession]:
        most = min(count, self._client.settings.per_user or count)
        while len(self._others) < most - 1:
            self._others.append(self._lane())
        return (self, *self._others[: most - 1])

    def _lane(self) -> HttpxSession:
        return HttpxSession(self._client, self.identity, self.tokens, self._number)

    def set_header(self, name: str, value: str | None) -> None:
        self.identity.set_header(name, value)

    def renew(self) -> None:
        self.identity.renew()
        self.tokens.renew()

    def recall(self) -> tuple[str, str]:
        reply, written = self._reply, self._written if self._reply.sent else None
        return recall(
            reply,
            origin=None if written is None else written.origin,
            data=b"" if written is None else written.data,
            glimpse=self._glimpse,
        )

    async def end_iteration(self) -> None:
        for session in (self, *self._others):
            await session._close_transports()  # noqa: SLF001 - of the same class

    async def close(self) -> None:
        for other in self._others:
            await other.close()
        self.kept.release()
        await self._close_transports()

    async def _close_transports(self) -> None:
        self._retire_ns = FOREVER
        while self._transports:
            _, transport = self._transports.popitem()
            await transport.aclose()

    # -- one request, with its redirects and its second try ----------------------------------

    def _fresh_reply(self) -> Reply:
        reply = self._reply
        self.kept.release()
        reply.failure, reply.detail = None, ""
        reply.status = reply.first_byte_ns = reply.ended_ns = 0
        reply.connect_ns = reply.received = reply.sent = reply.connects = reply.retries = 0
        reply.body, reply.head, reply.cookies = None, b"", ()
        reply.arrivals = None
        reply.asked_ns = reply.sent_ns = self._client.now_ns()
        return reply

    def _fail(self, kind: FailureKind, detail: str) -> None:
        reply = self._reply
        reply.failure, reply.detail, reply.body = kind, detail, None
        reply.ended_ns = self._client.now_ns()

    async def _follow(self, bound: WireRequest, outbound: Outbound) -> None:
        has_crossed = False
        origin, data = outbound.origin, outbound.data
        for _ in range(bound.max_redirects + 1):
            hop = replace(outbound, origin=origin, data=data)
            measured = await self._convince(bound, hop, has_crossed=has_crossed)
            cookies = _values(measured, b"set-cookie")
            self.identity.store(cookies, origin, data)
            location = _location(measured, origin, data) if bound.follows else None
            if location is None:
                self._finish(bound, measured)
                if bound.needs_care:
                    self._reply.url = f"{origin}{target_of(data)}"
                return
            self.identity.redirected(measured.status, _values(measured, b"location")[0])
            border = crosses(origin, location.origin)
            self._reply.cookies += cookies
            method = method_of(data)
            data = next_hop(data, measured.status, location, has_crossed=border)
            if method_of(data) != method:
                outbound = replace(outbound, upload=None)
            origin, has_crossed = location.origin, has_crossed or border
        raise WireFault(FailureKind.PROTOCOL, f"more than {bound.max_redirects} redirects")

    async def _convince(
        self, bound: WireRequest, hop: Outbound, *, has_crossed: bool
    ) -> HttpxAttempt:
        """Send a hop, and again while its reply is a challenge that can be answered."""
        identity, signer = self.identity, hop.signer
        while True:
            self._written = sent = self._dressed(bound, hop, has_crossed=has_crossed)
            measured = await self._try_twice(bound, sent)
            if signer is None or not signer.wants_again(
                measured.status, measured.head, identity.answers
            ):
                return measured
            identity.store(_values(measured, b"set-cookie"), hop.origin, hop.data)
            self._reply.retries += 1

    def _dressed(self, bound: WireRequest, hop: Outbound, *, has_crossed: bool) -> Outbound:
        identity = self.identity
        if hop.signer is None:
            data = identity.dress(hop.data, hop.origin, bound, has_crossed=has_crossed)
        else:
            data = identity.sign(
                hop.data,
                hop.origin,
                bound,
                has_crossed=has_crossed,
                signer=hop.signer,
                is_streamed=hop.upload is not None,
            )
        return replace(hop, data=data)

    async def _try_twice(self, bound: WireRequest, outbound: Outbound) -> HttpxAttempt:
        """Send again, once, what a reused connection lost before any byte of a reply."""
        try:
            return await self._try(bound, outbound)
        except WireFault as fault:
            if not (fault.is_stale and bound.is_idempotent):
                raise
        self._reply.retries += 1
        return await self._try(bound, outbound)

    async def _try(self, bound: WireRequest, outbound: Outbound) -> HttpxAttempt:
        settings, origin = self._client.settings, outbound.origin
        measured = HttpxAttempt(self._client.now_ns, reading=outbound.reading)
        started_ns = self._client.now_ns()
        try:
            await attempt(
                self._transport(origin.host if origin.host in settings.hosts else ""),
                _outgoing(outbound, settings),
                measured,
                max_head=settings.max_head,
                max_body=settings.max_body,
                kept=self.kept if bound.wants_body else None,
            )
        finally:
            # Also after a failure and in a cancelled request: what was sent was sent.
            upload = outbound.upload
            self._add(measured, len(outbound.data) + (0 if upload is None else upload.size))
            self._account(measured, started_ns)
        return measured

    def _add(self, measured: HttpxAttempt, size: int) -> None:
        reply = self._reply
        if measured.connect_started_ns:
            ended_ns = measured.connect_ended_ns or self._client.now_ns()
            reply.connect_ns += ended_ns - measured.connect_started_ns
        reply.connects += measured.connects
        if measured.sent_ns:
            if not reply.sent and measured.connect_started_ns:
                reply.sent_ns = measured.sent_ns
            reply.sent += size
        reply.status = measured.status
        reply.head = measured.head
        self._glimpse = measured.head, measured.beginning
        reply.received += measured.received
        reply.first_byte_ns = measured.first_byte_ns
        if measured.reading is not None and measured.reading.has_begun:
            reply.arrivals = measured.reading.arrivals

    def _account(self, measured: HttpxAttempt, started_ns: int) -> None:
        """Count how long the request waited in httpx and in the event loop until it had left."""
        tally = self._client.tally
        tally.surplus_replies += measured.has_surplus
        if measured.left_ns and measured.first_byte_ns:
            connect_ns = measured.connect_ended_ns - measured.connect_started_ns
            tally.queued_ns += measured.left_ns - started_ns - max(connect_ns, 0)
            tally.latency_ns += self._client.now_ns() - started_ns

    def _finish(self, bound: WireRequest, measured: HttpxAttempt) -> None:
        reply = self._reply
        reply.ended_ns = self._client.now_ns()
        if measured.reading is not None and measured.reading.takes(measured.status):
            measured.reading.end(reply)
            return
        if not bound.wants_body:
            return
        encoding = ",".join(_values(measured, b"content-encoding")).lower()
        client, deadline_ns = self._client, reply.asked_ns + bound.timeout_ns
        reply.body = decode_body(
            measured.content,
            encoding,
            limit=client.settings.max_body,
            kept=self.kept,
            is_late=lambda: client.now_ns() > deadline_ns,
        )

    def _transport(self, name: str) -> httpx.AsyncHTTPTransport:
        transport, settings = self._transports.get(name), self._client.settings
        if transport is None:
            if settings.max_age_ns:
                # None of its connections is older than the oldest transport.
                oldest_ns = self._client.now_ns() + settings.max_age_ns
                self._retire_ns = min(self._retire_ns, oldest_ns)
            transport = self._transports[name] = httpx.AsyncHTTPTransport(
                verify=self._client.tls,
                trust_env=False,
                # A user's connections last for its life, unless the plan says otherwise.
                limits=httpx.Limits(
                    max_keepalive_connections=None if settings.keepalive else 0,
                    keepalive_expiry=settings.max_idle_ns / NS_PER_S or None,
                ),
                proxy=settings.proxy or None,
            )
            if self._client.sources:
                # It is handed to every kind of pool, and httpx hands on none; the contract suite
                # says so if it is called something else one day.
                backend = SourceBackend(self._client.sources, self._number)
                transport._pool._network_backend = backend  # noqa: SLF001
        return transport


def _wall_s() -> float:
    return datetime.now(UTC).timestamp()


def _outgoing(outbound: Outbound, settings: HttpSettings) -> Outgoing:
    """Take a rendered request apart: httpx wants the pieces."""
    origin, upload = outbound.origin, outbound.upload
    head, _, content = outbound.data.partition(b"\r\n\r\n")
    first, *lines = head.split(b"\r\n")
    method, target, _ = first.split(b" ")
    pairs = (line.partition(b":") for line in lines)
    address = settings.hosts.get(origin.host, origin.host)
    try:
        url = httpx.URL(scheme=origin.scheme, host=address, port=origin.port, raw_path=target)
    except httpx.InvalidURL as fault:
        raise EvaluationError("`client: httpx` can't send this URL") from fault
    return Outgoing(
        method=method.decode("ascii"),
        url=url,
        target=_exact_target(origin, target, settings.proxy),
        headers=[(name, value.lstrip()) for name, _, value in pairs],
        content=content if upload is None else upload.read(),
        host=f"{origin.host}:{origin.port}",
        server_name=None if address == origin.host else origin.host,
    )


def _exact_target(origin: Origin, target: bytes, proxy: str) -> bytes | None:
    """Keep httpx from rewriting the target, where it can be kept from it.

    A proxy is asked for a whole URL; through a tunnel httpcore would take the target for CONNECT's.
    """
    if not proxy or proxy.startswith("socks"):
        return target
    return str(origin).encode("ascii") + target if origin.scheme == "http" else None


def _values(measured: HttpxAttempt, name: bytes) -> tuple[str, ...]:
    return tuple(value.decode("latin-1") for key, value in measured.headers if key.lower() == name)


def _location(measured: HttpxAttempt, origin: Origin, data: bytes) -> Location | None:
    values = _values(measured, b"location")
    if measured.status not in REDIRECTS or not values:
        return None
    try:
        # UTF-8 is what servers mean when they send bytes over 127.
        text = values[0].encode("latin-1").decode("utf-8", "replace")
        return join(origin, target_of(data), text)
    except UrlError as fault:
        raise WireFault(
            FailureKind.PROTOCOL, f"the redirect has no valid target: {fault.message}"
        ) from fault

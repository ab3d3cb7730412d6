"""Requests that may take more than one try: `retry`, and tokens of OAuth2 (every client's).

All tries together are one sample: the last one's status, the time from the first one on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, Final, Protocol

from planrunner.clock import Clock
from planrunner.language.expressions.expression import EvaluationError
from planrunner.language.secrets import Masker
from planrunner.protocols.base import FailureKind, Reply, Scope
from planrunner.protocols.http.clients.kept_bodies import KeptBodies
from planrunner.protocols.http.clients.request import (
    BoundGrant,
    Outbound,
    WireRequest,
    header_line,
)
from planrunner.protocols.http.clients.rewrite import add_lines
from planrunner.protocols.http.clients.streams.reading import StreamReading
from planrunner.protocols.received import read_json
from planrunner.units import NS_PER_S

__all__ = ["Sender", "Tokens", "send_with_care"]

_UNAUTHORIZED: Final = 401
_NO_TIME: Final = "the stream ended too early, and the timeout before it could go on"
_LONGEST_LEAD_NS: Final = 30 * NS_PER_S


class Sender(Protocol):
    """What a session can do for this module.

    Attributes:
        tokens: The user's.
        kept: What it keeps of replies.
    """

    tokens: Tokens
    kept: KeptBodies
    clock: Clock

    async def exchange(self, bound: WireRequest, outbound: Outbound) -> Reply:
        """Send once, redirects included; never fails."""


async def send_with_care(
    sender: Sender, bound: WireRequest, outbound: Outbound, scope: Scope
) -> Reply:
    """Send, and send again while the plan wants that."""
    if outbound.signer is not None and outbound.upload is not None:
        await outbound.signer.read(outbound.upload)
    spent = _Spent()
    retry = bound.retry
    left = 0 if retry is None else retry.times
    reply = await _try(sender, bound, outbound, scope, spent)
    while retry is not None and left and retry.wants(reply):
        left -= 1
        spent.add(reply)
        if retry.wait_ns:
            await sender.clock.sleep_until(sender.clock.now_ns() + retry.wait_ns)
        reply = await _try(sender, bound, outbound, scope, spent)
    spent.put_into(reply)
    reply.cover = sender.tokens.cover
    return reply


async def _try(
    sender: Sender, bound: WireRequest, outbound: Outbound, scope: Scope, spent: _Spent
) -> Reply:
    """Send once; a stream that ends too early is gone on with where the plan says so."""
    if bound.pieces is None:
        return await _granted(sender, bound, outbound, scope, spent)
    clock = sender.clock
    reading = StreamReading(
        bound.pieces, scope, clock.now_ns, kept=sender.kept, timeout_ns=bound.timeout_ns
    )
    reply = await _granted(sender, bound, replace(outbound, reading=reading), scope, spent)
    ends_ns, first_byte_ns = reading.ends_ns, reply.first_byte_ns
    while reading.wants_again(reply):
        wait_ns, last_id = reading.again()
        again_ns = clock.now_ns() + wait_ns
        await clock.sleep_until(min(again_ns, ends_ns))
        if again_ns >= ends_ns:
            reply.failure, reply.detail = FailureKind.TIMEOUT, _NO_TIME
            reply.ended_ns = ends_ns
            break
        spent.add(reply)
        behind = header_line("Last-Event-ID", last_id) if last_id else b""
        message = replace(outbound, data=add_lines(outbound.data, behind), reading=reading)
        left = replace(bound, timeout_ns=ends_ns - again_ns)
        reply = await _granted(sender, left, message, scope, spent)
    reply.first_byte_ns = first_byte_ns or reply.first_byte_ns
    if reading.arrivals.count:
        reply.arrivals = reading.arrivals
    return reply


async def _granted(
    sender: Sender, bound: WireRequest, outbound: Outbound, scope: Scope, spent: _Spent
) -> Reply:
    """Send once; with a token that the server no longer takes, once more with a new one."""
    grant, tokens = bound.grant, sender.tokens
    if grant is None:
        return await sender.exchange(bound, outbound)

    async def fetch() -> Reply:
        return await sender.exchange(grant.request, grant.request.prepare(scope))

    token = await tokens.get(grant, fetch, sender.clock.now_ns)
    if isinstance(token, Reply):
        return token
    reply = await sender.exchange(bound, _bearing(outbound, token))
    if reply.status != _UNAUTHORIZED or reply.failure is not None:
        return reply
    spent.add(reply)
    tokens.drop(grant, token)
    token = await tokens.get(grant, fetch, sender.clock.now_ns)
    if isinstance(token, Reply):
        return token
    return await sender.exchange(bound, _bearing(outbound, token))


def _bearing(outbound: Outbound, line: bytes) -> Outbound:
    return replace(outbound, data=add_lines(outbound.data, line))


class Tokens:
    """One user's tokens, by what grants them; kept as header lines.

    A token is fetched by the first request that needs it, and again when a tenth of its life is
    left, at most 30 s before its end.
    """

    __slots__ = ("_known", "_lock", "_mask")

    def __init__(self) -> None:
        self._mask: Masker | None = None
        self._known: dict[tuple[str, ...], tuple[bytes, int | None]] = {}
        self._lock: asyncio.Lock | None = None

    async def get(
        self,
        grant: BoundGrant,
        fetch: Callable[[], Awaitable[Reply]],
        now_ns: Callable[[], int],
    ) -> bytes | Reply:
        """Return the Authorization line; the failed reply when no token can be had."""
        if self._lock is None:
            self._lock = asyncio.Lock()
        async with self._lock:  # requests side by side fetch one token
            known = self._known.get(grant.key)
            if known is not None and (known[1] is None or now_ns() < known[1]):
                return known[0]
            reply = await fetch()
            line = _read_token(reply)
            if not line:
                return _without_token(reply)
            self._known[grant.key] = line, _renew_at(reply)
            self._mask = None
            return line

    def renew(self) -> None:
        """Forget the tokens; the mask of them is kept until there are others."""
        self._known.clear()

    def holds(self, line: bytes) -> bool:
        """Say whether a header line, without its end, carries one of these tokens."""
        return any(known.rstrip() == line for known, _ in self._known.values())

    def cover(self, text: str) -> str:
        """Mask the tokens in a text, which a server may have said back."""
        if self._mask is None:  # most users never fail, and making one takes its time
            lines = (line.decode("latin-1").strip() for line, _ in self._known.values())
            self._mask = Masker(line.rpartition(" ")[2] for line in lines)
        return self._mask(text)

    def drop(self, grant: BoundGrant, line: bytes) -> None:
        """Forget a token that was refused, unless there is a newer one already."""
        known = self._known.get(grant.key)
        if known is not None and known[0] == line:
            del self._known[grant.key]


def _fields(reply: Reply) -> dict[str, Any]:
    data = reply.parsed(read_json)
    return data if isinstance(data, dict) else {}


def _read_token(reply: Reply) -> bytes:
    """Return the header line that carries the token; empty when there is none."""
    if reply.failure is not None or not 200 <= reply.status < 300:
        return b""
    token = _fields(reply).get("access_token")
    if not isinstance(token, str) or not token:
        return b""
    try:
        return header_line("Authorization", f"Bearer {token}")
    except EvaluationError:  # nothing that could stand in a header
        return b""


def _renew_at(reply: Reply) -> int | None:
    life = _fields(reply).get("expires_in")
    if isinstance(life, str) and life.isdecimal():  # some servers write a text
        life = int(life[:12])
    if isinstance(life, bool) or not isinstance(life, int | float) or not 0 <= life < 1e10:
        return None
    life_ns = int(life * NS_PER_S)
    return reply.ended_ns + life_ns - min(life_ns // 10, _LONGEST_LEAD_NS)


def _without_token(reply: Reply) -> Reply:
    """Turn the token's reply into that of the request that could not be sent."""
    if reply.failure is not None:
        reply.detail = f"no token: {reply.detail}"
    elif not 200 <= reply.status < 300:
        reply.failure, reply.detail = FailureKind.STATUS, f"no token: status {reply.status}"
    else:
        reply.failure = FailureKind.PROTOCOL
        reply.detail = "no token: the reply has no `access_token`"
    reply.status = reply.received = reply.sent = reply.connects = reply.connect_ns = 0
    reply.retries = reply.first_byte_ns = 0
    reply.sent_ns = reply.asked_ns
    reply.body, reply.head = None, b""
    return reply


class _Spent:
    """What the tries before the last one took; sessions use one reply object for all."""

    __slots__ = ("asked_ns", "connect_ns", "connects", "received", "sent", "sent_ns", "tries")

    def __init__(self) -> None:
        self.asked_ns = self.sent_ns = 0
        self.connect_ns = self.connects = self.received = self.sent = self.tries = 0

    def add(self, reply: Reply) -> None:
        if not self.tries:
            self.asked_ns = reply.asked_ns
        if not self.sent and reply.sent:
            self.sent_ns = reply.sent_ns
        self.connect_ns += reply.connect_ns
        self.connects += reply.connects
        self.received += reply.received
        self.sent += reply.sent
        self.tries += 1 + reply.retries

    def put_into(self, reply: Reply) -> None:
        if not self.tries:
            return
        reply.asked_ns = self.asked_ns
        if self.sent:
            reply.sent_ns = self.sent_ns
        elif not reply.sent:
            reply.sent_ns = self.asked_ns
        reply.connect_ns += self.connect_ns
        reply.connects += self.connects
        reply.received += self.received
        reply.sent += self.sent
        reply.retries += self.tries

"""Showing what the HTTP clients send, byte for byte as it goes out; for debugging a plan."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from planrunner.protocols.base import Exchange, Redirect, Sent
from planrunner.protocols.http.clients.identity import WireIdentity
from planrunner.protocols.http.clients.request import WireRequest
from planrunner.protocols.http.clients.retries import Tokens
from planrunner.protocols.http.clients.signing.signer import MessageSigner
from planrunner.protocols.http.cookies import CookieJar
from planrunner.protocols.http.operation import HttpOperation
from planrunner.protocols.http.url import Origin

__all__ = ["TappedIdentity", "keeping_replies", "sent_message"]


class TappedIdentity(WireIdentity):
    """Tells every request once it has been dressed: there is none that leaves undressed."""

    __slots__ = ("_tokens", "_told")

    def __init__(
        self, jar: CookieJar, tokens: Tokens, told: Callable[[Sent | Redirect], None]
    ) -> None:
        super().__init__(jar)
        self._told = told
        self._tokens = tokens
        self.is_plain = False

    def store(self, cookies: tuple[str, ...], origin: Origin, data: bytes) -> None:
        super().store(cookies, origin, data)
        self.is_plain = False

    def renew(self) -> None:
        super().renew()
        self.is_plain = False

    def redirected(self, status: int, location: str) -> None:
        self._told(Redirect(status, location))

    def dress(self, data: bytes, origin: Origin, bound: WireRequest, *, has_crossed: bool) -> bytes:
        dressed = super().dress(data, origin, bound, has_crossed=has_crossed)
        self._told(sent_message(dressed, origin, self._tokens))
        return dressed

    def sign(
        self,
        data: bytes,
        origin: Origin,
        bound: WireRequest,
        *,
        has_crossed: bool,
        signer: MessageSigner,
        is_streamed: bool,
    ) -> bytes:
        signed = super().sign(
            data, origin, bound, has_crossed=has_crossed, signer=signer, is_streamed=is_streamed
        )
        self._told(sent_message(signed, origin, self._tokens))
        return signed


def sent_message(data: bytes, origin: Origin, tokens: Tokens) -> Sent:
    """Return a request for people to read, tokens masked."""
    head, _, body = data.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    method, target, _ = first.split(" ", 2)
    headers = []
    for line in lines:
        name, _, value = line.partition(":")
        # What was granted for a secret is as good as the secret.
        is_token = tokens.holds(line.encode("latin-1"))
        headers.append((name, "Bearer ***" if is_token else value.strip()))
    return Sent(method, f"{origin}{target}", tuple(headers), body)


def keeping_replies(exchange: Exchange) -> Exchange:
    """Return the exchange so that all of its reply is kept."""
    operation = exchange.operation
    assert isinstance(operation, HttpOperation)
    stream = operation.stream
    if stream is not None:
        stream = replace(stream, keeps_json=True, is_shown=True)
    kept = replace(operation, needs_body=True, needs_head=True, stream=stream)
    return replace(exchange, operation=kept)

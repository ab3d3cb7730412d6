"""What a session sent last and what came back, in words."""

from __future__ import annotations

import re
from typing import Final

from planrunner.protocols.base import Reply
from planrunner.protocols.http.content import decode_beginning
from planrunner.protocols.http.url import Origin

__all__ = ["GLIMPSE", "Glimpse", "is_worth_a_glimpse", "recall"]

GLIMPSE: Final = 4_096
"""How much is kept of a body that nothing reads, when the reply may be a failure."""

Glimpse = tuple[bytes, bytes]
"""The head of a reply, and the beginning of its body as it came over the wire."""

_WIDEST: Final = 256 * 1024
_ENCODED: Final = re.compile(rb"(?im)^content-encoding[ \t]*:[ \t]*([\w-]+)[ \t]*\r?$")


def is_worth_a_glimpse(status: int) -> bool:
    """Say whether a reply with this status is so likely a failure that its body is of interest."""
    return status >= 400


def recall(
    reply: Reply, *, origin: Origin | None, data: bytes, glimpse: Glimpse | None
) -> tuple[str, str]:
    """Return a request as it left, and its reply; whoever shows them takes secrets out.

    Args:
        reply: What came.
        origin: Where it went; None when nothing was sent.
        data: What was sent there.
        glimpse: What is known of the body of a reply that nothing reads.
    """
    sent = "" if origin is None else _message(data[:_WIDEST], f"{origin}")
    body = reply.body
    if body is None or reply.arrivals is not None:
        body = _glimpsed(reply, glimpse)
    received = _message(reply.head + body[:_WIDEST], "") if reply.head else ""
    return reply.cover(sent), reply.cover(received)


def _glimpsed(reply: Reply, glimpse: Glimpse | None) -> bytes:
    if glimpse is None or glimpse[0] is not reply.head:
        return b""
    encoded = _ENCODED.search(reply.head)
    if encoded is None:
        return glimpse[1]
    return decode_beginning(glimpse[1], encoded[1].decode("ascii").lower(), GLIMPSE)


def _message(data: bytes, origin: str) -> str:
    head, _, body = data.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").splitlines()
    if origin:
        method, _, target = first.partition(" ")
        first = f"{method} {origin}{target.rpartition(' ')[0]}"
    shown = "\n".join([first, *lines])
    return f"{shown}\n\n{body.decode('utf-8', 'replace')}" if body else shown

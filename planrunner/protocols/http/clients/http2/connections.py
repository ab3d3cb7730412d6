"""What makes the HTTP/2 connections of one client; named by text, as nobody else needs jh2."""

from __future__ import annotations

from collections.abc import Callable

from planrunner.protocols.http.clients.http1.open_connection import ReplyLimits
from planrunner.protocols.http.clients.http2.connection import Http2Connection
from planrunner.protocols.http.clients.http2.heads import Http2Heads
from planrunner.protocols.http.url import Origin

__all__ = ["Http2Connections"]


class Http2Connections:
    """Makes connections that know the heads of the others.

    Args:
        limits: Of replies.
        max_body: A longer body is never quick, so that its limit is looked at.
        now_ns: The clock.
    """

    def __init__(self, limits: ReplyLimits, max_body: int, now_ns: Callable[[], int]) -> None:
        self._limits = limits
        self._now_ns = now_ns
        self._heads = {scheme: Http2Heads(scheme, max_body) for scheme in ("http", "https")}

    def make(self, origin: Origin) -> Http2Connection:
        """Return one that isn't open yet."""
        return Http2Connection(origin, self._heads[origin.scheme], self._limits, self._now_ns)

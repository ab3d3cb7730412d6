"""Where a redirect leads: one set of rules for every client.

Source: RFC 9110 §15.4, and the Fetch standard where it leaves a choice.
"""

from __future__ import annotations

from typing import Final

from planrunner.protocols.http.url import Origin

__all__ = ["BODY_HEADERS", "PRIVATE_HEADERS", "REDIRECTS", "crosses", "redirect_method"]

REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})

PRIVATE_HEADERS: Final = frozenset({"authorization", "cookie", "proxy-authorization"})
"""Not sent on across a border; see `crosses`."""

BODY_HEADERS: Final = frozenset(
    {"content-encoding", "content-language", "content-length", "content-location", "content-type"}
)
"""Dropped together with the body when the method becomes GET."""


def crosses(origin: Origin, target: Origin) -> bool:
    """Say whether a redirect leads where credentials must not follow.

    That is to another host, or from TLS to where anybody could read them. Other ports of the same
    host have the same owner, as for cookies.
    """
    return origin.host != target.host or (origin.scheme, target.scheme) == ("https", "http")


def redirect_method(status: int, method: str) -> str:
    """Return the method of the next request; when it differs, the body is dropped."""
    if status == 303 and method != "HEAD":
        return "GET"
    return "GET" if status in (301, 302) and method == "POST" else method

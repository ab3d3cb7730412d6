"""Who may use a server: whoever has its token, in a browser that shows this server's own page."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from hmac import compare_digest
from ipaddress import ip_address
from typing import Final

__all__ = ["PageAccess"]

_LOCAL: Final = ("127.0.0.1", "localhost", "[::1]")
_OWN_SITES: Final = ("same-origin", "none", "")
_EVERYWHERE: Final = ("0.0.0.0", "::")


class PageAccess:
    """The secrets of one server, and the names that it answers to.

    The page lives below a path that nobody can guess, and its cookie is sent below that path alone:
    cookies are shared by all ports of a host, and so would reach other servers of this machine.

    Args:
        host: Where the server listens.
        port: The port that it has.

    Attributes:
        base: That path, with a slash at both ends.
    """

    def __init__(self, host: str, port: int) -> None:
        self._host, self._port = host, port
        self._token = secrets.token_urlsafe(24)
        self._key = secrets.token_urlsafe(24)
        self._tickets: set[str] = set()
        self.base: Final = f"/{secrets.token_urlsafe(16)}/"
        self.cookie: Final = f"planrunner-{port}"

    @property
    def is_local(self) -> bool:
        """Whether only this machine can reach it."""
        return self._host in _LOCAL or _is_loopback(self._host)

    @property
    def origin(self) -> str:
        """The address for a browser on this machine."""
        host = "127.0.0.1" if self._host in _EVERYWHERE else self._host
        return f"http://{_bracketed(host)}:{self._port}"

    @property
    def url(self) -> str:
        """What opens the page, for a person to keep to themselves."""
        return f"{self.origin}/?token={self._token}"

    def ticket(self) -> str:
        """Return what opens the page once: others may read the command line of a browser."""
        ticket = secrets.token_urlsafe(24)
        self._tickets.add(ticket)
        return f"{self.origin}/?ticket={ticket}"

    def admits(self, *, token: str, ticket: str) -> bool:
        """Whether a page may be opened with these; a ticket is used up."""
        if ticket in self._tickets:
            self._tickets.discard(ticket)
            return True
        return compare_digest(token.encode(), self._token.encode())

    def set_cookie(self) -> str:
        """Return the header that lets a browser in from now on."""
        return f"{self.cookie}={self._key}; Path={self.base}; HttpOnly; SameSite=Strict"

    def knows(self, *, cookie: str, authorization: str) -> bool:
        """Whether a request comes from a browser that was let in, or has the token itself."""
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() == "bearer":
            return compare_digest(token.strip().encode(), self._token.encode())
        return compare_digest(cookie.encode(), self._key.encode())

    def is_own_host(self, host: str) -> bool:
        """Whether a request was meant for this server: a name that leads here may be a stranger's.

        A server that listens everywhere is called by any address, but by no name.
        """
        name, colon, port = host.rpartition(":")
        if not colon or port != str(self._port):
            return False
        if name.lower() in (*_LOCAL, _bracketed(self._host).lower()):
            return name.lower() not in _LOCAL or self.is_local or self._host in _EVERYWHERE
        return self._host in _EVERYWHERE and _is_address(name)

    def is_own_page(self, headers: Mapping[str, str], *, changes: bool) -> bool:
        """Whether no other site than this server's page has sent a request.

        Args:
            headers: Of the request.
            changes: It is no mere look at something: then a browser must say who sent it.
        """
        own = f"http://{headers.get('host', '')}"
        origin = headers.get("origin", "" if changes else own)
        return origin == own and headers.get("sec-fetch-site", "") in _OWN_SITES


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host and not host.startswith("[") else host


def _is_address(name: str) -> bool:
    try:
        ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True


def _is_loopback(name: str) -> bool:
    return _is_address(name) and ip_address(name.strip("[]")).is_loopback

"""A small cookie jar, one per virtual user.

Source: RFC 6265. Left out: public suffixes (a test talks to hosts its plan names) and SameSite
(there is no browsing context).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from ipaddress import ip_address
from typing import Final

from planrunner.protocols.http.url import Origin
from planrunner.units import NS_PER_S
from planrunner.values import dataclass

__all__ = ["Cookie", "CookieJar"]

MAX_COOKIES: Final = 200
"""A server that makes up a new name for every reply cannot fill the memory (RFC 6265 §6.1: 50
for each domain is what a client must hold)."""

FOREVER: Final = 2**63
PAST: Final = -FOREVER


@dataclass(frozen=True, slots=True)
class Cookie:
    """A cookie as the server set it.

    Attributes:
        host_only: Sent to exactly `domain`, not to names below it.
        expires_ns: On the jar's clock; FOREVER for a session cookie.
    """

    name: str
    value: str
    domain: str
    path: str
    host_only: bool
    secure: bool
    expires_ns: int


class CookieJar:
    """The cookies of one user.

    Args:
        now_ns: The clock that expires cookies.
        wall_s: Seconds since the epoch, to translate `Expires` dates.
    """

    __slots__ = ("_cookies", "_now_ns", "_seen", "_seen_origin", "_seen_until_ns", "wall_s")

    def __init__(self, now_ns: Callable[[], int], wall_s: Callable[[], float]) -> None:
        self._cookies: dict[tuple[str, str, str], Cookie] = {}
        self._now_ns = now_ns
        self.wall_s = wall_s
        self._seen = ""
        self._seen_origin: Origin | None = None
        self._seen_until_ns = PAST

    def __len__(self) -> int:
        return len(self._cookies)

    def clear(self) -> None:
        """Forget all cookies."""
        if self._cookies:
            self._cookies.clear()
            self._seen_origin = None

    def store(self, header: str, origin: Origin, target: str) -> None:
        """Take one Set-Cookie value of a reply to `target`; what isn't allowed is ignored."""
        pair, *attributes = header.split(";")
        name, equals, value = pair.partition("=")
        name = name.strip()
        if not (equals and name and _is_sendable(pair)):
            return
        options = _options(attributes)
        domain = options.get("domain", "").lower().lstrip(".")
        if domain and not _matches(origin.host, domain):
            return
        if "secure" in options and not _is_trusted(origin):
            return
        path = options.get("path", "")
        cookie = Cookie(
            name=name,
            value=value.strip(),
            domain=domain or origin.host,
            path=path if path.startswith("/") else _default_path(target),
            host_only=not domain,
            secure="secure" in options,
            expires_ns=self._expires_ns(options),
        )
        self._put(cookie)

    def repeated(self, origin: Origin) -> str | None:
        """Return what `header` last gave for the same origin object, if any path gives the same.

        Nearly all sites have cookies for `/` only, and users that stay with one site.
        """
        if origin is self._seen_origin and self._now_ns() < self._seen_until_ns:
            return self._seen
        return None

    def header(self, origin: Origin, target: str) -> str:
        """Return the Cookie value for a request, empty for none; longest paths first."""
        if not self._cookies:
            return ""
        path = target.partition("?")[0]
        now_ns = self._now_ns()
        alive = [cookie for cookie in self._cookies.values() if cookie.expires_ns > now_ns]
        chosen = [cookie for cookie in alive if _applies(cookie, origin, path)]
        chosen.sort(key=lambda cookie: -len(cookie.path))
        value = "; ".join([f"{cookie.name}={cookie.value}" for cookie in chosen])
        if all(cookie.path == "/" for cookie in alive):
            self._seen, self._seen_origin = value, origin
            self._seen_until_ns = min((cookie.expires_ns for cookie in alive), default=PAST)
        return value

    def _put(self, cookie: Cookie) -> None:
        key = (cookie.domain, cookie.path, cookie.name)
        self._seen_origin = None
        if cookie.expires_ns <= self._now_ns():
            self._cookies.pop(key, None)
            return
        if key not in self._cookies and len(self._cookies) >= MAX_COOKIES:
            del self._cookies[next(iter(self._cookies))]
        self._cookies[key] = cookie

    def _expires_ns(self, options: dict[str, str]) -> int:
        """Return when the cookie expires; Max-Age wins over Expires (RFC 6265 §5.3)."""
        age = options.get("max-age", "")
        if age.removeprefix("-").isdecimal() and age.isascii():
            # Cut off before converting: an age of a million digits costs nothing.
            seconds = int(age[:12])
            return self._now_ns() + seconds * NS_PER_S if seconds > 0 else PAST
        expires = _parse_date(options.get("expires", ""))
        if expires is None:
            return FOREVER
        left_s = expires.timestamp() - self.wall_s()
        return self._now_ns() + int(left_s * NS_PER_S) if left_s > 0 else PAST


def _options(attributes: list[str]) -> dict[str, str]:
    options = {}
    for attribute in attributes:
        name, _, value = attribute.partition("=")
        options[name.strip().lower()] = value.strip()
    return options


def _parse_date(text: str) -> datetime | None:
    if not text:
        return None
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return None
    return date if date.tzinfo else date.replace(tzinfo=UTC)


def _is_sendable(text: str) -> bool:
    """Controls and non-Latin text would break the Cookie header."""
    return all(" " <= character != "\x7f" and character <= "\xff" for character in text)


def _matches(host: str, domain: str) -> bool:
    """Say whether `host` is `domain` or below it (RFC 6265 §5.1.3)."""
    if host == domain:
        return True
    return host.endswith(f".{domain}") and not _is_address(host)


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _is_trusted(origin: Origin) -> bool:
    """Secure cookies go over TLS, and to this machine itself, as in browsers."""
    return origin.scheme == "https" or origin.host in ("localhost", "127.0.0.1", "::1")


def _applies(cookie: Cookie, origin: Origin, path: str) -> bool:
    if cookie.host_only:
        if origin.host != cookie.domain:
            return False
    elif not _matches(origin.host, cookie.domain):
        return False
    if cookie.secure and not _is_trusted(origin):
        return False
    return path == cookie.path or path.startswith(cookie.path.removesuffix("/") + "/")


def _default_path(target: str) -> str:
    """Return the directory of the request's path (RFC 6265 §5.1.4)."""
    return target.partition("?")[0].rpartition("/")[0] or "/"

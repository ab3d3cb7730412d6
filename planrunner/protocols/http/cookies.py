"""A small cookie jar, one per virtual user.

Source: RFC 6265. Left out: public suffixes (a test talks to hosts its plan names) and SameSite
(there is no browsing context).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from ipaddress import ip_address
from typing import Final

from planrunner.protocols.http.url import Origin
from planrunner.units import NS_PER_S
from planrunner.values import dataclass

__all__ = ["Cookie", "CookieJar", "cookie_line"]

MAX_COOKIES: Final = 200
"""A server that makes up a new name for every reply cannot fill the memory (RFC 6265 §6.1: 50
for each domain is what a client must hold)."""

UNSENDABLE: Final = re.compile(r"[^ -~\x80-\xff]")
FOREVER: Final = 2**63
PAST: Final = -FOREVER


@dataclass(slots=True, eq=False)
class Cookie:
    """A cookie as the server set it.

    Attributes:
        pair: Name and value as they are sent.
        host_only: Sent to exactly `domain`, not to names below it.
        age_ns: How long it lives from when it is set; 0 where a date says, or nothing.
        expires_ns: On the jar's clock; FOREVER for a session cookie.
    """

    pair: str
    domain: str
    path: str
    host_only: bool
    secure: bool
    age_ns: int
    expires_ns: int


class CookieJar:
    """The cookies of one user.

    Args:
        now_ns: The clock that expires cookies.
        wall_s: Seconds since the epoch, to translate `Expires` dates.
    """

    __slots__ = (
        "_chosen",
        "_chosen_origin",
        "_chosen_until_ns",
        "_cookies",
        "_last_replaced",
        "_line",
        "_now_ns",
        "_said",
        "wall_s",
    )

    def __init__(self, now_ns: Callable[[], int], wall_s: Callable[[], float]) -> None:
        self._cookies: dict[tuple[str, str, str], Cookie] = {}
        self._said: dict[tuple[str, str, str, str], Cookie] = {}
        self._now_ns = now_ns
        self.wall_s = wall_s
        self._chosen: list[Cookie] = []
        self._chosen_origin: Origin | None = None
        self._chosen_until_ns = PAST
        self._line: bytes | None = b""
        self._last_replaced: tuple[str, str, Origin, Cookie] | None = None

    def __len__(self) -> int:
        return len(self._cookies)

    def clear(self) -> None:
        """Forget all cookies."""
        if self._cookies:
            self._cookies.clear()
            self._said.clear()
            self._chosen_origin = self._last_replaced = None

    def replace(self, header: str, origin: Origin) -> bool:
        """Take a Set-Cookie value that says all but the value as one before it did; or do nothing.

        Returns:
            Whether it was taken.
        """
        pair, _, said = header.partition(";")
        name, _, value = pair.partition("=")
        last = self._last_replaced  # most likely again, and comparing is cheaper than hashing
        if last is not None and origin is last[2] and name == last[0] and said == last[1]:
            cookie: Cookie | None = last[3]
        else:
            cookie = self._said.get((name, said, origin.scheme, origin.host))
            self._last_replaced = None if cookie is None else (name, said, origin, cookie)
        # As `_is_sendable`, but for what `store` may still take.
        if cookie is None or not (value.isascii() and value.isprintable()):
            return False
        if cookie.expires_ns != FOREVER:
            now_ns = self._now_ns()
            if cookie.expires_ns <= now_ns:
                return False
            if cookie.age_ns:
                cookie.expires_ns = now_ns + cookie.age_ns
        cookie.pair = f"{name.strip()}={value.strip()}" if " " in pair else pair
        self._line = None
        return True

    def store(self, header: str, origin: Origin, target: str) -> None:
        """Take one Set-Cookie value of a reply to `target`; what isn't allowed is ignored."""
        pair, _, said = header.partition(";")
        called, equals, value = pair.partition("=")
        name = called.strip()
        if not (equals and name and _is_sendable(pair)):
            return
        options = _options(said.split(";"))
        domain = options.get("domain", "").lower().lstrip(".")
        if domain and not _matches(origin.host, domain):
            return
        if "secure" in options and not _is_trusted(origin):
            return
        path = options.get("path", "")
        has_path = path.startswith("/")
        age_ns, expires_ns = self._life(options)
        cookie = Cookie(
            pair=f"{name}={value.strip()}",
            domain=domain or origin.host,
            path=path if has_path else _default_path(target),
            host_only=not domain,
            secure="secure" in options,
            age_ns=age_ns,
            expires_ns=expires_ns,
        )
        self._put(name, cookie)
        if has_path and expires_ns != PAST:
            self._said[called, said, origin.scheme, origin.host] = cookie

    def line(self, origin: Origin) -> bytes | None:
        """Return the Cookie line for an origin where each path has the same; empty for no cookies.

        None where `header` has to be asked: it was last asked for another origin object, a cookie
        has expired, or one is for some paths only. Nearly all sites have cookies for `/` only, and
        users that stay with one site.
        """
        if origin is not self._chosen_origin:
            return None
        until_ns = self._chosen_until_ns
        if until_ns != FOREVER and self._now_ns() >= until_ns:
            return None
        line = self._line
        if line is None:
            chosen = self._chosen
            value = chosen[0].pair if len(chosen) == 1 else "; ".join([one.pair for one in chosen])
            # As `cookie_line`, inline: the value differs with each reply where a server so wants.
            line = self._line = f"Cookie: {value}\r\n".encode("latin-1") if value else b""
        return line

    def header(self, origin: Origin, target: str) -> str:
        """Return the Cookie value for a request, empty for none; longest paths first."""
        if not self._cookies:
            return ""
        path = target.partition("?")[0]
        now_ns = self._now_ns()
        alive = [cookie for cookie in self._cookies.values() if cookie.expires_ns > now_ns]
        chosen = [cookie for cookie in alive if _applies(cookie, origin, path)]
        chosen.sort(key=lambda cookie: -len(cookie.path))
        value = "; ".join([cookie.pair for cookie in chosen])
        if all(cookie.path == "/" for cookie in alive):
            self._chosen, self._chosen_origin, self._line = chosen, origin, cookie_line(value)
            self._chosen_until_ns = min((cookie.expires_ns for cookie in alive), default=PAST)
        return value

    def _put(self, name: str, cookie: Cookie) -> None:
        key = (cookie.domain, cookie.path, name)
        self._chosen_origin = None
        self._drop(key)
        if cookie.expires_ns <= self._now_ns():
            self._cookies.pop(key, None)
            return
        if key not in self._cookies and len(self._cookies) >= MAX_COOKIES:
            first = next(iter(self._cookies))
            self._drop(first)
            del self._cookies[first]
        self._cookies[key] = cookie

    def _drop(self, key: tuple[str, str, str]) -> None:
        """Forget how a cookie was set that is another one from now on."""
        old = self._cookies.get(key)
        if old is not None:
            self._said = {how: cookie for how, cookie in self._said.items() if cookie is not old}
            self._last_replaced = None

    def _life(self, options: dict[str, str]) -> tuple[int, int]:
        """Return the cookie's age, 0 for none, and when it expires.

        Max-Age wins over Expires (RFC 6265 §5.3).
        """
        age = options.get("max-age", "")
        if age.removeprefix("-").isdecimal() and age.isascii():
            # Cut off before converting: an age of a million digits costs nothing.
            age_ns = int(age[:12]) * NS_PER_S
            return (age_ns, self._now_ns() + age_ns) if age_ns > 0 else (0, PAST)
        expires = _parse_date(options.get("expires", ""))
        if expires is None:
            return 0, FOREVER
        left_s = expires.timestamp() - self.wall_s()
        return 0, self._now_ns() + int(left_s * NS_PER_S) if left_s > 0 else PAST


def cookie_line(value: str) -> bytes:
    """Encode the header line that sends cookies; nothing for none."""
    return f"Cookie: {value}\r\n".encode("latin-1") if value else b""


def _options(attributes: list[str]) -> dict[str, str]:
    options = {}
    for attribute in attributes:
        name, _, value = attribute.partition("=")
        options[name.strip().lower()] = value.strip()
    return options


def _parse_date(text: str) -> datetime | None:
    if not text:
        return None
    from email.utils import parsedate_to_datetime  # noqa: PLC0415 - most cookies have no date

    try:
        date = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return None
    return date if date.tzinfo else date.replace(tzinfo=UTC)


def _is_sendable(text: str) -> bool:
    """Controls and non-Latin text would break the Cookie header."""
    return (text.isascii() and text.isprintable()) or UNSENDABLE.search(text) is None


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

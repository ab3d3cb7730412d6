"""URLs as both clients and the compiler see them: split, joined, percent-encoded, redirected.

Source: RFC 3986; for redirects RFC 9110 §15.4, and the Fetch standard where it leaves a choice.
Encoding keeps reserved characters and `%XX` that is already there, so a URL
that was written correctly is sent as written, and nothing a variable holds can end the request
line.
"""

from __future__ import annotations

import re
from base64 import b64encode
from typing import Final
from urllib.parse import quote, unquote_to_bytes, urljoin, urlsplit

from planrunner.errors import PlanrunnerError
from planrunner.late_pattern import late_pattern
from planrunner.values import dataclass

__all__ = [
    "BODY_HEADERS",
    "PRIVATE_HEADERS",
    "REDIRECTS",
    "Location",
    "Origin",
    "UrlError",
    "crosses",
    "join",
    "quote_query",
    "quote_target",
    "redirect_method",
    "split_url",
]

DEFAULT_PORTS: Final = {"http": 80, "https": 443}

# Everything that may not stand in a request target: controls, space, non-ASCII, the characters
# RFC 3986 leaves out, `#` (a fragment is never sent), and a `%` that begins no escape.
ILLEGAL: Final = late_pattern(r"""[^!$&'()*+,\-./0-9:;=?@A-Z\[\]_a-z~%]|%(?![0-9A-Fa-f]{2})""")


class UrlError(PlanrunnerError):
    """A text is no absolute http or https URL."""


@dataclass(frozen=True, slots=True)
class Origin:
    """What a connection is opened to.

    Attributes:
        scheme: `http` or `https`.
        host: Lower case, an IDNA name, an IPv4 address or an IPv6 address without brackets.
        port: The scheme's own when the URL names none.
    """

    scheme: str
    host: str
    port: int

    @property
    def authority(self) -> str:
        """Return what the Host header says: no port where it is the scheme's own."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"

    def __str__(self) -> str:
        return f"{self.scheme}://{self.authority}"


@dataclass(frozen=True, slots=True)
class Location:
    """An absolute URL, split.

    Attributes:
        target: Path and query, percent-encoded; begins with `/`.
        authorization: The Basic value of `user:password@`, empty without one.
    """

    origin: Origin
    target: str
    authorization: str = ""


def quote_target(text: str) -> str:
    """Percent-encode what may not stand in a request target; reserved characters stay."""
    return ILLEGAL.sub(_escape, text)


def quote_query(text: str) -> str:
    """Percent-encode a name or value of the query so that it stays one."""
    return quote(text, safe="")


def split_url(text: str) -> Location:
    """Split an absolute URL.

    Raises:
        UrlError: The scheme is neither http nor https, or host or port cannot be.
    """
    try:
        pieces = urlsplit(text.strip())
        port = pieces.port
    except ValueError as fault:
        raise UrlError(f"`{text}` is not a URL: {fault}") from fault
    scheme = pieces.scheme.lower()
    if scheme not in DEFAULT_PORTS:
        raise UrlError(
            f"`{text}` is not an absolute http or https URL",
            hint="begin it with http:// or https://, or set `http.base_url`",
        )
    if not pieces.hostname:
        raise UrlError("the URL names no host")
    target = quote_target((pieces.path or "/") + (f"?{pieces.query}" if pieces.query else ""))
    origin = Origin(scheme, _idna(pieces.hostname), DEFAULT_PORTS[scheme] if port is None else port)
    return Location(origin, target, _basic(pieces.username, pieces.password))


def join(origin: Origin, target: str, reference: str) -> Location:
    """Resolve a Location header against the URL it came from.

    Raises:
        UrlError: The reference leads to no http or https URL.
    """
    try:
        absolute = urljoin(f"{origin}{target}", reference.strip())
    except ValueError as fault:
        raise UrlError(f"`{reference}` is not a URL: {fault}") from fault
    return split_url(absolute)


def _escape(match: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in match[0].encode("utf-8", "surrogatepass"))


def _idna(host: str) -> str:
    if host.isascii():
        if not re.fullmatch(r"[!$&'()*+,;=\-.0-9A-Za-z_~:%]+", host):
            raise UrlError(f"`{host}` is not a host name")
        return host.lower()
    try:
        return host.encode("idna").decode("ascii").lower()
    except UnicodeError as fault:
        raise UrlError(f"`{host}` is not a host name") from fault


def _basic(user: str | None, password: str | None) -> str:
    if user is None and password is None:
        return ""
    pair = unquote_to_bytes(user or "") + b":" + unquote_to_bytes(password or "")
    return "Basic " + b64encode(pair).decode("ascii")


# -- redirects ---------------------------------------------------------------------------------

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

"""Encoded requests, changed: a user's own headers and cookies, and the next hop of a redirect.

Working on the bytes keeps one form of a request, so what is sent again is what was sent before:
no expression is evaluated twice.
"""

from __future__ import annotations

import re
from collections.abc import Container
from typing import Final

from planrunner.protocols.http.headers import asks_to_close
from planrunner.protocols.http.url import (
    BODY_HEADERS,
    PRIVATE_HEADERS,
    Location,
    redirect_method,
)

__all__ = [
    "add_cookies",
    "add_lines",
    "halves",
    "is_closing",
    "method_of",
    "next_hop",
    "target_of",
    "without",
]

EMPTY_LINE: Final = b"\r\n\r\n"
LINE_END: Final = b"\r\n"
CONNECTION: Final = re.compile(rb"(?i)\r\nconnection:[ \t]*([^\r\n]*)")
COOKIE: Final = re.compile(rb"(?i)\r\ncookie:[ \t]*([^\r\n]*)")


def method_of(data: bytes) -> str:
    return data[: data.index(b" ")].decode("ascii")


def target_of(data: bytes) -> str:
    return data[: data.index(LINE_END)].split(b" ")[1].decode("ascii")


def is_closing(data: bytes) -> bool:
    """Say whether a request asks for the end of its connection."""
    options = CONNECTION.search(data, 0, data.index(EMPTY_LINE) + len(LINE_END))
    return options is not None and asks_to_close(options[1].decode("latin-1"))


def add_lines(data: bytes, lines: bytes) -> bytes:
    """Put header lines behind the request line and the one after it, which is Host."""
    first, second, rest = data.split(LINE_END, 2)
    return LINE_END.join((first, second, lines + rest))


def halves(data: bytes) -> tuple[bytes, bytes]:
    """Return a request before and behind where `add_lines` puts lines."""
    rest = data.split(LINE_END, 2)[2]
    return data.removesuffix(rest), rest


def add_cookies(data: bytes, line: bytes) -> bytes:
    """Put a Cookie line's cookies behind those of a request; of a name in both, its own stays."""
    own = COOKIE.search(data, 0, data.index(EMPTY_LINE) + len(LINE_END))
    if own is None:
        return add_lines(data, line)
    cookies = line.removeprefix(b"Cookie: ").removesuffix(LINE_END)
    value = own[1].strip(b" \t;")
    names = {pair.partition(b"=")[0].strip() for pair in value.split(b";")}
    pairs = [pair for pair in cookies.split(b"; ") if pair.partition(b"=")[0] not in names]
    joined = b"; ".join([value, *pairs] if value else pairs)
    return data[: own.start(1)] + joined + data[own.end(1) :]


def without(data: bytes, names: Container[str]) -> bytes:
    """Take headers out, by their lower-case names."""
    head, _, body = data.partition(EMPTY_LINE)
    first, *lines = head.split(LINE_END)
    kept = [first, *(line for line in lines if _name(line) not in names)]
    return LINE_END.join(kept) + EMPTY_LINE + body


def next_hop(data: bytes, status: int, location: Location, *, has_crossed: bool) -> bytes:
    """Return the request that follows a redirect to `location`.

    Args:
        data: The request that was redirected.
        status: The redirect's.
        location: Where it leads.
        has_crossed: Credentials don't go there.
    """
    method = method_of(data)
    new_method = redirect_method(status, method)
    dropped = {"host"}
    if has_crossed:
        dropped |= PRIVATE_HEADERS
    if new_method != method:
        dropped |= BODY_HEADERS
        data = data[: data.index(EMPTY_LINE) + len(EMPTY_LINE)]
    _, _, rest = without(data, dropped).partition(LINE_END)
    start = f"{new_method} {location.target} HTTP/1.1\r\nHost: {location.origin.authority}\r\n"
    if location.authorization:
        rest = without(start.encode("ascii") + rest, {"authorization"}).partition(LINE_END)[2]
        start = f"{new_method} {location.target} HTTP/1.1\r\n"
        return add_lines(
            start.encode("ascii") + rest, f"Authorization: {location.authorization}\r\n".encode()
        )
    return start.encode("ascii") + rest


def _name(line: bytes) -> str:
    return line.partition(b":")[0].decode("latin-1").lower()

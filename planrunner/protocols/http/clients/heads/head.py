"""What the head of a reply says, found by taking it apart; `known` has cheaper ways.

A head is read as its sender's peers read it (ADR 33): strict where a reply could be taken for
another one, lenient where its meaning is clear.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

from planrunner.protocols.base import FailureKind
from planrunner.protocols.http.clients.fault import WireFault
from planrunner.protocols.http.clients.recall import is_worth_a_glimpse
from planrunner.protocols.http.url import REDIRECTS
from planrunner.values import dataclass

__all__ = [
    "HEAD_END",
    "NEVER_QUICK",
    "UNKNOWN_HEAD",
    "UNTIL_CLOSE",
    "ReplyHead",
    "facts_of",
    "is_surplus",
    "location_text",
    "parse_head",
    "status_named",
]

HEAD_END: Final = b"\r\n\r\n"
UNTIL_CLOSE: Final = -1
NEVER_QUICK: Final = -1
BODILESS: Final = frozenset({204, 304})
LONGEST_LENGTH: Final = 19
"""Digits of 2**63, beyond which clients overflow."""

# A bare LF ends a line for most clients (RFC 9112 §2.2).
STATUS: Final = rb"HTTP/1\.([01])[ \t]+([1-9][0-9][0-9])(?:[ \t][^\r\n\0]*+)?\r?\n"
HEAD: Final = re.compile(STATUS + rb"(?:[!#$%&'*+\-.^_`|~0-9A-Za-z]++:[^\r\n\0]*+\r?\n)*+\r?\n")
STATUS_LINE: Final = re.compile(STATUS)
# Spelled so that a line that doesn't matter is passed over at its first letter.
MATTERING: Final = re.compile(
    rb"\n([Cc](?i:onnection|ontent-encoding|ontent-length)|[Ll](?i:ocation)|[Ss](?i:et-cookie)"
    rb"|[Tt](?i:ransfer-encoding)):[ \t]*([^\r\n]*)"
)
FOLD: Final = re.compile(rb"\r?\n[ \t]+")
SPACE_BEFORE_COLON: Final = re.compile(rb"\n([^\r\n: \t]++)[ \t]++:")


@dataclass(slots=True, eq=False)  # not frozen: that would make it three times as slow to build
class ReplyHead:
    """What a head says about the reply.

    Attributes:
        raw: The head's bytes, empty line included.
        text: The same as it is understood: folded lines are unfolded, and no name ends in a space.
        length: Bytes of the body; UNTIL_CLOSE without Content-Length.
        keeps_alive: The connection may serve another request.
        encoding: Content-Encoding in lower case, empty for none.
        location: Empty unless the status is a redirect.
        cookies: The Set-Cookie values.
        quick: `length` when nothing but its bytes has to arrive: a final reply, not chunked or
            encoded, that keeps the connection, redirects nowhere and is not worth a glimpse. Else
            NEVER_QUICK.
    """

    raw: bytes
    text: bytes
    status: int
    length: int
    is_chunked: bool
    keeps_alive: bool
    encoding: str
    location: str
    cookies: tuple[str, ...]
    quick: int = NEVER_QUICK

    @property
    def needs_look(self) -> bool:
        """It redirects or sets a cookie."""
        return bool(self.location or self.cookies)

    def copy(self) -> ReplyHead:
        return ReplyHead(
            self.raw,
            self.text,
            self.status,
            self.length,
            self.is_chunked,
            self.keeps_alive,
            self.encoding,
            self.location,
            self.cookies,
            self.quick,
        )

    def settle(self, max_body: int) -> None:
        """Say whether it is quick; a body longer than `max_body` is not: its limit is looked at."""
        has_more = self.is_chunked or self.encoding or self.location or self.length > max_body
        is_odd = self.status < 200 or not self.keeps_alive or self.text is not self.raw
        is_failure = is_worth_a_glimpse(self.status) and self.length != 0
        self.quick = NEVER_QUICK if has_more or is_odd or is_failure else self.length


UNKNOWN_HEAD: Final = ReplyHead(
    raw=b"\0",
    text=b"\0",
    status=0,
    length=UNTIL_CLOSE,
    is_chunked=False,
    keeps_alive=False,
    encoding="",
    location="",
    cookies=(),
)
"""What no reply starts with."""


def parse_head(raw: bytes) -> ReplyHead:
    """Return what `raw`, up to and with its empty line, says.

    Raises:
        WireFault: It is not HTTP.
    """
    text, match = raw, HEAD.fullmatch(raw)
    if match is None:
        text = _straightened(raw)
        if not text:
            return replace(UNKNOWN_HEAD, raw=raw, text=raw)
        if (match := HEAD.fullmatch(text)) is None:
            raise _not_http("a line of its head is not a header")
    version, status = match.groups()
    found: dict[bytes, list[bytes]] = {}
    for name, value in MATTERING.findall(text):
        found.setdefault(name.lower(), []).append(value.rstrip(b" \t"))
    return facts_of(raw, text, int(status), found, keeps_by_default=version == b"1")


def _straightened(raw: bytes) -> bytes:
    """Return a head without empty lines in front, folds, and spaces before colons.

    Raises:
        WireFault: It does not begin with a status line.
    """
    lines = raw.lstrip(b"\r\n")
    if not lines:
        return b""
    first = STATUS_LINE.match(lines)
    if first is None:
        raise _not_http("it does not begin with a status line")
    # A user agent replaces a fold by spaces (RFC 9112 §5.2), except behind the status line.
    begin = first.end()
    unfolded = b"\n" + FOLD.sub(b" ", lines[begin:])
    return lines[:begin] + SPACE_BEFORE_COLON.sub(rb"\n\1:", unfolded)[1:]


def _not_http(why: str) -> WireFault:
    return WireFault(FailureKind.PROTOCOL, f"the reply is not HTTP: {why}")


def status_named(data: bytes) -> int:
    """Return the status that the beginning of a reply names, 0 for none."""
    named = STATUS_LINE.match(data.lstrip(b"\r\n"))
    return 0 if named is None else int(named[2])


def is_surplus(data: bytes) -> bool:
    """Say whether bytes that no request asked for begin a reply.

    Interim replies may come late, and a 408 announces the end of an idle connection (RFC 9110
    §15.5.9).
    """
    status = status_named(data)
    return data.startswith(b"HTTP/1.") and (not status or (status >= 200 and status != 408))


def facts_of(
    raw: bytes,
    text: bytes,
    status: int,
    found: dict[bytes, list[bytes]],
    *,
    keeps_by_default: bool,
) -> ReplyHead:
    """Return what a head says.

    Args:
        raw: The head's bytes.
        text: The same as it is understood.
        status: Of its first line.
        found: The values of its headers that matter, by their lower-case names.
        keeps_by_default: The connection may serve another request if nothing is said.

    Raises:
        WireFault: It contradicts itself, or means what nobody asked for.
    """
    if status == 101:
        raise WireFault(FailureKind.PROTOCOL, "the server switched protocols unasked")
    coding = _joined(found, b"transfer-encoding")
    if coding not in ("", "chunked"):
        words = f"the reply has an unknown transfer coding `{coding}`"
        raise WireFault(FailureKind.PROTOCOL, words)
    length = UNTIL_CLOSE if coding else _length(found)
    if status in BODILESS or status < 200:
        length = 0
    options = _joined(found, b"connection")
    keeps = keeps_by_default or "keep-alive" in options
    if "close" in options:
        keeps = "close" not in [option.strip() for option in options.split(",")]
    is_chunked = bool(coding) and length != 0
    encoding = _joined(found, b"content-encoding")
    location = found.get(b"location", [b""])[0] if status in REDIRECTS else b""
    cookies = found.get(b"set-cookie", ())
    return ReplyHead(
        raw,
        text,
        status,
        length,
        is_chunked,
        keeps,
        "" if encoding == "identity" else encoding,
        location_text(location),
        tuple([cookie.decode("latin-1") for cookie in cookies]),
    )


def _joined(found: dict[bytes, list[bytes]], name: bytes) -> str:
    values = found.get(name)
    return b",".join(values).decode("latin-1").strip().lower() if values else ""


def _length(found: dict[bytes, list[bytes]]) -> int:
    """Return the length that the head announces; the same value may stand there several times.

    Raises:
        WireFault: It is no number, or there are several: where the reply ends is a guess then.
    """
    lines = found.get(b"content-length")
    if lines is None:
        return UNTIL_CLOSE
    length = lines[0]
    if len(lines) > 1 or b"," in length:
        lengths = sorted({part.strip() for part in b",".join(lines).split(b",")})
        length = lengths[0]
        if len(lengths) > 1:
            shown = b", ".join(lengths)[:60].decode("latin-1")
            raise WireFault(FailureKind.PROTOCOL, f"the reply has different lengths: {shown}")
    if not length.isdigit() or len(length) > LONGEST_LENGTH:
        shown = length[:60].decode("latin-1")
        raise WireFault(FailureKind.PROTOCOL, f"the reply's length `{shown}` is not a number")
    return int(length)


def location_text(value: bytes) -> str:
    """Decode a Location: UTF-8 is what servers mean when they send bytes over 127."""
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value.decode("latin-1")

"""Reply heads: parsed by httptools once, then known by their bytes.

A load test sees the same few heads over and over (only Date changes, once a second), so looking
the bytes up is several times cheaper than parsing them, and gives exactly where the reply ends.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

import httptools

from planrunner.protocols.base import FailureKind
from planrunner.protocols.http.clients.fault import WireFault
from planrunner.protocols.http.clients.recall import is_worth_a_glimpse
from planrunner.protocols.http.redirects import REDIRECTS

__all__ = ["HEAD_END", "UNTIL_CLOSE", "ReplyHead", "ReplyHeads"]

HEAD_END: Final = b"\r\n\r\n"
UNTIL_CLOSE: Final = -1
NEVER_QUICK: Final = -1
CAPACITY: Final = 256
BODILESS: Final = frozenset({204, 304})
MATTERING: Final = frozenset(
    {
        b"connection",
        b"content-encoding",
        b"content-length",
        b"location",
        b"set-cookie",
        b"transfer-encoding",
    }
)
BARE_LF: Final = re.compile(rb"(?<!\r)\n")


@dataclass(slots=True, eq=False)  # not frozen: that would make it three times as slow to build
class ReplyHead:
    """What a head says about the reply.

    Attributes:
        raw: The head's bytes, empty line included.
        size: Bytes of the whole reply when it is quick, else NEVER_QUICK.
        length: Bytes of the body; UNTIL_CLOSE without Content-Length.
        quick: `length` when nothing but its bytes has to arrive: a final reply, not chunked or
            encoded, that keeps the connection, needs no look and is not worth a glimpse. Else
            NEVER_QUICK.
        needs_look: It redirects or sets a cookie.
        keeps_alive: The connection may serve another request.
        encoding: Content-Encoding in lower case, empty for none.
        location: Empty unless the status is a redirect.
        cookies: The Set-Cookie values.
    """

    raw: bytes
    size: int
    status: int
    length: int
    quick: int
    needs_look: bool
    is_chunked: bool
    keeps_alive: bool
    encoding: str
    location: str
    cookies: tuple[str, ...]


UNKNOWN_HEAD: Final = ReplyHead(
    raw=b"\0",
    size=NEVER_QUICK,
    status=0,
    length=UNTIL_CLOSE,
    quick=NEVER_QUICK,
    needs_look=False,
    is_chunked=False,
    keeps_alive=False,
    encoding="",
    location="",
    cookies=(),
)
"""What no reply starts with."""


class ReplyHeads:
    """The heads one client has seen; forgets all of them when there are too many.

    Args:
        max_body: A longer body is never quick, so that its limit is looked at.

    Attributes:
        latest: The head of the last quick reply, most likely the next one's too: comparing bytes
            is a third of the price of cutting them out and looking them up.
    """

    __slots__ = ("known", "latest", "max_body")

    def __init__(self, max_body: int) -> None:
        self.known: dict[bytes, ReplyHead] = {}
        self.latest = UNKNOWN_HEAD
        self.max_body = max_body

    def of_reply(self, data: bytes) -> ReplyHead:
        """Return the known head that `data` starts with, or one that no reply has."""
        head = self.known.get(data[: data.find(HEAD_END) + len(HEAD_END)], UNKNOWN_HEAD)
        if head is not UNKNOWN_HEAD:
            self.latest = head
        return head

    def parse(self, raw: bytes) -> ReplyHead:
        """Return what `raw`, up to and with its empty line, says.

        Raises:
            WireFault: It is not HTTP.
        """
        head = self.known.get(raw)
        if head is None:
            head = _parse(raw)
            if head.quick > self.max_body:
                head.quick = head.size = NEVER_QUICK
            if len(self.known) >= CAPACITY:
                self.known.clear()
            self.known[raw] = head
        return head


class _Fields:
    """httptools' callback: keeps the header fields that matter, the others only have to parse."""

    __slots__ = ("found",)

    def __init__(self) -> None:
        self.found: dict[bytes, list[bytes]] = {}

    def on_header(self, name: bytes, value: bytes) -> None:
        name = name.lower()
        if name in MATTERING:
            self.found.setdefault(name, []).append(value)


def _parse(raw: bytes) -> ReplyHead:
    sink = _Fields()
    parser = httptools.HttpResponseParser(sink)
    lines = raw
    if raw.count(b"\n") != raw.count(b"\r\n"):
        # A bare LF ends a line for most clients (RFC 9112 §2.2), but not for httptools.
        lines = BARE_LF.sub(b"\r\n", raw)
    try:
        parser.feed_data(lines)
    except httptools.HttpParserUpgrade as upgrade:
        raise WireFault(FailureKind.PROTOCOL, "the server switched protocols unasked") from upgrade
    except httptools.HttpParserError as fault:
        words = f"the reply is not HTTP: {str(fault).lower()}"
        raise WireFault(FailureKind.PROTOCOL, words) from fault
    keeps = parser.get_http_version() == "1.1"
    return _facts(raw, parser.get_status_code(), sink.found, keeps_by_default=keeps)


def _facts(
    raw: bytes, status: int, found: dict[bytes, list[bytes]], *, keeps_by_default: bool
) -> ReplyHead:
    coding = _joined(found, b"transfer-encoding")
    if coding not in ("", "chunked"):
        words = f"the reply has an unknown transfer coding `{coding}`"
        raise WireFault(FailureKind.PROTOCOL, words)
    length = _length(status, found)
    options = _joined(found, b"connection")
    keeps = keeps_by_default or "keep-alive" in options
    if "close" in options:
        keeps = "close" not in [option.strip() for option in options.split(",")]
    is_chunked = bool(coding) and length != 0
    encoding = _joined(found, b"content-encoding")
    location = found.get(b"location", [b""])[0] if status in REDIRECTS else b""
    cookies = found.get(b"set-cookie", ())
    needs_look = bool(location or cookies)
    is_slow = status < 200 or is_chunked or not keeps or encoding or needs_look
    is_slow = is_slow or (is_worth_a_glimpse(status) and length != 0)
    quick = NEVER_QUICK if is_slow else length
    return ReplyHead(
        raw,
        NEVER_QUICK if quick == NEVER_QUICK else len(raw) + quick,
        status,
        length,
        quick,
        needs_look,
        is_chunked,
        keeps,
        "" if encoding == "identity" else encoding,
        _text(location) if location else "",
        tuple([cookie.decode("latin-1") for cookie in cookies]),
    )


def _joined(found: dict[bytes, list[bytes]], name: bytes) -> str:
    values = found.get(name)
    return b",".join(values).decode("latin-1").strip().lower() if values else ""


def _length(status: int, found: dict[bytes, list[bytes]]) -> int:
    if status in BODILESS or status < 200:
        return 0
    length = found.get(b"content-length")
    return int(length[0]) if length else UNTIL_CLOSE


def _text(value: bytes) -> str:
    """Decode a Location: UTF-8 is what servers mean when they send bytes over 127."""
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value.decode("latin-1")

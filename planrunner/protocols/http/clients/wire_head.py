"""Reply heads: parsed by httptools once, then known by their bytes.

A load test sees the same few heads over and over (only Date changes, once a second), so looking
the bytes up is several times cheaper than parsing them, and tells exactly where the reply ends.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

import httptools

from planrunner.protocols.base import FailureKind
from planrunner.protocols.http.clients.wire_fault import WireFault
from planrunner.protocols.http.redirects import REDIRECTS

__all__ = ["UNTIL_CLOSE", "ReplyHead", "ReplyHeads"]

UNTIL_CLOSE: Final = -1
NEVER_QUICK: Final = -1
CAPACITY: Final = 256
BODILESS: Final = frozenset({204, 304})
BARE_LF: Final = re.compile(rb"(?<!\r)\n")


@dataclass(frozen=True, slots=True)
class ReplyHead:
    """What a head says about the reply.

    Attributes:
        raw: The head's bytes, empty line included.
        length: Bytes of the body; UNTIL_CLOSE without Content-Length.
        quick: `length` when nothing else needs a look: a reply that is neither interim nor a
            redirect, not chunked or encoded, keeps the connection and sets no cookie. Else
            NEVER_QUICK.
        keeps_alive: The connection may serve another request.
        encoding: Content-Encoding in lower case, empty for none.
        location: Empty unless the status is a redirect.
        cookies: The Set-Cookie values.
    """

    raw: bytes
    status: int
    length: int
    quick: int
    is_chunked: bool
    keeps_alive: bool
    encoding: str
    location: str
    cookies: tuple[str, ...]


class ReplyHeads:
    """The heads one client has seen; forgets all of them when there are too many."""

    __slots__ = ("known",)

    def __init__(self) -> None:
        self.known: dict[bytes, ReplyHead] = {}

    def parse(self, raw: bytes) -> ReplyHead:
        """Return what `raw`, up to and with its empty line, says.

        Raises:
            WireFault: It is not HTTP.
        """
        head = self.known.get(raw)
        if head is None:
            head = _parse(raw)
            if len(self.known) >= CAPACITY:
                self.known.clear()
            self.known[raw] = head
        return head


class _Fields:
    """httptools' callbacks: collects the header fields that matter."""

    __slots__ = ("fields",)

    def __init__(self) -> None:
        self.fields: dict[bytes, list[bytes]] = {}

    def on_header(self, name: bytes, value: bytes) -> None:
        self.fields.setdefault(name.lower(), []).append(value)

    def joined(self, name: bytes) -> str:
        return b",".join(self.fields.get(name, ())).decode("latin-1").strip().lower()


def _parse(raw: bytes) -> ReplyHead:
    sink = _Fields()
    parser = httptools.HttpResponseParser(sink)
    try:
        # A bare LF ends a line for most clients (RFC 9112 §2.2), but not for httptools.
        parser.feed_data(BARE_LF.sub(b"\r\n", raw))
        status = parser.get_status_code()
        version = parser.get_http_version()
    except httptools.HttpParserUpgrade as upgrade:
        raise WireFault(FailureKind.PROTOCOL, "the server switched protocols unasked") from upgrade
    except httptools.HttpParserError as fault:
        words = f"the reply is not HTTP: {str(fault).lower()}"
        raise WireFault(FailureKind.PROTOCOL, words) from fault
    return _facts(raw, status, sink, default_keep=version == "1.1")


def _facts(raw: bytes, status: int, sink: _Fields, *, default_keep: bool) -> ReplyHead:
    coding = sink.joined(b"transfer-encoding")
    if coding not in ("", "chunked"):
        words = f"the reply has an unknown transfer coding `{coding}`"
        raise WireFault(FailureKind.PROTOCOL, words)
    length = _length(status, sink)
    options = {option.strip() for option in sink.joined(b"connection").split(",")}
    keeps_alive = "close" not in options and (default_keep or "keep-alive" in options)
    is_chunked = bool(coding) and length != 0
    encoding = sink.joined(b"content-encoding")
    location = sink.fields.get(b"location", [b""])[0] if status in REDIRECTS else b""
    cookies = sink.fields.get(b"set-cookie", ())
    special = status < 200 or is_chunked or not keeps_alive or encoding or location or cookies
    return ReplyHead(
        raw=raw,
        status=status,
        length=length,
        quick=NEVER_QUICK if special else length,
        is_chunked=is_chunked,
        keeps_alive=keeps_alive,
        encoding="" if encoding == "identity" else encoding,
        location=_text(location),
        cookies=tuple(cookie.decode("latin-1") for cookie in cookies),
    )


def _length(status: int, sink: _Fields) -> int:
    if status in BODILESS or status < 200:
        return 0
    length = sink.fields.get(b"content-length")
    return UNTIL_CLOSE if length is None else int(length[0])


def _text(value: bytes) -> str:
    """Decode a Location: UTF-8 is what servers mean when they send bytes over 127."""
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value.decode("latin-1")

"""Heads of requests and replies between HTTP/1's text and HTTP/2's lists of fields.

Requests are rendered, dressed and redirected as text, whatever speaks; so are replies read. What
a user sends again and again is looked up: as a whole, or all but its first line.
"""

from __future__ import annotations

import re
from typing import Final

from planrunner.protocols.http.clients.heads.head import (
    HEAD_END,
    ReplyHead,
    facts_of,
)
from planrunner.protocols.http.clients.http2.frames import BrokenStream

__all__ = ["Field", "Fields", "Http2Heads", "check_trailers"]

Field = tuple[bytes, bytes, bool]
"""Name, value, and whether it must not enter the table of header fields."""

Fields = list[Field]

CAPACITY: Final = 256
LONGEST_KNOWN: Final = 4_096
CONNECTION_ONLY: Final = frozenset(
    {b"connection", b"keep-alive", b"proxy-connection", b"transfer-encoding", b"upgrade"}
)
"""Of one connection of HTTP/1 only: never sent, and malformed where they come (RFC 9113 §8.2.2)."""

NOT_SENT: Final = CONNECTION_ONLY | {b"te"}
SECRET: Final = frozenset({b"authorization"})
STATUS: Final = re.compile(rb"[1-9][0-9][0-9]")
HEAD: Final = re.compile(
    rb"HTTP/2 [1-9][0-9][0-9]\r\n(?:[!#$%&'*+\-.^_`|~0-9a-z]++:[^\r\n\0]*+\r\n)*+\r\n"
)
MATTERING: Final = re.compile(
    rb"\n(content-encoding|content-length|location|set-cookie):[ \t]*([^\r\n]*)"
)
NAME: Final = re.compile(rb"[!#$%&'*+\-.^_`|~0-9a-z]+")


class Http2Heads:
    """The heads that one client has seen on connections of one scheme.

    Args:
        scheme: `http` or `https`.
        max_body: A longer body is never quick, so that its limit is looked at.
    """

    __slots__ = (
        "_latest",
        "_latest_fields",
        "_max_body",
        "_replies",
        "_requests",
        "_rests",
        "_scheme",
    )

    def __init__(self, scheme: str, max_body: int) -> None:
        self._scheme: Field = (b":scheme", scheme.encode("ascii"), False)
        self._max_body = max_body
        self._requests: dict[bytes, tuple[Fields, int]] = {}
        self._rests: dict[bytes, tuple[Field, Fields]] = {}
        self._replies: dict[bytes, ReplyHead] = {}
        self._latest_fields: Fields = []
        self._latest: ReplyHead | None = None

    def of_request(self, data: bytes) -> tuple[Fields, int]:
        """Return the fields of a request, and where its body begins."""
        known = self._requests.get(data)
        if known is not None:
            return known
        start = data.index(b"\r\n") + 2
        end = data.index(HEAD_END, start - 2) + len(HEAD_END)
        method, path, _ = data[:start].split(b" ", 2)
        authority, rest = self._rest(data[start:end])
        first: Fields = [(b":method", method, False), self._scheme, authority]
        if len(data) <= LONGEST_KNOWN:
            if len(self._requests) >= CAPACITY:
                self._requests.clear()
            # Seen twice it is constant, and its path worth a place in the table.
            self._requests[data] = [*first, (b":path", path, False), *rest], end
        return [*first, (b":path", path, True), *rest], end

    def _rest(self, lines: bytes) -> tuple[Field, Fields]:
        """Return Host, as it is called here, and the other fields of a request's header lines."""
        known = self._rests.get(lines)
        if known is None:
            authority, fields = b"", []
            for line in lines.split(b"\r\n")[:-2]:
                name, _, value = line.partition(b":")
                name, value = name.lower(), value.strip(b" \t")
                if name == b"host":
                    authority = value
                elif name not in NOT_SENT:
                    fields.append((name, value, name in SECRET))
            if len(self._rests) >= CAPACITY:
                self._rests.clear()
            known = self._rests[lines] = (b":authority", authority, False), fields
        return known

    def of_reply(self, fields: Fields) -> ReplyHead:
        """Return what the fields of a reply say, interim ones too.

        Raises:
            BrokenStream: They are malformed.
            WireFault: Their meaning is.
        """
        if fields == self._latest_fields and self._latest is not None:
            return self._latest
        if not fields or fields[0][0] != b":status" or not STATUS.fullmatch(fields[0][1]):
            raise BrokenStream("a reply's head does not begin with its status")
        lines = [b"%b: %b\r\n" % (name, value) for name, value, _ in fields[1:]]
        text = b"HTTP/2 %b\r\n%b\r\n" % (fields[0][1], b"".join(lines))
        head = self._replies.get(text)
        if head is None:
            head = self._read(text, fields)
            if len(self._replies) >= CAPACITY:
                self._replies.clear()
            self._replies[text] = head
        self._latest_fields, self._latest = fields, head
        return head

    def _read(self, text: bytes, fields: Fields) -> ReplyHead:
        # A line feed in a value would look like one field more.
        if not HEAD.fullmatch(text) or text.count(b"\n") != len(fields) + 1:
            raise BrokenStream("a field of the reply's head is malformed")
        for name, _, _ in fields:
            if name in CONNECTION_ONLY:
                raise BrokenStream(f"the reply's head has `{name.decode('ascii')}`")
        found: dict[bytes, list[bytes]] = {}
        for name, value in MATTERING.findall(text):
            found.setdefault(name, []).append(value.rstrip(b" \t"))
        head = facts_of(text, text, int(fields[0][1]), found, keeps_by_default=True)
        head.settle(self._max_body)
        return head


def check_trailers(fields: Fields) -> None:
    """Look at the fields behind a body, which nothing reads.

    Raises:
        BrokenStream: They are malformed.
    """
    for name, value, _ in fields:
        if not NAME.fullmatch(name) or name in CONNECTION_ONLY or re.search(rb"[\r\n\0]", value):
            raise BrokenStream("a field of the reply's trailers is malformed")

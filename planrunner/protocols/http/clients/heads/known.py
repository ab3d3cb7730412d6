"""The heads that a client has seen, and cheap ways to read the next one.

A load test sees the same heads over and over: the same bytes, where only Date changes once a
second, or the same lines with an identifier, a length or a cookie that is new each time. The first
are known by comparing bytes, the others by a shape. Both give exactly where the reply ends. What
has neither is parsed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import takewhile
from typing import Final, NamedTuple

from planrunner.protocols.http.clients.heads.head import (
    HEAD_END,
    UNKNOWN_HEAD,
    ReplyHead,
    location_text,
    parse_head,
)
from planrunner.protocols.http.url import REDIRECTS

__all__ = ["HeadShape", "ReplyHeads", "shape_of"]

MOST_SHAPES: Final = 8
PARSED_FOR_A_SHAPE: Final = 64
"""Making a shape takes as long as parsing some thirty heads."""

LONGEST: Final = 4_096
MOST_LINES: Final = 40

ANY_VALUE: Final = rb"[^\r]*+"
SOME_VALUE: Final = rb"([^\r \t][^\r]*+)"
LENGTH: Final = rb"([0-9]{1,19}+)"
MATTERING: Final = frozenset(
    {b"connection", b"content-encoding", b"content-length", b"transfer-encoding"}
)
LINE_END: Final = b"\r\n"
LF: Final = 10
NUL: Final = 0

READ_BETWEEN: Final = 256
"""So many heads are read before it is looked again how many of their lines are the same."""


class LinePattern(NamedTuple):
    """What matches a line of a head, its end included.

    Attributes:
        name: Of the line whose value is a group; empty where it has none.
    """

    pattern: bytes
    name: bytes = b""


class HeadShape:
    """Heads with the same lines, of which some values differ.

    Lines that matter are as they were, but for a length, cookies, and where it redirects to.
    As a rule the first lines are those of the head before: these are compared, and the expression
    reads what comes after them.

    Args:
        head: One of them, which nobody else has.
        lines: All of its lines.
        max_body: A longer body is never quick.

    Attributes:
        head: The one that was read last.
    """

    __slots__ = (
        "_begin",
        "_begin_size",
        "_cookies_at",
        "_length",
        "_length_at",
        "_lines",
        "_location_at",
        "_match",
        "_match_all",
        "_max_body",
        "_reads_left",
        "_rest",
        "head",
    )

    def __init__(self, head: ReplyHead, lines: Sequence[LinePattern], max_body: int) -> None:
        head.settle(max_body)
        self.head = head
        self._lines = lines
        self._max_body = max_body
        self._length = b""
        self._read_behind()
        self._match_all = self._match

    def read(self, data: bytes, limit: int) -> ReplyHead | None:
        """Return the head that `data` starts with, if it has this shape and at most `limit` bytes.

        The object is the same each time.
        """
        self._reads_left -= 1
        is_known = self._reads_left and data.startswith(self._begin)
        if not (is_known or self._compare(data, limit)):
            return None
        size = self._begin_size
        found = self._match(data, size, limit)
        if found is None:
            return None
        raw = data[: found.end()]
        # Of a line that was passed over, the expression only knows that it has no CR.
        if raw.count(LF, size) != self._rest or NUL in raw:
            return None
        head = self.head
        head.raw = head.text = raw
        if self._cookies_at:
            cookies: tuple[str, ...] = ()
            for at in self._cookies_at:  # nearly always one
                cookies += (found[at].rstrip(b" \t").decode("latin-1"),)
            head.cookies = cookies
        if self._location_at:
            head.location = location_text(found[self._location_at].rstrip(b" \t"))
        if self._length_at and (length := found[self._length_at]) != self._length:
            self._length = length
            head.length = int(length)
            head.settle(self._max_body)
        return head

    def _compare(self, data: bytes, limit: int) -> bool:
        """See how many lines are those of the head before; False where not all have this shape."""
        found = self._match_all(data, 0, limit)
        if found is None:
            return False
        lines = found[0].splitlines(keepends=True)[:-1]
        before = self.head.raw.splitlines(keepends=True)
        same = takewhile(lambda pair: pair[0] == pair[1], zip(lines, before, strict=False))
        self._read_behind(*(line for line, _ in same))
        return True

    def _read_behind(self, *same: bytes) -> None:
        """Take the first lines for the same from now on."""
        rest = self._lines[len(same) :]
        self._begin = b"".join(same)
        self._begin_size, self._rest = len(self._begin), len(rest)
        self._match = re.compile(b"".join(line.pattern for line in rest)).match
        names = [line.name for line in rest if line.name]
        numbers = {name: number for number, name in enumerate(names, 1)}
        self._length_at = numbers.get(b"content-length", 0)
        self._location_at = numbers.get(b"location", 0)
        self._cookies_at = [at for at, name in enumerate(names, 1) if name == b"set-cookie"]
        self._reads_left = READ_BETWEEN


def shape_of(head: ReplyHead, max_body: int) -> HeadShape | None:
    """Return the shape of a head that was parsed; None where its like is better parsed too."""
    raw, is_redirect = head.raw, head.status in REDIRECTS
    first, *lines = raw.removesuffix(HEAD_END).split(b"\r\n")
    is_usual = head.text is raw and head.status >= 200 and raw.count(LF) == len(lines) + 2
    if not is_usual or len(raw) > LONGEST or len(lines) > MOST_LINES:
        return None
    varying = {b"set-cookie": SOME_VALUE}
    if head.length > 0:
        varying[b"content-length"] = LENGTH
    if is_redirect:
        varying[b"location"] = SOME_VALUE
    parts = [LinePattern(re.escape(first) + LINE_END)]
    for line in lines:
        called, colon, value = line.partition(b":")
        name = called.lower()
        if name in varying:
            space = value[: len(value) - len(value.lstrip(b" \t"))]
            start = re.escape(called + colon + space)
            parts.append(LinePattern(start + varying[name] + LINE_END, name))
        elif name in MATTERING:
            parts.append(LinePattern(re.escape(line) + LINE_END))
        else:
            parts.append(LinePattern(re.escape(called + colon) + ANY_VALUE + LINE_END))
    names = [part.name for part in parts]
    is_clear = all(names.count(name) == 1 for name in names if name not in (b"", b"set-cookie"))
    parts.append(LinePattern(LINE_END))
    if not is_clear or re.match(b"".join(part.pattern for part in parts), raw) is None:
        return None
    return HeadShape(head.copy(), parts, max_body)


class ReplyHeads:
    """The heads of one client.

    Args:
        max_head: A longer head has no shape.
        max_body: A longer body is never quick, so that its limit is looked at.

    Attributes:
        latest: The head that was read last, most likely the next one's too.
    """

    __slots__ = ("_max_body", "_max_head", "_parsed", "_sample", "_shapes", "latest")

    def __init__(self, max_head: int, max_body: int) -> None:
        self._max_head = max_head
        self._max_body = max_body
        self._shapes: list[HeadShape] = []
        self._parsed = 0
        self.latest = self._sample = UNKNOWN_HEAD

    def of_reply(self, data: bytes) -> ReplyHead:
        """Return the head that `data` starts with where a shape knows it, else one of no reply.

        It is good until the next one is read.
        """
        for shape in self._shapes:
            head = shape.read(data, self._max_head)
            if head is not None:
                self.latest = head
                return head
        return UNKNOWN_HEAD

    def parse(self, raw: bytes) -> ReplyHead:
        """Return what `raw`, up to and with its empty line, says.

        Raises:
            WireFault: It is not HTTP.
        """
        head = self.latest if raw == self.latest.raw else self.of_reply(raw)
        if head is not UNKNOWN_HEAD:
            return head.copy()
        self.latest = self._sample = head = parse_head(raw)
        head.settle(self._max_body)
        self._parsed += 1
        return head

    def learn(self) -> None:
        """Make a shape of the head that was parsed last, if so many were that it pays."""
        if self._parsed < PARSED_FOR_A_SHAPE:
            return
        self._parsed = 0
        self.know(self._sample)

    def know(self, head: ReplyHead) -> None:
        """Read heads like this one by their shape from now on."""
        shape = shape_of(head, self._max_body)
        if shape is not None:
            self._shapes.insert(0, shape)
            del self._shapes[MOST_SHAPES:]

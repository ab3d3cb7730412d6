"""Values of JSON that arrive a line each, in pieces, of which the last may be half a line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Final

__all__ = ["JsonLines"]

_LONGEST: Final = 1 << 20
"""A line that is longer, in bytes, is none that a tool writes."""


class JsonLines:
    """Takes bytes, and gives the values of whole lines.

    Attributes:
        unread: Lines that were no JSON, or given up.
    """

    def __init__(self) -> None:
        self.unread = 0
        self._begun = b""

    def feed(self, data: bytes) -> Iterator[object]:
        """Yield the values of the lines that these bytes complete."""
        *lines, self._begun = (self._begun + data).split(b"\n")
        for line in lines:
            if line.strip():
                yield from self._value(line)
        if len(self._begun) > _LONGEST:
            self._begun, self.unread = b"", self.unread + 1

    def end(self) -> Iterator[object]:
        """Yield the value of a last line that nothing ended."""
        begun, self._begun = self._begun, b""
        if begun.strip():
            yield from self._value(begun)

    def _value(self, line: bytes) -> Iterator[object]:
        try:
            yield json.loads(line)
        except (ValueError, RecursionError):
            self.unread += 1

"""Which characters a set of a pattern has, as Python counts them: exact, from Python itself.

Engines differ about letters beyond ASCII and about which of them are the same in another case, so
they get ranges and no classes of their own.
"""

from __future__ import annotations

import re
from array import array
from functools import cache
from typing import Final

__all__ = ["ASSIGNED", "MOST_CODE", "Ranges", "ascii_only", "members"]

Ranges = tuple[tuple[int, int], ...]
"""First and last code points, both included, in order."""

MOST_CODE: Final = 0x10FFFF

_ASCII: Final = 0x80
ASSIGNED: Final = 0x32400
"""No letter, digit, space or case above it; the planes there hold ideographs up to 0x323AF."""


@cache
def members(source: str, flags: int, end: int = ASSIGNED) -> Ranges:
    r"""Return the characters that a set such as `[^\W_]` matches.

    Args:
        source: A set in Python's syntax, which names no character from `end` on.
        flags: Of `re`: whether case matters, and whether classes are those of ASCII.
        end: Characters from here on are all alike.
    """
    one = re.compile(source, flags)
    found = [
        (run.start(), run.end() - 1) for run in re.finditer(f"{source}+", _letters(end), flags)
    ]
    if end <= MOST_CODE and one.match(chr(MOST_CODE)):
        if found and found[-1][1] == end - 1:
            end = found.pop()[0]
        found.append((end, MOST_CODE))
    return tuple(found)


@cache
def _letters(end: int) -> str:
    """Return every character below `end`, so that a position is a code point."""
    codes = array("I", range(end))
    codes = codes if codes.itemsize == 4 else array("L", codes)
    return codes.tobytes().decode(_NATIVE, "surrogatepass")


_NATIVE: Final = "utf-32-le" if array("H", [1]).tobytes()[0] else "utf-32-be"


def ascii_only(ranges: Ranges) -> Ranges:
    """Return those below 0x80."""
    return tuple((first, min(last, _ASCII - 1)) for first, last in ranges if first < _ASCII)

"""Names of a plan in lines that a terminal shows: whatever is in them, one line each."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

__all__ = ["as_lines", "one_line"]

_BREAKS: Final = re.compile(r"[\t-\r\u2028\u2029]+")
# As in reports: what steers a terminal, and what makes text read in another order than written.
_CONTROL: Final = re.compile(
    r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]"
)


def one_line(text: str) -> str:
    return _CONTROL.sub("\ufffd", _BREAKS.sub(" ", text))


def as_lines(lines: Iterable[str]) -> str:
    """Return the lines as one text."""
    return "\n".join(map(one_line, lines))

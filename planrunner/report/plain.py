"""Text from plans and servers, made fit to be shown: it can neither steer a terminal nor hide."""

from __future__ import annotations

import re
from collections.abc import Iterable

from rich.cells import cell_len, set_cell_size

__all__ = ["flow", "fold", "plain", "plain_line", "shorten"]

_WHITESPACE = re.compile(r"[\t-\r \u2028\u2029]+")
# C0, C1 and lone surrogates, as in `plan.yaml.source`; and what makes text read in another order
# than it is written (UAX #9), which could make a `fail` look like something else.
_CONTROL = re.compile(
    r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]"
)


def plain(text: str) -> str:
    """Return `text` on one line, each control character replaced by U+FFFD."""
    return _CONTROL.sub("\ufffd", _WHITESPACE.sub(" ", text)).strip()


def plain_line(line: str) -> str:
    """Return a line of a text as `plain` would, but with all its spaces."""
    return _CONTROL.sub("\ufffd", line.expandtabs()).rstrip()


def shorten(text: str, width: int) -> str:
    """Return `text` in at most `width` terminal cells, cut in its middle.

    The ends of a URL distinguish requests better than its middle does.
    """
    if cell_len(text) <= width:
        return text
    tail = _last_cells(text, (width - 1) // 2)
    head = set_cell_size(text, width - 1 - cell_len(tail)).rstrip()
    return f"{head}…{tail.lstrip()}"


def fold(text: str, width: int, *, most: int = 0) -> list[str]:
    """Return `text` as lines of at most `width` cells, broken at spaces where possible.

    With `most`, there are no more lines than that, and the last is cut.
    """
    lines = [""]
    for word in text.split():
        joined = f"{lines[-1]} {word}".strip()
        if cell_len(joined) <= width:
            lines[-1] = joined
            continue
        *full, last = _pieces(word, width)
        lines += [*full, last]
    lines = [line for line in lines if line]
    if most and len(lines) > most:
        rest = " ".join(lines[most - 1 :])
        lines = [*lines[: most - 1], shorten(rest, width)]
    return lines


def flow(parts: Iterable[str], width: int, *, separator: str = " · ") -> list[str]:
    """Return `parts` as lines of at most `width` cells, broken between parts where possible."""
    lines: list[str] = []
    for part in parts:
        joined = f"{lines[-1]}{separator}{part}" if lines else part
        if lines and cell_len(joined) <= width:
            lines[-1] = joined
        else:
            lines += fold(part, width)
    return lines


def _last_cells(text: str, width: int) -> str:
    start = len(text)
    used = 0
    while start and (used := used + cell_len(text[start - 1])) <= width:
        start -= 1
    return text[start:]


def _pieces(word: str, width: int) -> list[str]:
    pieces = [""]
    used = 0
    for character in word:
        size = cell_len(character)
        if used + size > width and pieces[-1]:
            pieces.append("")
            used = 0
        pieces[-1] += character
        used += size
    return pieces

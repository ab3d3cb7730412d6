"""The text of `|` and `>`: its lines without their margin."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

__all__ = ["BlockText", "block_text"]

_HEADER: Final = re.compile(r"([|>])([-+0-9]*)[ \t]*(#[^\n]*)?\n?")


class BlockText(NamedTuple):
    """A block scalar.

    Attributes:
        header: As it has to be written: a margin that it gives is two spaces from now on.
        remark: The comment beside the header, and where in the raw text it stands.
        end: Where in the raw text it ends, without blank lines that mean nothing.
        line_ends: How many ends of lines it has as its last.
    """

    header: str
    lines: list[str]
    remark: str
    remark_at: int
    end: int
    line_ends: int


def block_text(raw: str, value: str, parent_column: int) -> BlockText:
    """Return the block scalar `raw`, which means `value`; its parent's entries have a column."""
    header = _HEADER.match(raw)
    assert header is not None  # so the parser has found it
    written = raw[header.end() :].split("\n")
    digits = header[2].strip("+-")
    margin = parent_column + int(digits) if digits else _margin(written)
    lines = _without_blank_end(written, margin)
    end = header.end() + sum(map(len, lines)) + len(lines) - 1
    indicators = ("2" if digits else "") + header[2].strip("0123456789")
    line_ends = 0
    kept = len(value) - len(value.rstrip("\n"))
    if "+" in indicators and kept:
        lines += [""] * (kept - bool(lines))
        end, line_ends = len(raw), 1
    elif not kept and lines and "-" not in indicators:
        # The file ends here without the end of a line, which the value would get with it.
        indicators = indicators.strip("+") + "-"
    texts = [line[margin:] for line in lines]
    return BlockText(
        header[1] + indicators, texts, header[3] or "", header.start(3), end, line_ends
    )


def _margin(lines: list[str]) -> int:
    return next((len(line) - len(line.lstrip(" ")) for line in lines if line.strip(" ")), 0)


def _without_blank_end(lines: list[str], margin: int) -> list[str]:
    """Return the lines up to the last that says something."""
    count = len(lines)
    while count and len(lines[count - 1]) <= margin and not lines[count - 1].strip(" "):
        count -= 1
    return lines[:count]

"""Where each character of a scalar's value stands in the file: folds, quotes, escapes undone."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from planrunner.late_pattern import late_pattern

__all__ = ["character_offsets", "content_start"]

Character = tuple[str, int]

_PROPERTIES = late_pattern(r"(?:[&!]\S*\s+)*")


def content_start(raw: str) -> int:
    """Return where the value begins in a node's source, past any anchor and tag."""
    match = _PROPERTIES.match(raw)
    return match.end() if match else 0


def character_offsets(raw: str, value: str) -> list[int] | None:
    """Return the offset in the source `raw` of each character of the scalar's `value`.

    None when the two can't be brought together, so that no caret points at a wrong place.
    """
    start = content_start(raw)
    style = raw[start : start + 1]
    candidates: Iterable[list[Character]]
    if style in ("|", ">"):
        candidates = _block_readings(raw, start)
    elif style in ("'", '"'):
        candidates = [_flow_characters(raw, start + 1, len(raw) - 1, style)]
    else:
        candidates = [_flow_characters(raw, start, len(raw), "")]
    wanted = value.rstrip("\n")
    for characters in candidates:
        if "".join(character for character, _ in characters).startswith(wanted):
            return [offset for _, offset in characters[: len(value)]]
    return None


_FOLD = r"(?P<fold>[ \t]*(?:(?:\r\n|[\r\n])[ \t]*)+)"
_ESCAPE = (
    r"\\(?:x(?P<x>[0-9a-fA-F]{2})|u(?P<u>[0-9a-fA-F]{4})|U(?P<U>[0-9a-fA-F]{8})"
    r"|(?P<newline>(?:\r\n|[\r\n])[ \t]*)|(?P<letter>.))"
)
_TOKENS = {
    "": late_pattern(rf"{_FOLD}|.", re.DOTALL),
    "'": late_pattern(rf"{_FOLD}|(?P<quote>'')|.", re.DOTALL),
    '"': late_pattern(rf"{_ESCAPE}|{_FOLD}|.", re.DOTALL),
}
# Source: YAML 1.2.2, 5.7 "Escaped Characters".
_LETTERS = {
    "0": "\0",
    "a": "\a",
    "b": "\b",
    "t": "\t",
    "\t": "\t",
    "n": "\n",
    "v": "\v",
    "f": "\f",
    "r": "\r",
    "e": "\x1b",
    "N": "\x85",
    "_": "\xa0",
    "L": "\u2028",
    "P": "\u2029",
}


def _flow_characters(raw: str, start: int, end: int, quote: str) -> list[Character]:
    """Read a plain or quoted scalar."""
    return [
        (character, token.start())
        for token in _TOKENS[quote].finditer(raw, start, end)
        for character in _decoded(token)
    ]


def _decoded(token: re.Match[str]) -> str:
    match token.lastgroup:
        case "fold":
            return _folded(len(re.findall(r"\r\n|[\r\n]", token[0])))
        case "quote":
            return "'"
        case "newline":
            return ""
        case "letter":
            return _LETTERS.get(token["letter"], token["letter"])
        case "x" | "u" | "U" as group:
            return chr(int(token[group], 16))
        case _:
            return token[0]


def _folded(line_ends: int) -> str:
    return " " if line_ends == 1 else "\n" * (line_ends - 1)


_HEADER = late_pattern(r"[|>]([-+0-9]*)[^\r\n]*(?:\r\n|[\r\n])")
_LINE = late_pattern(r"([^\r\n]*)(\r\n|[\r\n]|\Z)")


def _block_readings(raw: str, start: int) -> Iterator[list[Character]]:
    """Read a block scalar; more than once when its header gives an indentation of its own."""
    header = _HEADER.match(raw, start)
    if header is None:
        return
    lines = [match for match in _LINE.finditer(raw, header.end()) if match[0]]
    margins = [len(line[1]) - len(line[1].lstrip(" ")) for line in lines if line[1].strip(" ")]
    first = margins[0] if margins else 0
    explicit = any(character.isdigit() for character in header[1])
    for indent in range(first, -1 if explicit else first - 1, -1):
        characters = [pair for line in lines for pair in _line_characters(line, indent)]
        yield characters if raw[start] == "|" else _fold_lines(characters)


def _line_characters(line: re.Match[str], indent: int) -> Iterator[Character]:
    offset = line.start() + min(indent, len(line[1]))
    yield from zip(line[1][indent:], range(offset, line.end(1)), strict=False)
    yield "\n", line.end(1)


def _fold_lines(characters: list[Character]) -> list[Character]:
    folded: list[Character] = []
    index = 0
    while index < len(characters):
        end = index
        while end < len(characters) and characters[end][0] == "\n":
            end += 1
        if end == index:
            folded.append(characters[index])
            index += 1
        else:
            kept = end - index if end == len(characters) else max(1, end - index - 1)
            character = " " if end - index == 1 and end < len(characters) else "\n"
            folded += [(character, characters[index][1])] * kept
            index = end
    return folded

"""Where a cursor is in a text that is being typed: found by indentation and brackets, not parsed.

A line that isn't YAML yet has a place all the same, and finding it costs the lines above only as
far as they lead to the place.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

from planrunner.plan.yaml.document import PlanPath

__all__ = ["CursorPlace", "cursor_place"]

_KEY: Final = re.compile(
    r"""("(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|[^\s#\[\]{},&*!|>'"%@`-][^#{}\[\],]*?|-[^\s#{}\[\],:]+)\s*:(?=\s|$)\s*"""
)
_DASH: Final = re.compile(r"-(?:\s+|$)")
_MOST_LINES: Final = 60


class CursorPlace(NamedTuple):
    """Where a cursor is.

    Attributes:
        path: The value that is typed, or the mapping whose key is.
        is_key: Whether a key is typed. A word alone in a list may become a key or a value; then
            `path` is the item.
        typed: What is typed before the cursor, of the key or of the value, without quotes.
        quote: The quote that the value begins with.
        beside: The keys that the mapping has already.
        is_flow: Whether the place is inside brackets.
    """

    path: PlanPath
    is_key: bool
    typed: str
    quote: str = ""
    beside: frozenset[str] = frozenset()
    is_flow: bool = False


class _LinePart(NamedTuple):
    """A dash, or a key, of one line."""

    column: int
    key: str | None
    end: int


def cursor_place(lines: Sequence[str], row: int, column: int) -> CursorPlace:
    """Return where a cursor is, whose line and column count characters from 0."""
    head = lines[row][:column]
    start = _flow_start(lines, row, column)
    if start is not None:
        at_row, at_column, path = start
        text = "\n".join([*lines[at_row:row], head])[at_column:]
        return _in_flow(text, path, lines[row][column:])
    entries = _entries(f"{head}\0")  # a colon that ends it may go on: `p95 of task:`
    rest = head[entries[-1].end :] if entries else head.lstrip()
    indent = entries[0].column if entries else len(head) - len(rest)
    above = _above(lines, row, indent, is_item=bool(entries) and entries[0].key is None)
    path = above
    for entry in entries:
        path = (*path, entry.key if entry.key is not None else _index(lines, row, entry.column))
    last = entries[-1] if entries else None
    if last is not None and last.key is not None:
        typed, quote = _unquoted(rest)
        return CursorPlace(path, is_key=False, typed=typed, quote=quote)
    at = last.end if last is not None else indent
    beside = _beside(lines, row, at) if rest or last is None else frozenset[str]()
    typed, quote = _unquoted(rest)
    return CursorPlace(path, is_key=True, typed=typed, quote=quote, beside=beside)


def _entries(line: str) -> list[_LinePart]:
    """Return the dashes and the key that a line begins with."""
    found: list[_LinePart] = []
    at = len(line) - len(line.lstrip(" "))
    while dash := _DASH.match(line, at):
        found.append(_LinePart(at, None, dash.end()))
        at = dash.end()
    if key := _KEY.match(line, at):
        found.append(_LinePart(at, _name(key[1]), key.end()))
    return found


def _name(written: str) -> str:
    return written[1:-1] if written[:1] in "\"'" and len(written) > 1 else written.strip()


def _is_blank(line: str) -> bool:
    said = line.lstrip()
    return not said or said.startswith("#")


def _above(lines: Sequence[str], row: int, indent: int, *, is_item: bool) -> PlanPath:
    """Return the path of the mapping or list that a line with this indentation is in."""
    path: list[str | int] = []
    limit, of_list = indent, is_item
    for above in range(row - 1, -1, -1):
        line = lines[above]
        if _is_blank(line) or len(line) - len(line.lstrip(" ")) > limit:
            continue
        for entry in reversed(_entries(line)):
            is_parent = entry.column < limit or (
                of_list and entry.key is not None and entry.column == limit
            )
            if not is_parent:
                continue
            if entry.key is None:
                path.insert(0, _index(lines, above, entry.column))
            else:
                path.insert(0, entry.key)
            limit, of_list = entry.column, entry.key is None
        if limit == 0 and not of_list:
            break
    return tuple(path)


def _index(lines: Sequence[str], row: int, column: int) -> int:
    """Return which item of its list a dash begins."""
    count = 0
    for above in range(row - 1, -1, -1):
        line = lines[above]
        if _is_blank(line):
            continue
        indent = len(line) - len(line.lstrip(" "))
        if indent == column and _DASH.match(line, column):
            count += 1
        elif indent <= column:
            inner = _entries(line)
            nested = [one for one in inner if one.key is None and one.column == column]
            return count + len(nested)
    return count


def _beside(lines: Sequence[str], row: int, column: int) -> frozenset[str]:
    """Return the keys of the block mapping whose keys begin at a column."""
    found = set[str]()
    for step in (-1, 1):
        at = row + step
        while 0 <= at < len(lines):
            line = lines[at]
            indent = len(line) - len(line.lstrip(" "))
            if not _is_blank(line):
                first = [one for one in _entries(line) if one.column == column and one.key]
                found.update(str(one.key) for one in first)
                begins_item = indent < column and bool(first)
                if indent < column and not (begins_item and step < 0):
                    break
                if begins_item:
                    break
            at += step
    own = [one for one in _entries(lines[row]) if one.column != column and one.key]
    return frozenset(found - {str(one.key) for one in own})


# --- inside brackets --------------------------------------------------------------------------


def _flow_start(lines: Sequence[str], row: int, column: int) -> tuple[int, int, PlanPath] | None:
    """Return where the brackets open that a cursor is in, and the path of what they hold."""
    for above in range(row, max(row - _MOST_LINES, -1), -1):
        line = lines[above] if above < row else lines[row][:column]
        if _is_blank(line):
            continue
        entries = _entries(line)
        at = entries[-1].end if entries else len(line) - len(line.lstrip(" "))
        if line[at : at + 1] in ("{", "["):
            text = "\n".join([*lines[above:row], lines[row][:column]])[at:]
            if not _Brackets(text).stack:
                return None
            indent = entries[0].column if entries else at
            path = _above(lines, above, indent, is_item=bool(entries) and entries[0].key is None)
            for entry in entries:
                index = _index(lines, above, entry.column) if entry.key is None else entry.key
                path = (*path, index)
            return above, at, path
        if entries and above < row:
            return None
    return None


class _Brackets:
    """What is open at the end of a text in brackets."""

    def __init__(self, text: str) -> None:
        self.stack: list[list[str | int | None]] = []
        self.keys: list[set[str]] = []
        self.start = 0
        self._text = text
        at = 0
        while at < len(text):
            at = self._step(at)

    def _step(self, at: int) -> int:
        text, sign = self._text, self._text[at]
        if sign in "\"'" and not text[self.start : at].strip():
            end = text.find(sign, at + 1)
            return len(text) if end < 0 else end + 1
        if text.startswith("${", at):
            end = text.find("}", at)
            return len(text) if end < 0 else end + 1
        if sign in "{[":
            self.stack.append([None if sign == "{" else 0])
            self.keys.append(set())
            self.start = at + 1
        elif sign in "}]" and self.stack:
            self.stack.pop()
            self.keys.pop()
            self.start = at + 1
        elif sign == "," and self.stack:
            first = self.stack[-1][0]
            self.stack[-1][0] = first + 1 if isinstance(first, int) else None
            self.start = at + 1
        elif sign == ":" and self.stack and self.stack[-1] == [None] and self._ends_key(at):
            name = _name(text[self.start : at].strip())
            self.stack[-1][0] = name
            self.keys[-1].add(name)
            self.start = at + 1
        return at + 1

    def _ends_key(self, at: int) -> bool:
        return self._text[at + 1 : at + 2] in (" ", "\n")


def _in_flow(text: str, path: PlanPath, after: str) -> CursorPlace:
    brackets = _Brackets(text)
    typed, quote = _unquoted(text[brackets.start :].lstrip())
    inner = tuple(one[0] for one in brackets.stack if one[0] is not None)
    beside = frozenset(brackets.keys[-1]) | _keys_after(after)
    last = brackets.stack[-1][0]
    is_key = last is None or isinstance(last, int)
    return CursorPlace((*path, *inner), is_key, typed, quote, beside, is_flow=True)


def _keys_after(text: str) -> frozenset[str]:
    """Return the keys of the same mapping behind the cursor, on its line."""
    inside = re.split(r"[}\]]", text, maxsplit=1)[0]
    return frozenset(re.findall(r",\s*([\w.]+):", inside))


def _unquoted(text: str) -> tuple[str, str]:
    return (text[1:], text[0]) if text[:1] in ("'", '"') and text else (text, "")

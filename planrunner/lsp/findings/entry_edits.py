"""Edits of whole entries of a plan: one goes, gets another key, or moves into another mapping."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

from planrunner.plan.formatting.scalars import quoted
from planrunner.plan.yaml.document import PlanPath
from planrunner.plan.yaml.nodes import YamlNode
from planrunner.plan.yaml.places import entries

__all__ = [
    "TextChange",
    "TextEntry",
    "entry_at",
    "flow_value",
    "inserted",
    "removed",
    "value_text",
    "wrapped",
]


class TextChange(NamedTuple):
    """Characters of a text, and what stands there instead."""

    start: int
    end: int
    new: str


class TextEntry(NamedTuple):
    """An entry of a mapping or list, where it stands.

    Attributes:
        owner: The mapping or list.
        start: Where its key begins, or the item of a list.
        end: Where its key ends.
        home: The entry that the owner is the value of; None at the first level.
    """

    owner: YamlNode
    key: str | int
    start: int
    end: int
    value: YamlNode
    home: TextEntry | None

    @property
    def is_flow(self) -> bool:
        """Whether the owner is in brackets."""
        return self.owner.source.text[self.owner.start : self.owner.start + 1] in ("{", "[")

    @property
    def path(self) -> PlanPath:
        return (*(self.home.path if self.home is not None else ()), self.key)

    @property
    def column(self) -> int:
        return self.start - self.owner.source.line_start(self.start)

    @property
    def stop(self) -> int:
        """Where its value ends, without the blanks behind it."""
        return max(self.end, self.value.start + len(value_text(self.value)))

    def sibling(self, key: str) -> TextEntry | None:
        """Return another entry of the same mapping."""
        if not isinstance(self.owner.items, dict) or key not in self.owner.items:
            return None
        start, end, value = self.owner.items[key]
        return self._replace(key=key, start=start, end=end, value=value)


def value_text(node: YamlNode) -> str:
    """Return what is written of a value, without what follows it."""
    return node.source.text[node.start : node.end].rstrip()


def entry_at(root: YamlNode, offset: int) -> TextEntry | None:
    """Return the innermost entry whose key or value has a character."""
    found: TextEntry | None = None
    node = root
    while True:
        for key, (start, end), child in entries(node):
            is_key = isinstance(key, str) and start <= offset < end
            if is_key or child.start <= offset < max(child.end, child.start + 1):
                found, node = TextEntry(node, key, start, end, child, found), child
                if is_key:
                    return found
                break
        else:
            return found


def removed(entry: TextEntry) -> TextChange:
    """Return the edit that takes an entry away, and the comma or the line that was its own."""
    text, start, stop = entry.owner.source.text, entry.start, entry.stop
    if entry.is_flow:
        if after := re.compile(r"\s*,\s*").match(text, stop):
            return TextChange(start, after.end(), "")
        before = re.search(r"\s*,\s*$", text[entry.owner.start : start])
        return TextChange(start - (len(before[0]) if before else 0), stop, "")
    line = entry.owner.source.line_start(start)
    if isinstance(entry.key, int):
        start = text.rindex("-", line, start) if "-" in text[line:start] else start
    stop = _line_end(text, stop)
    if text[line:start].strip():  # the first of an item: the next one takes its place
        following = re.compile(r"(?:[ \t]*(?:#[^\n]*)?\r?\n)*[ \t]*").match(text, stop)
        assert following is not None  # it fits anywhere
        return TextChange(start, following.end(), "")
    return TextChange(line, min(stop + 1, len(text)), "")


def _line_end(text: str, offset: int) -> int:
    end = text.find("\n", offset)
    return len(text) if end < 0 else end


def inserted(mapping: YamlNode, key: str, value: str) -> TextChange | None:
    """Return the edit that adds an entry to the end of a mapping; None where that isn't simple.

    Args:
        mapping: Where it goes.
        key: Its key.
        value: Its value as text, of one line for a mapping in brackets.
    """
    items = mapping.items
    if not isinstance(items, dict):
        return None
    text = mapping.source.text
    if text[mapping.start : mapping.start + 1] == "{":
        if "\n" in value:
            return None
        written = value_text(mapping)
        at = mapping.start + len(written[:-1].rstrip())
        return TextChange(at, at, f"{', ' if items else ''}{key}: {value}")
    if not items:
        return None
    start, _, last = list(items.values())[-1]
    column = start - mapping.source.line_start(start)
    at = _line_end(text, max(start, last.start + len(value_text(last))))
    at -= text[at - 1 : at] == "\r"
    return TextChange(at, at, f"\n{' ' * column}{key}:{_below(value, column)}")


def wrapped(entry: TextEntry, key: str, inner: str) -> TextChange | None:
    """Return the edit that makes an entry the only one of a mapping in its place."""
    value = value_text(entry.value)
    on_one_line = flow_value(entry.value)
    if on_one_line is not None:
        return TextChange(entry.start, entry.stop, f"{key}: {{{inner}: {on_one_line}}}")
    if entry.is_flow:
        return None
    block = f"{key}:\n{' ' * (entry.column + 2)}{inner}:{_below(value, entry.column + 2)}"
    return TextChange(entry.start, entry.stop, block)


def flow_value(node: YamlNode) -> str | None:
    """Return what is written of a value as brackets can have it; None if it takes several lines."""
    written = value_text(node)
    if "\n" in written:
        return None
    is_plain = isinstance(node.data, str) and written[:1] not in ("'", '"')
    return quoted(node.data) if is_plain and _OF_FLOW.search(written) else written


_OF_FLOW: Final = re.compile(r"[,\[\]{}]|: ")


def _below(value: str, column: int) -> str:
    """Return a value behind a key with this margin: a block begins on a line of its own."""
    lines = value.split("\n")
    if len(lines) == 1:
        return f" {value}"
    first, *rest = _shifted(lines, column + 2)
    start = f" {lines[0]}" if lines[0][:1] in ("|", ">") else f"\n{first}"
    return "\n".join([start, *rest])


def _shifted(lines: Sequence[str], column: int) -> list[str]:
    """Return lines with another margin; the first one has none yet."""
    margins = [len(line) - len(line.lstrip(" ")) for line in lines[1:] if line.strip()]
    least = min(margins, default=0)
    return [" " * column + lines[0], *(" " * column + line[least:] for line in lines[1:])]

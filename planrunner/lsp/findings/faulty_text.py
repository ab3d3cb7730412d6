"""A fault and the text that has it, and what a mending of it is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property
from typing import Final, NamedTuple

from planrunner.language.diagnostics import Diagnostic
from planrunner.lsp.findings.entry_edits import TextChange, TextEntry, entry_at, value_text
from planrunner.lsp.grammar.shapes import ValueShape
from planrunner.plan.formatting.scalars import quoted
from planrunner.plan.yaml.nodes import YamlNode
from planrunner.plan.yaml.source import Source

__all__ = ["QUOTED", "FaultyText", "Mending", "one_mending", "put"]

QUOTED: Final = re.compile(r"`([^`]+)`")


class Mending(NamedTuple):
    """One way to mend a fault.

    Attributes:
        is_meant: Whether it is surely what was meant.
    """

    title: str
    pieces: tuple[TextChange, ...]
    is_meant: bool = False


class FaultyText:
    """A fault, and the text that has it.

    Args:
        fault: What is wrong.
        source: The text.
        root: Its tree; None while it can't be read.
        shape: What the plan may be.
    """

    def __init__(
        self,
        fault: Diagnostic,
        source: Source,
        root: YamlNode | None,
        shape: ValueShape,
    ) -> None:
        self.fault, self.source, self.root, self.shape = fault, source, root, shape
        span, starts = fault.span, source.line_starts
        last = len(starts)
        self.start = starts[min(span.line, last) - 1] + span.column - 1
        self.end = starts[min(span.end_line, last) - 1] + span.end_column - 1
        self.line_start = starts[min(span.line, last) - 1]

    @cached_property
    def entry(self) -> TextEntry | None:
        """The entry whose key or value is at fault."""
        return None if self.root is None else entry_at(self.root, self.start)

    @property
    def is_key(self) -> bool:
        entry = self.entry
        return entry is not None and isinstance(entry.key, str) and self.start < entry.end

    def may_have(self, entry: TextEntry, key: str) -> bool:
        """Whether the mapping of an entry can have a key."""
        known = self.shape.at(entry.path[:-1]).keys()
        return key in known

    @property
    def written(self) -> str:
        """The characters at fault."""
        return self.source.text[self.start : self.end]

    @property
    def line(self) -> str:
        end = self.source.text.find("\n", self.line_start)
        return self.source.text[self.line_start : len(self.source.text) if end < 0 else end]


def one_mending(
    title: str, *pieces: TextChange | None, is_meant: bool = False
) -> Iterator[Mending]:
    """Yield a mending unless a piece of it couldn't be made."""
    if pieces and None not in pieces:
        yield Mending(title, tuple(filter(None, pieces)), is_meant)


def put(text: FaultyText, start: int, end: int, new: str) -> TextChange:
    """Return the edit that writes characters, as the quotes around them need it."""
    entry = text.entry
    if entry is None or text.is_key or entry.value.items is not None:
        return TextChange(start, end, new)
    node = entry.value
    raw = value_text(node)
    if start <= node.start or raw[:1] in ("|", ">"):
        return TextChange(start, end, new)
    if raw[:1] == '"':
        return TextChange(start, end, re.sub(r'(?<!\\)"', r"\\\"", new))
    if raw[:1] == "'":
        return TextChange(start, end, new.replace("'", "''"))
    if entry.is_flow and re.search(r"[,{}\[\]]", new):
        whole = raw[: start - node.start] + new + raw[end - node.start :]
        return TextChange(node.start, node.start + len(raw), quoted(whole))
    return TextChange(start, end, new)

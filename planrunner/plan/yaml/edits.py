"""Changes to a plan's tree from the command line: a new value remembers where it came from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field, replace
from typing import Any, Final

from planrunner.language.diagnostics import Code, Diagnostic, PlanError
from planrunner.plan.yaml.document import Document, PlanPath
from planrunner.plan.yaml.nodes import TreeBuilder, YamlNode
from planrunner.plan.yaml.source import Source
from planrunner.plan.yaml.yaml_events import YamlProblem, open_events
from planrunner.values import dataclass

__all__ = ["COMMAND_LINE", "Edits", "Option", "typed"]

COMMAND_LINE: Final = "<command line>"
"""What diagnostics name as the file of a value that an option gave."""


@dataclass(frozen=True, slots=True)
class Option:
    """One option as it was typed.

    Attributes:
        start: Where it begins among all options, in characters.
    """

    text: str
    source: Source
    start: int

    def fault(
        self, code: Code, message: str, *, at: tuple[int, int] | None = None, hint: str = ""
    ) -> Diagnostic:
        """Return a finding about characters (start, end) of the option, or all of it."""
        start, end = at or (0, len(self.text))
        place = (self.start + start, self.start + end)
        return self.source.diagnostic(code, message, at=place, hint=hint)

    def node(self, data: object, at: tuple[int, int]) -> YamlNode:
        """Return a value that the option stands for; `at` are the characters it comes from."""
        source, (start, end) = self.source, (self.start + at[0], self.start + at[1])
        node = YamlNode(source, start, end, data)
        if isinstance(data, dict):
            node.items = {key: (start, end, self.node(value, at)) for key, value in data.items()}
        elif isinstance(data, list):
            node.items = [self.node(value, at) for value in data]
        return node

    def value(self, start: int) -> YamlNode:
        """Return what the option says from character `start` on, which is YAML.

        Raises:
            PlanError: It isn't.
        """
        # Blanks stand for what is before it, so that every place is right.
        begin = self.start + start
        text = " " * begin + self.text[start:]
        builder = TreeBuilder(self.source, text=text)
        try:
            node = builder.build(open_events(text))
        except YamlProblem as problem:
            place = (start, len(self.text))
            message = f"`{self.text[start:]}` is not a YAML value"
            raise PlanError([self.fault(Code.YAML_SYNTAX, message, at=place)]) from problem
        if builder.faults:
            raise PlanError(builder.faults)
        return node or YamlNode(self.source, begin, begin, None)


def typed(text: str) -> Option:
    """Return an option that changes nothing in the plan, to say what is wrong with it."""
    return Option(text, Source(COMMAND_LINE, text), 0)


@dataclass(slots=True)
class Edits:
    """A document while it is being changed; the one it was made from stays as it is.

    Attributes:
        faults: What could not be done.
    """

    document: Document
    faults: list[Diagnostic] = field(default_factory=list)

    @classmethod
    def begin(cls, document: Document, texts: Sequence[str]) -> tuple[Edits, list[Option]]:
        """Return the edits, and the options that they come from; one line each."""
        lines = [" ".join(text.splitlines()) for text in texts]
        source = Source(COMMAND_LINE, "\n".join(lines))
        options, start = [], 0
        for line in lines:
            options.append(Option(line, source, start))
            start += len(line) + 1
        return cls(replace(document, imported=(*document.imported, source))), options

    def set(self, path: PlanPath, value: YamlNode, *, key: tuple[int, int] | None = None) -> None:
        """Put a value at `path`, whose parent exists.

        Args:
            path: A new key is allowed; a new item of a list isn't.
            value: What stands there from now on.
            key: Where the key is written, in characters of all options.
        """
        root = _with(self.document.root, path, value, key or (value.start, value.end))
        self.document = replace(self.document, root=root)

    def drop(self, path: PlanPath) -> None:
        """Take the key at `path` out of its mapping, if the plan has it."""
        if self.document.has(path):
            root = _without(self.document.root, path)
            self.document = replace(self.document, root=root)


def _without(node: YamlNode, path: PlanPath) -> YamlNode:
    part, rest = path[0], path[1:]
    items: Any
    data: Any
    if isinstance(node.items, dict):
        assert isinstance(part, str)
        items = dict(node.items)
        begin, end, inner = items.pop(part)
        if rest:
            items = {**node.items, part: (begin, end, _without(inner, rest))}
        data = {name: entry[2].data for name, entry in items.items()}
    else:
        assert isinstance(node.items, list)
        assert isinstance(part, int)
        items = list(node.items)
        items[part] = _without(items[part], rest)
        data = [item.data for item in items]
    return replace(node, items=items, data=data)


def _with(node: YamlNode, path: PlanPath, value: YamlNode, key: tuple[int, int]) -> YamlNode:
    if not path:
        return value
    part, rest = path[0], path[1:]
    items: Any
    data: Any
    if isinstance(node.items, dict) and isinstance(part, str):
        entry = node.items.get(part)
        if entry is not None and rest:
            inner = _with(entry[2], rest, value, key)
            items = {**node.items, part: (entry[0], entry[1], inner)}
        else:
            items = {**node.items, part: (*key, value)}
        data = {name: entry[2].data for name, entry in items.items()}
    else:
        assert isinstance(node.items, list)
        assert isinstance(part, int)
        items = list(node.items)
        items[part] = _with(items[part], rest, value, key)
        data = [item.data for item in items]
    return replace(node, items=items, data=data)

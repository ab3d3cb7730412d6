"""YAML and JSON of other tools as nodes with places, each key a construct of the ledger.

A reader takes keys (`take`), and what it takes is translated unless it is judged otherwise; what
nobody takes stays unjudged, and so counts as left out. Values are plain: YAML 1.1's words and
dates stay text, because other tools' templates stand in them.
"""

from __future__ import annotations

import json
import re
from dataclasses import field
from typing import Any, Final

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import CollectionEndEvent, CollectionStartEvent
from ruamel.yaml.nodes import MappingNode, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError

from planrunner.importers.sources import ImportFault, SourceFile
from planrunner.loss.ledger import Ledger, SourcePlace
from planrunner.loss.source_nodes import SourceEntry, SourceNode
from planrunner.values import dataclass

__all__ = ["SourceEntry", "SourceNode", "parse_json", "parse_yaml"]

_DEEPEST: Final = 200
_MOST_IN_PYTHON: Final = 200_000
"""Characters; a parser in Python reads 100,000 a second."""


def parse_yaml(file: SourceFile, ledger: Ledger) -> SourceNode:
    """Read a YAML file; its keys become constructs.

    Raises:
        ImportFault: It isn't YAML, or nests too deeply.
    """
    try:
        root = _compose(file)
    except MarkedYAMLError as error:
        mark: Any = error.problem_mark or error.context_mark
        place = file.place(mark.line + 1, mark.column + 1) if mark else file.place(1)
        raise ImportFault(place, f"not YAML: {error.problem or error.context}") from error
    except ReaderError as error:
        before = file.text[: error.position]
        place = file.place(before.count("\n") + 1, len(before) - before.rfind("\n"))
        raise ImportFault(
            place, f"not YAML: a character that can't stand here, U+{error.character:04X}"
        ) from error
    except (YAMLError, RecursionError) as error:
        raise ImportFault(file.name, f"not YAML: {error}") from error
    return _YamlTree(file, ledger).node(root, "", 0)


def _compose(file: SourceFile) -> Any:  # noqa: ANN401 - the library's nodes have no types
    """Return the nodes of a text: by libyaml, which refuses `{url: http://a}`, else by Python."""
    text = file.text
    try:
        _refuse_depth(file)
        return YAML(typ="safe", pure=False).compose(text)
    except MarkedYAMLError as error:
        if len(text) > _MOST_IN_PYTHON or "unexpected ':'" not in str(error.problem):
            raise
        return YAML(typ="safe", pure=True).compose(text)


def _refuse_depth(file: SourceFile) -> None:
    """Refuse what nests deeply before it is composed, which recurses in C and ends the process.

    Raises:
        ImportFault: It nests deeper than any test does.
    """
    depth = 0
    for event in YAML(typ="safe", pure=False).parse(file.text):
        depth += isinstance(event, CollectionStartEvent) - isinstance(event, CollectionEndEvent)
        if depth > _DEEPEST + 1:
            mark = event.start_mark
            place = file.place(mark.line + 1, mark.column + 1)
            raise ImportFault(place, f"nests deeper than {_DEEPEST} levels")


@dataclass(slots=True)
class _YamlTree:
    file: SourceFile
    ledger: Ledger
    made: dict[int, SourceNode] = field(default_factory=dict)

    def node(self, raw: Any, path: str, depth: int) -> SourceNode:  # noqa: ANN401 - the library's nodes have no types
        """Return a node; one that aliases point to is made once, and so counts once."""
        if raw is None:
            return SourceNode(self.file.place(1))
        if id(raw) in self.made:
            return self.made[id(raw)]
        place = self.file.place(raw.start_mark.line + 1, raw.start_mark.column + 1)
        if depth > _DEEPEST:
            raise ImportFault(place, f"nests deeper than {_DEEPEST} levels")
        made = self.made[id(raw)] = SourceNode(place)
        if isinstance(raw, ScalarNode):
            made.scalar = _scalar(raw)
        elif isinstance(raw, SequenceNode):
            made.items = [
                self.node(one, f"{path}[{number}]", depth + 1)
                for number, one in enumerate(raw.value)
            ]
        elif isinstance(raw, MappingNode):
            made.entries = [self._entry(key, value, path, depth) for key, value in raw.value]
        return made

    def _entry(self, key: Any, value: Any, path: str, depth: int) -> SourceEntry:  # noqa: ANN401
        name = str(key.value) if isinstance(key, ScalarNode) else "?"
        below = f"{path}.{name}" if path else name
        place = self.file.place(key.start_mark.line + 1, key.start_mark.column + 1)
        construct = self.ledger.add("key", below, place)
        return SourceEntry(name, construct, self.node(value, below, depth + 1))


_NUMBER: Final = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?")
_WORDS: Final = {"true": True, "false": False, "null": None, "~": None, "": None}


def _scalar(raw: ScalarNode) -> object:
    """Return a plain scalar's value as YAML 1.2's core has it; quoted ones are text."""
    text = str(raw.value)
    if raw.style:
        return text
    if text.lower() in _WORDS:
        return _WORDS[text.lower()]
    return json.loads(text) if _NUMBER.fullmatch(text) else text


def parse_json(file: SourceFile, ledger: Ledger) -> SourceNode:
    """Read a JSON file; its keys become constructs.

    Raises:
        ImportFault: It isn't JSON, or nests too deeply.
    """
    return _JsonTree(file, ledger).read()


_scan: Final[Any] = vars(json.decoder)["scanstring"]
"""Reads a text of JSON from behind its quote: in C where it can be; it has no public name."""

_SPACE: Final = re.compile(r"[ \t\n]*")
_JSON_WORDS: Final = (("true", True), ("false", False), ("null", None))


class _JsonTree:
    def __init__(self, file: SourceFile, ledger: Ledger) -> None:
        self.file, self.ledger, self.text = file, ledger, file.text
        self.line, self.line_start, self.counted = 1, 0, 0

    def read(self) -> SourceNode:
        node, at = self._value(self._skip(0), "", 0)
        at = self._skip(at)
        if at < len(self.text):
            raise self._fault(at, "text after the end of the JSON")
        return node

    def _place(self, at: int) -> SourcePlace:
        """Return the place of an offset; offsets only grow, so lines are counted once."""
        lines = self.text.count("\n", self.counted, at)
        if lines:
            self.line += lines
            self.line_start = self.text.rfind("\n", self.counted, at) + 1
        self.counted = at
        return self.file.place(self.line, at - self.line_start + 1)

    def _fault(self, at: int, message: str) -> ImportFault:
        return ImportFault(self._place(max(at, self.counted)), f"not JSON: {message}")

    def _skip(self, at: int) -> int:
        found = _SPACE.match(self.text, at)
        return found.end() if found else at

    def _value(self, at: int, path: str, depth: int) -> tuple[SourceNode, int]:
        node = SourceNode(self._place(at))
        if depth > _DEEPEST:
            raise ImportFault(node.place, f"nests deeper than {_DEEPEST} levels")
        first = self.text[at : at + 1]
        if first == "{":
            return self._mapping(node, at + 1, path, depth)
        if first == "[":
            return self._list(node, at + 1, path, depth)
        if first == '"':
            node.scalar, at = self._string(at)
            return node, at
        for word, value in _JSON_WORDS:
            if self.text.startswith(word, at):
                node.scalar = value
                return node, at + len(word)
        number = _NUMBER.match(self.text, at)
        if number is None:
            what = f"`{first}`" if first else "the end of the file"
            raise self._fault(at, f"{what} where a value should stand")
        node.scalar = json.loads(number[0])
        return node, number.end()

    def _string(self, at: int) -> tuple[str, int]:
        try:
            found: tuple[str, int] = _scan(self.text, at + 1, False)  # noqa: FBT003 - not strict
        except ValueError as error:
            raise self._fault(at, "a text that does not end") from error
        return found

    def _mapping(self, node: SourceNode, at: int, path: str, depth: int) -> tuple[SourceNode, int]:
        node.entries = []
        at = self._skip(at)
        while self.text[at : at + 1] != "}":
            if self.text[at : at + 1] != '"':
                raise self._fault(at, "a key should stand here, in double quotes")
            place = self._place(at)
            key, at = self._string(at)
            below = f"{path}.{key}" if path else key
            at = self._skip(at)
            if self.text[at : at + 1] != ":":
                raise self._fault(at, "a `:` should stand here")
            construct = self.ledger.add("key", below, place)
            value, at = self._value(self._skip(at + 1), below, depth + 1)
            node.entries.append(SourceEntry(key, construct, value))
            at = self._after(at, "}")
        return node, at + 1

    def _list(self, node: SourceNode, at: int, path: str, depth: int) -> tuple[SourceNode, int]:
        node.items = []
        at = self._skip(at)
        while self.text[at : at + 1] != "]":
            value, at = self._value(at, f"{path}[{len(node.items)}]", depth + 1)
            node.items.append(value)
            at = self._after(at, "]")
        return node, at + 1

    def _after(self, at: int, end: str) -> int:
        """Return where the next value or the end stands."""
        at = self._skip(at)
        if self.text[at : at + 1] == ",":
            return self._skip(at + 1)
        if self.text[at : at + 1] != end:
            raise self._fault(at, f"a `,` or `{end}` should stand here")
        return at

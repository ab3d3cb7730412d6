"""Events → a tree of nodes that holds plain data and remembers where each piece stands.

Everything here is bounded: depth, nodes after expanding aliases and merges, number of findings.
An aliased node is one object in several places; nothing is copied, so no alias bomb can go off.
"""

from __future__ import annotations

from typing import Any, Final, NoReturn

from planrunner.language.diagnostics import Code, Diagnostic, Note, PlanError
from planrunner.language.pausing import go_on
from planrunner.late_pattern import late_pattern
from planrunner.plan.yaml.source import Source
from planrunner.plan.yaml.yaml_events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    NextEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
    reading,
)
from planrunner.plan.yaml.yaml_repairs import restore
from planrunner.values import dataclass

__all__ = [
    "CORE_TAGS",
    "MAX_DEPTH",
    "MAX_NODES",
    "Entry",
    "TreeBuilder",
    "YamlNode",
    "plain_value",
    "tagged_value",
]

MAX_DEPTH: Final = 64
MAX_NODES: Final = 120_000
# More don't help; a generated file with a systematic fault would fill the terminal.
MAX_FAULTS: Final = 100


@dataclass(slots=True, eq=False)
class YamlNode:
    """One value of a plan.

    Attributes:
        start, end: Where it stands in `source`; equal when nothing is written (`key:`).
        data: The value; a mapping's or list's is complete once the node is closed.
        items: A mapping's entries, a list's nodes; None for a scalar.
        nodes: How many nodes it has, expanded; itself included.
        height: How deep it nests: 0 for a scalar.
        is_broken: What was meant is unknown; a finding says so.
    """

    source: Source
    start: int
    end: int
    data: Any  # house style: YAML data has no type until pydantic gives it one
    items: dict[str, Entry] | list[YamlNode] | None = None
    nodes: int = 1
    height: int = 0
    is_open: bool = False
    is_broken: bool = False


VALUES_KEY: Final = "cases"
"""The key of a mapping in which each key is a value that something may have."""

# (start of the key, its end, the value); a tuple, since there is one for every line of a plan
Entry = tuple[int, int, YamlNode]


@dataclass(slots=True)
class _Frame:
    """A mapping or list that is being read."""

    node: YamlNode
    nodes_before: int
    key: YamlNode | None = None
    merges: list[YamlNode] | None = None
    template: str = ""  # `{{ name }}` is a mapping with a mapping as key; this is what was meant


class TreeBuilder:
    """Reads one document. `faults` are findings that reading could go on after."""

    def __init__(self, source: Source, *, text: str) -> None:
        self.faults: list[Diagnostic] = []
        self._source = source
        self._is_patched = text != source.text
        self._root: YamlNode | None = None
        self._documents = 0
        self._nodes = 0
        self._anchors: dict[str, YamlNode] = {}
        self._stack: list[_Frame] = []
        self._reactions = {
            ScalarEvent: self._scalar,
            AliasEvent: self._alias,
            MappingStartEvent: self._open,
            SequenceStartEvent: self._open,
            MappingEndEvent: self._close,
            SequenceEndEvent: self._close,
            DocumentStartEvent: self._document,
        }

    def build(self, next_event: NextEvent) -> YamlNode | None:
        """Return the root, None when the file holds no document.

        Raises:
            YamlProblem: The text isn't YAML.
            PlanError: A limit was reached.
        """
        reactions = self._reactions
        with reading():
            while True:
                event = next_event()
                kind = type(event)
                if kind in reactions:
                    reactions[kind](event)
                    if self._documents > 1:
                        return self._root
                elif kind is StreamEndEvent:
                    return self._root

    # -- events

    def _document(self, event: Any) -> None:  # noqa: ANN401 - the library's events have no types
        self._documents += 1
        if self._documents > 1:
            self._fault(
                Code.YAML_SYNTAX,
                "a second document starts here; a plan is one document",
                _mark(event),
                hint="put it into a separate file",
            )

    def _scalar(self, event: Any) -> None:  # noqa: ANN401
        node = YamlNode(self._source, event.start_mark.index, event.end_mark.index, event.value)
        if self._is_patched:
            node.data = restore(event.value, self._source.text[node.start : node.end])
        if event.style or event.tag or event.anchor:
            self._decorated(event, node)
        else:
            self._plain(node)
        self._nodes += 1
        if self._nodes > MAX_NODES:
            self._count(node)  # which says so
        self._attach(node)

    def _alias(self, event: Any) -> None:  # noqa: ANN401
        name, at = event.anchor, _mark(event)
        target = self._anchors.get(name)
        if target is None:
            self._fault(
                Code.YAML_SYNTAX,
                f"no anchor `&{name}` precedes this alias",
                at,
                hint=f"write `&{name}` before its value, or quote text that starts with `*`",
            )
        elif target.is_open:
            note = Note(self._source.span(target.start), f"`&{name}` starts here")
            message = f"`*{name}` is inside the value it refers to"
            self._fault(Code.RECURSIVE_ALIAS, message, at, notes=(note,))
        if target is None or target.is_open:
            target = YamlNode(self._source, *at, None, is_broken=True)
        self._count(target, at=at)
        self._attach(target)

    def _open(self, event: Any) -> None:  # noqa: ANN401
        go_on()
        at = _mark(event)
        is_list = type(event) is SequenceStartEvent
        node = YamlNode(self._source, *at, [] if is_list else {}, [] if is_list else {})
        self._check_tag(event, node, "seq" if is_list else "map")
        node.is_open = True
        if event.anchor:
            self._anchors[event.anchor] = node
        self._stack.append(_Frame(node, self._nodes))
        self._count(node, at=at)

    def _close(self, event: Any) -> None:  # noqa: ANN401
        frame = self._stack.pop()
        node = frame.node
        for source in frame.merges or ():
            self._merge(node, source)
        if frame.template:
            node.data, node.items = frame.template, None
        # A block has no closing mark: its end event stands where the next key does, lines below.
        node.end = max(node.end, event.end_mark.index if _width(event) else node.start)
        node.nodes = self._nodes - frame.nodes_before
        node.is_open = False
        self._attach(node)

    # -- values

    def _decorated(self, event: Any, node: YamlNode) -> None:  # noqa: ANN401
        """Give a scalar that is quoted, tagged or anchored its value and its name."""
        name = self._check_tag(event, node, "str")
        if name:
            try:
                node.data = tagged_value(name, node.data)
            except ValueError as error:
                self._fault(Code.INVALID_VALUE, str(error), _mark(event))
                node.is_broken = True
        elif not event.style and event.tag != "!":
            self._plain(node)
        if event.style == '"' and _SURROGATE.search(event.value):
            self._fault(Code.YAML_SYNTAX, "an escape here is half a character", _mark(event))
            node.data, node.is_broken = "", True
        if event.anchor:
            self._anchors[event.anchor] = node

    def _plain(self, node: YamlNode) -> None:
        try:
            node.data = plain_value(node.data)
        except ValueError as error:
            self._fault(Code.INVALID_VALUE, str(error), (node.start, node.end))
            node.data, node.is_broken = 0, True

    def _check_tag(self, event: Any, node: YamlNode, kind: str) -> str:  # noqa: ANN401
        """Return the name of the event's core tag, empty for none; report any other."""
        tag = event.tag or ""
        if tag in ("", "!"):
            return ""
        tag = restore(tag, "")
        name = CORE_TAGS.get(tag, "")
        if not name or (name != kind and (kind != "str" or name in ("map", "seq"))):
            start = event.start_mark.index
            written = self._source.text[start : start + 200].split(maxsplit=1)[0]
            self._fault(
                Code.FOREIGN_TAG,
                f"the tag `{written}` is not part of the plan language",
                (start, start + len(written)),
                hint="remove it; quote the value if it is text that starts with `!`",
            )
            node.is_broken = True
            return ""
        return name

    # -- the tree

    def _attach(self, node: YamlNode) -> None:
        if not self._stack:
            self._root = node
            return
        frame = self._stack[-1]
        parent = frame.node
        parent.end = max(parent.end, node.end)
        if node.height >= parent.height:
            parent.height = node.height + 1
        if isinstance(parent.items, list):
            parent.items.append(node)
            parent.data.append(node.data)
        elif frame.key is None:
            frame.key = node
        else:
            key, frame.key = frame.key, None
            self._add_entry(frame, key, node)

    def _add_entry(self, frame: _Frame, key: YamlNode, value: YamlNode) -> None:
        name = key.data
        if type(name) is not str:
            is_value = key.items is None and self._holds_values()
            written = self._source.text[key.start : key.end]
            name = written if is_value else self._bad_key(frame, key)
        if key.items is not None:
            return
        if name == "<<" and self._source.text[key.start : key.end] == "<<":
            frame.merges = [*(frame.merges or ()), *self._merge_sources(key, value)]
            return
        items = frame.node.items
        assert isinstance(items, dict)  # only mappings have keys
        if name in items:
            first = items[name]
            self._fault(
                Code.DUPLICATE_KEY,
                f"the key `{name}` appears twice in one mapping",
                (key.start, key.end),
                hint="keep one of the two",
                notes=(Note(self._source.span(first[0], first[1]), "first written here"),),
            )
        else:
            items[name] = (key.start, key.end, value)
            frame.node.data[name] = value.data

    def _holds_values(self) -> bool:
        """Whether the keys of the mapping that is read are values, such as the number 1."""
        key = self._stack[-2].key if len(self._stack) > 1 else None
        return key is not None and key.data == VALUES_KEY

    def _bad_key(self, frame: _Frame, key: YamlNode) -> str:
        """Report a key that isn't text; return text to go on with."""
        written = self._source.text[key.start : key.end]
        before = self._source.text[frame.node.start : key.start + 1]
        if isinstance(key.data, dict) and before == "{{":
            name = written.strip("{} ")
            frame.template = f"${{{name}}}"
            self._fault(
                Code.WRONG_BRACES,
                "`{{ }}` has no meaning in a plan",
                (frame.node.start, key.end + 1),
                hint=f'write `"${{{name}}}"`',
            )
        else:
            kind = _KINDS.get(type(key.data), "a number")
            self._fault(
                Code.BAD_KEY,
                f"a key must be text, got {kind}",
                (key.start, key.end),
                hint=f'quote it: `"{written}":`' if key.items is None else "",
            )
        return written

    def _merge_sources(self, key: YamlNode, value: YamlNode) -> list[YamlNode]:
        sources = value.items if isinstance(value.items, list) else [value]
        if all(isinstance(source.items, dict) for source in sources):
            return sources
        message = "`<<` takes a mapping or a list of mappings"
        self._fault(Code.WRONG_TYPE, message, (key.start, key.end), hint="write `<<: *name`")
        return []

    def _merge(self, target: YamlNode, source: YamlNode) -> None:
        """Add the entries of `source` that `target` lacks; earlier ones win."""
        assert isinstance(target.items, dict)
        assert isinstance(source.items, dict)
        for name, entry in source.items.items():
            self._count(entry[2], at=(target.start, None))
            if name not in target.items:
                target.items[name] = entry
                target.data[name] = entry[2].data
                target.height = max(target.height, entry[2].height + 1)

    # -- limits

    def _count(self, node: YamlNode, *, at: tuple[int, int | None] | None = None) -> None:
        self._nodes += node.nodes
        if self._nodes > MAX_NODES:
            self._refuse(
                f"the plan has more than {MAX_NODES:,} values, aliases and merges expanded",
                at or (node.start, node.end),
            )
        if len(self._stack) + node.height > MAX_DEPTH:
            self._refuse(f"nested more than {MAX_DEPTH} levels deep", at or (node.start, node.end))

    def _refuse(self, message: str, at: tuple[int, int | None]) -> NoReturn:
        finding = self._source.diagnostic(Code.TOO_COMPLEX, message, at=at)
        raise PlanError([*self.faults, finding])

    def _fault(
        self,
        code: Code,
        message: str,
        at: tuple[int, int | None],
        *,
        hint: str = "",
        notes: tuple[Note, ...] = (),
    ) -> None:
        self.faults.append(self._source.diagnostic(code, message, at=at, hint=hint, notes=notes))
        if len(self.faults) >= MAX_FAULTS:
            raise PlanError(self.faults)


# The pure parser lets `"\ud800"` through; no encoder takes it later.
_SURROGATE = late_pattern("[\ud800-\udfff]")

_KINDS = {type(None): "nothing", bool: "a boolean", list: "a list", dict: "a mapping"}


def _mark(event: Any) -> tuple[int, int]:  # noqa: ANN401
    return event.start_mark.index, event.end_mark.index


def _width(event: Any) -> int:  # noqa: ANN401
    start, end = _mark(event)
    return end - start


# Source: YAML 1.2.2, 10.3.2 "Tag Resolution" of the core schema.
_WORDS: dict[str, object] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_NUMBER_START = frozenset("+-.0123456789")
_INT = late_pattern(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = late_pattern(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_NOT_FINITE = late_pattern(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")

# More digits than any number of a plan has; int() takes quadratic time.
_MAX_DIGITS = 100

CORE_TAGS = {
    f"tag:yaml.org,2002:{name}": name
    for name in ("str", "int", "float", "bool", "null", "map", "seq")
}


def plain_value(text: str) -> object:
    """Return what an unquoted scalar means: null, a boolean, a number or the text itself.

    Raises:
        ValueError: It is a number with more digits than a plan can mean.
    """
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in _NUMBER_START:
        return text
    if _INT.fullmatch(text):
        if len(text) > _MAX_DIGITS:
            raise ValueError(f"a number of {len(text)} digits is too long for a plan")
        return int(text, 0) if text[:2] in ("0x", "0o") else int(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    if _NOT_FINITE.fullmatch(text):
        return float(text.replace(".", ""))
    return text


_PYTHON_TYPES = {"int": int, "float": float, "bool": bool, "null": type(None)}


def tagged_value(name: str, text: str) -> object:
    """Return the value of a scalar with the explicit core tag `name`, such as `!!int 5`.

    Raises:
        ValueError: The text isn't of that type.
    """
    if name == "str":
        return text
    value = plain_value(text)
    if name == "float" and type(value) is int:
        return float(value)
    if type(value) is not _PYTHON_TYPES.get(name):
        raise ValueError(f"`!!{name}` doesn't fit this value")
    return value

"""JMX as a tree of test elements; each element and each property is a construct of the ledger.

A property that is read is translated unless it is judged otherwise. `settle` translates the other
ones that say nothing: empty ones, those at JMeter's default, what only its windows use. What is
left then counts as left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import field
from typing import Any, Final

from planrunner.importers.formats.jmx.inert import is_inert
from planrunner.importers.sources import ImportFault, SourceFile
from planrunner.loss.ledger import Construct, Ledger, SourcePlace
from planrunner.values import dataclass

__all__ = ["JmxElement", "JmxProperty", "parse_jmx"]

_DEEPEST: Final = 40
"""Elements within elements; people's plans have up to ten."""

_DECLARED: Final = re.compile(rb"<\?xml[^>]*?encoding=[\"']([\w.-]+)[\"']")
_STRUCTURE: Final = frozenset({"jmeterTestPlan", "hashTree"})


@dataclass(slots=True, eq=False)
class JmxProperty:
    """A property of an element, or an entry of a collection."""

    name: str
    text: str
    kind: str
    construct: Construct
    items: list[JmxProperty] = field(default_factory=list)

    def take(self, name: str, default: str = "") -> str:
        """Return the text of a property below this one, which is translated."""
        found = self.below(name)
        return found.read() if found is not None else default

    def below(self, name: str) -> JmxProperty | None:
        """Return a property below this one, unjudged."""
        return next((one for one in self.items if one.name == name), None)

    def read(self) -> str:
        """Return its text; it is translated."""
        self.construct.translated()
        return self.text

    def everything(self) -> Iterator[JmxProperty]:
        """Yield it and all below it."""
        yield self
        for one in self.items:
            yield from one.everything()


@dataclass(slots=True, eq=False)
class JmxElement:
    """A test element: a controller, a sampler, a timer and so on.

    Attributes:
        kind: The short name of its class: `HTTPSamplerProxy`, `UltimateThreadGroup`.
        gui: The short name of the class of its window, which tells some kinds apart.
    """

    kind: str
    gui: str
    name: str
    is_enabled: bool
    construct: Construct
    properties: dict[str, JmxProperty] = field(default_factory=dict)
    children: list[JmxElement] = field(default_factory=list)

    def get(self, name: str) -> JmxProperty | None:
        """Return a property, unjudged."""
        return self.properties.get(name)

    def peek(self, name: str) -> str:
        """Return the text of a property without judging it."""
        found = self.properties.get(name)
        return found.text if found is not None else ""

    def take(self, name: str, default: str = "") -> str:
        """Return the text of a property, which is translated."""
        found = self.properties.get(name)
        return found.read() if found is not None else default

    def flag(self, name: str, *, default: bool = False) -> bool:
        """Return a property as true or false."""
        text = self.take(name).strip().lower()
        return text == "true" if text else default

    def entries(self, *names: str) -> list[JmxProperty]:
        """Return what a collection holds; the properties on the way to it are translated."""
        found = self.properties.get(names[0])
        for name in names[1:]:
            if found is not None:
                found.construct.translated()
                found = found.below(name)
        if found is None:
            return []
        found.construct.translated()
        return found.items

    def judge(self, name: str, how: str) -> None:
        """A property, if it is there, has changed in meaning."""
        if name in self.properties:
            self.properties[name].construct.changed(how)

    def settle(self) -> None:
        """It is translated, and so are the properties that say nothing."""
        self.construct.translated()
        for one in self.properties.values():
            for each in one.everything():
                if each.construct.fate is None and is_inert(each.name, each.text):
                    each.construct.translated()

    def leave_out(self, instead: str) -> None:
        """It and all that it says are left out."""
        for one in self.constructs():
            if one.fate is None:
                one.left_out(instead)

    def drop(self) -> None:
        """JMeter doesn't run it, nor does the plan: it and all below it are translated."""
        for one in self.constructs():
            if one.fate is None:
                one.translated()
        for child in self.children:
            child.drop()

    def whole(self) -> None:
        """It is translated with all of its properties."""
        for one in self.constructs():
            if one.fate is None:
                one.translated()

    def constructs(self) -> Iterator[Construct]:
        """Yield its construct and those of its properties."""
        yield self.construct
        for one in self.properties.values():
            for each in one.everything():
                yield each.construct

    def everything(self) -> Iterator[JmxElement]:
        """Yield the enabled elements below it, in order."""
        for one in self.children:
            if one.is_enabled:
                yield one
                yield from one.everything()


def parse_jmx(file: SourceFile, ledger: Ledger) -> list[JmxElement]:
    """Return the outermost elements of a file.

    Raises:
        ImportFault: It is no JMX.
    """
    from lxml import etree  # noqa: PLC0415 - of an extra

    parser = etree.XMLParser(
        recover=True,
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=True,
        encoding="utf-8",
    )
    try:
        root = etree.fromstring(_utf8(file), parser)
    except etree.XMLSyntaxError:
        root = None
    if root is None or _tag(root) not in _STRUCTURE:
        faults = [one for one in parser.error_log if one.line]
        place = file.place(faults[0].line, faults[0].column or 1) if faults else file.place(1)
        why = f": {faults[0].message}" if faults else ""
        raise ImportFault(place, f"not a JMeter test plan{why}")
    for one in list(parser.error_log)[:20]:
        place = file.place(max(one.line, 1), max(one.column, 1))
        found = ledger.add("xml", " ".join(one.message.split()), place)
        if "depth" in one.message or "ntity" in one.message:
            found.left_out("no more is read of what is this deep, or made of entities")
        else:
            found.suspicious("it is not well-formed here; what could be read around it is there")
    return _JmxTree(file, ledger).read(root)


class _JmxTree:
    """Reads nodes of lxml into elements, and adds each to the ledger: every element of the XML."""

    def __init__(self, file: SourceFile, ledger: Ledger) -> None:
        self._file, self._ledger = file, ledger
        self._lines = file.text.split("\n")
        self._line, self._column = 0, 0

    def read(self, root: Any) -> list[JmxElement]:  # noqa: ANN401 - lxml's
        """Return the elements of a document, whose tree is its root or the first one there."""
        self._add("structure", _tag(root), root).translated()
        if _tag(root) == "hashTree":
            return self.elements(root, 0)
        tree = _first_tree(root)
        found: list[JmxElement] = []
        for child in root:
            if child is tree:
                self._add("structure", "hashTree", child).translated()
                found = self.elements(child, 0)
            elif _tag(child):
                self._all("element", child).left_out("it is not in the tree of elements")
        return found

    def elements(self, node: Any, depth: int) -> list[JmxElement]:  # noqa: ANN401 - lxml's
        """Return the elements of a hash tree; the tree after each holds what is below it."""
        found: list[JmxElement] = []
        for child in node:
            tag = _tag(child)
            if not tag:
                continue
            if tag != "hashTree":
                found.append(self._element(child, tag))
            elif found and depth < _DEEPEST:
                self._add("structure", tag, child).translated()
                found[-1].children += self.elements(child, depth + 1)
            elif len(child):
                why = (
                    f"elements are nested over {_DEEPEST} deep" if found else "it is below nothing"
                )
                self._all("element", child).left_out(why)
            else:
                self._add("structure", tag, child).translated()
        return found

    def _element(self, node: Any, tag: str) -> JmxElement:  # noqa: ANN401 - lxml's
        name = " ".join((node.get("testname") or "").split())
        kind = _short(node.get("testclass") or tag)
        words = f"{kind} “{name[:60]}”" if name else kind
        element = JmxElement(
            kind,
            _short(node.get("guiclass") or ""),
            name,
            (node.get("enabled") or "true").lower() != "false",
            self._add("element", words, node),
        )
        for one in self._properties(node, 0):
            element.properties.setdefault(one.name, one)
        if not name and "TestElement.name" in element.properties:
            element.name = " ".join(element.properties["TestElement.name"].text.split())
        return element

    def _properties(self, node: Any, depth: int) -> Iterator[JmxProperty]:  # noqa: ANN401 - lxml's
        for child in node:
            tag = _tag(child)
            if not tag:
                continue
            if depth > _DEEPEST:
                self._all("property", child).left_out(f"properties are nested over {_DEEPEST} deep")
                continue
            if tag in ("objProp", "mapProp"):
                yield self._object(child)
            elif len(child) and child.get("name") is None and child.find("name") is not None:
                name, value = child.findtext("name") or "", child.findtext("value") or ""
                yield JmxProperty(name, value, tag, self._all("property", child, name))
            else:
                name = child.get("name") or ""
                text = _text(child)
                construct = self._add("property", name or tag, child)
                below = list(self._properties(child, depth + 1))
                kind = child.get("elementType") or tag
                yield JmxProperty(name, text, kind, construct, below)

    def _object(self, node: Any) -> JmxProperty:  # noqa: ANN401 - lxml's
        """Return an object of Java as one property; what a listener stores is nothing to run."""
        name = node.findtext("name") or node.get("name") or ""
        return JmxProperty(name, "", "objProp", self._all("property", node, name))

    def _all(self, kind: str, node: Any, words: str = "") -> Construct:  # noqa: ANN401 - lxml's
        """Add an element with all that is below it, which share a fate."""
        number = sum(1 for one in node.iter() if _tag(one))
        return self._add(kind, words or _tag(node), node, number)

    def _add(self, kind: str, words: str, node: Any, number: int = 1) -> Construct:  # noqa: ANN401 - lxml's
        words = "".join(char if char.isprintable() else " " for char in words)[:120]
        return self._ledger.add(kind, words, self._place(node), number)

    def _place(self, node: Any) -> SourcePlace:  # noqa: ANN401 - lxml's
        """Return where an element begins; lxml knows its line, and elements come in order."""
        line = node.sourceline or 1
        after = self._column if line == self._line else 0
        text = self._lines[line - 1] if line <= len(self._lines) else ""
        self._line, self._column = line, text.find(f"<{_tag(node)}", after) + 1 or after
        return self._file.place(line, self._column or 1)


def _utf8(file: SourceFile) -> bytes:
    """Return a file's bytes as UTF-8, whatever they claim to be."""
    declared = _DECLARED.search(file.head)
    try:
        file.content.decode("utf-8")
    except UnicodeDecodeError:
        if declared and not file.content.startswith((b"\xff\xfe", b"\xfe\xff")):
            try:
                return file.content.decode(declared[1].decode()).encode()
            except (LookupError, UnicodeDecodeError):
                pass
    return file.text.encode("utf-8", "replace")


def _tag(node: Any) -> str:  # noqa: ANN401 - lxml's
    """Return an element's tag; empty for comments, entities and instructions."""
    return node.tag if isinstance(node.tag, str) else ""


def _text(node: Any) -> str:  # noqa: ANN401 - lxml's
    """Return the text of an element without elements; entities and comments have none."""
    if any(_tag(one) for one in node):
        return ""
    return "".join([node.text or "", *(one.tail or "" for one in node)])


def _first_tree(root: Any) -> Any:  # noqa: ANN401 - lxml's
    return next((one for one in root if _tag(one) == "hashTree"), None)


def _short(name: str) -> str:
    return name.rpartition(".")[2]

"""`imports:`: users, flows, data and thresholds of other files become part of the plan."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import field, replace
from pathlib import Path
from typing import Final

from planrunner.language.diagnostics import Code, Diagnostic, Note, PlanError
from planrunner.language.fields.mapping import invalid
from planrunner.plan.faults.find import diagnose
from planrunner.plan.models.plan import ImportModel
from planrunner.plan.yaml.document import Document, parse
from planrunner.plan.yaml.nodes import Entry, YamlNode
from planrunner.values import dataclass

__all__ = ["merge_imports"]

_NAMED: Final = ("users", "flows", "data")
_KINDS: Final = {"users": dict, "flows": dict, "data": dict, "thresholds": list}
_WORDS: Final = {"users": "user class", "flows": "flow", "data": "data source"}

ReadFile = Callable[[str], str]


def merge_imports(document: Document, read: ReadFile) -> tuple[Document, list[Diagnostic]]:
    """Return the plan with what it imports, and what is wrong with that.

    `read` returns the text of a file, or raises `PlanError`.
    """
    names = document.value(("imports",))
    if not isinstance(names, list):
        return document, []
    merge = _Merge(document, read)
    for index, name in enumerate(names):
        if isinstance(name, str) and name:
            merge.add(index, name)
    return merge.result(), merge.faults


@dataclass(slots=True)
class _Merge:
    plan: Document
    read: ReadFile
    faults: list[Diagnostic] = field(default_factory=list)
    documents: dict[str, tuple[int, Document]] = field(default_factory=dict)

    def add(self, index: int, name: str) -> None:
        """Read the file that `imports` names at `index`."""
        file = os.path.normpath(Path(self.plan.file).parent / name)
        place = ("imports", index)
        if file == os.path.normpath(self.plan.file):
            self._fault(index, Code.IMPORT_CYCLE, "the plan imports itself", "remove it")
        elif file in self.documents:
            first = Note(
                self.plan.span(("imports", self.documents[file][0])), "first imported here"
            )
            self._fault(index, Code.DUPLICATE_NAME, f"`{name}` is imported twice", "", first)
        else:
            try:
                document = parse(self.read(file), file)
            except PlanError as error:
                self.faults += [self._placed(fault, index) for fault in error.diagnostics]
                return
            self.documents[file] = (index, document)
            self.faults += document.faults
            self.faults += self._foreign_keys(document, self.plan.span(place))

    def result(self) -> Document:
        """Return the plan with all that was read."""
        root = _copy(self.plan.root)
        for _index, document in self.documents.values():
            for section in _NAMED:
                self._merge_named(root, document, section)
            _merge_list(root, document, "thresholds")
        imported = tuple(document.source for _index, document in self.documents.values())
        return replace(self.plan, root=root, imported=imported)

    def _merge_named(self, root: YamlNode, document: Document, section: str) -> None:
        target = _section_to_fill(root, document.root, section, dict)
        if target is None:
            return
        present = _entries(target)
        for name, entry in _entries(_entries(document.root)[section][2]).items():
            if name not in present:
                present[name] = entry
                target.data[name] = entry[2].data
                continue
            start, end, first = present[name]
            self.faults.append(
                document.diagnostic(
                    (section, name),
                    Code.DUPLICATE_NAME,
                    f"the {_WORDS[section]} `{name}` already exists",
                    hint="rename one of them",
                    part="key",
                    notes=(Note(first.source.span(start, end), "first written here"),),
                )
            )

    def _foreign_keys(self, document: Document, place: object) -> Iterator[Diagnostic]:
        """Yield what an imported file can't have; the values are checked with the plan's."""
        try:
            ImportModel.model_validate(
                {
                    key: None if isinstance(value, _KINDS.get(key, object)) else value
                    for key, value in document.data.items()
                }
            )
        except invalid() as error:
            yield from diagnose(error, document)
        nested = document.value(("imports",))
        for index, name in enumerate(nested if isinstance(nested, list) else ()):
            target = os.path.normpath(Path(document.file).parent / str(name))
            if target == os.path.normpath(self.plan.file):
                first = next(iter(self.documents.values()))[0]
                note = Note(self.plan.span(("imports", first)), "imported here")
                message = f"`{name}` imports this file"
                yield document.diagnostic(
                    ("imports", index), Code.IMPORT_CYCLE, message, notes=(note,)
                )

    def _placed(self, fault: Diagnostic, index: int) -> Diagnostic:
        """Show a file that can't be read where it is named."""
        if fault.source or fault.code not in _FILE_FAULTS:
            return fault
        message = f"{fault.span.file}: {fault.message}"
        return self.plan.diagnostic(("imports", index), fault.code, message, hint=fault.hint)

    def _fault(
        self, index: int, code: Code, message: str, hint: str = "", note: Note | None = None
    ) -> None:
        notes = () if note is None else (note,)
        path = ("imports", index)
        self.faults.append(self.plan.diagnostic(path, code, message, hint=hint, notes=notes))


_FILE_FAULTS: Final = frozenset(
    {
        Code.NO_SUCH_FILE,
        Code.NOT_A_FILE,
        Code.UNREADABLE_FILE,
        Code.FILE_TOO_LARGE,
        Code.NOT_ALLOWED,
        Code.EMPTY_PLAN,
    }
)


def _entries(node: YamlNode) -> dict[str, Entry]:
    return node.items if isinstance(node.items, dict) else {}


def _copy(node: YamlNode) -> YamlNode:
    items = node.items.copy() if node.items is not None else None
    return YamlNode(node.source, node.start, node.end, node.data.copy(), items)


def _section_to_fill(root: YamlNode, added: YamlNode, name: str, kind: type) -> YamlNode | None:
    """Put a copy of the plan's section `name` into `root`, and return it.

    None when there is nothing to add, or when the section isn't of the `kind` that it must be:
    that is found when the plan is checked.
    """
    if name not in _entries(added) or not isinstance(_entries(added)[name][2].data, kind):
        return None
    start, end, section = _entries(added)[name]
    own = _entries(root).get(name)
    if own is None or own[2].data is None:
        section = YamlNode(section.source, section.start, section.end, kind(), kind())
    elif isinstance(own[2].data, kind):
        start, end, section = own
        section = _copy(section)
    else:
        return None
    _entries(root)[name] = (start, end, section)
    root.data[name] = section.data
    return section


def _merge_list(root: YamlNode, document: Document, name: str) -> None:
    target = _section_to_fill(root, document.root, name, list)
    if target is None or not isinstance(target.items, list):
        return
    added = _entries(document.root)[name][2]
    if isinstance(added.items, list):
        target.items += added.items
        target.data += added.data

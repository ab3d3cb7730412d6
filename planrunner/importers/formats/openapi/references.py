"""`$ref`: what a document means by a pointer into itself, or into a local file beside it."""

from __future__ import annotations

from dataclasses import field
from typing import Final
from urllib.parse import unquote

from planrunner.importers.contract import ImportRequest
from planrunner.importers.nodes import SourceNode
from planrunner.importers.reading.documents import read_document
from planrunner.importers.reading.neighbours import neighbour
from planrunner.importers.sources import ImportFault, SourceFile
from planrunner.values import dataclass

__all__ = ["References"]

_DEEPEST: Final = 50
_ELSEWHERE: Final = "nothing is fetched; copy what it points to into the document"
_LOCAL: Final = "it points to another file: import with --resolve, or join the files first"


@dataclass(slots=True)
class References:
    """The documents of an import, as far as they have been read."""

    request: ImportRequest
    main: SourceFile
    root: SourceNode
    files: dict[str, SourceNode | None] = field(default_factory=dict)

    def follow(self, node: SourceNode) -> SourceNode | None:
        """Return what a node means: itself, or what its `$ref` leads to; None for nowhere."""
        for _ in range(_DEEPEST):
            entry = node.entry("$ref")
            if entry is None:
                return node
            found = self._find(entry.node.text())
            if found is None:
                is_far = "://" in entry.node.text()
                entry.construct.left_out(_ELSEWHERE if is_far else _LOCAL)
                return None
            entry.construct.translated()
            node = found
        node.entries = []  # a circle of nothing but references
        return None

    def _find(self, reference: str) -> SourceNode | None:
        name, _, pointer = reference.partition("#")
        found = self.root if not name else self._document(name)
        for part in pointer.split("/")[1:]:
            if found is None:
                return None
            key = unquote(part).replace("~1", "/").replace("~0", "~")
            if found.items is not None:
                found = (
                    found.items[int(key)] if key.isdigit() and int(key) < len(found.items) else None
                )
            else:
                found = found.get(key)
        return found

    def _document(self, name: str) -> SourceNode | None:
        if name not in self.files:
            self.files[name] = self._read(name)
        return self.files[name]

    def _read(self, name: str) -> SourceNode | None:
        path = None if "://" in name else neighbour(name, self.main, self.request.files)
        given = {one.path for one in self.request.files}
        if path is None or not (self.request.options.resolves or path in given):
            return None
        try:
            return read_document(SourceFile(path, name), self.request.ledger)
        except ImportFault:
            return None

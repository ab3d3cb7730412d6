"""The modules of a script: trees whose calls are constructs, and local files that they import."""

from __future__ import annotations

import posixpath
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from planrunner.importers.formats.k6.state.values import K6Module
from planrunner.importers.javascript.script import CALLS, ScriptDialect, parse, words_of
from planrunner.importers.reading.neighbours import neighbour
from planrunner.importers.sources import ImportFault, SourceFile
from planrunner.loss.ledger import Ledger

__all__ = ["K6Modules"]

_MOST_MODULES: Final = 100
_SUFFIXES: Final = ("", ".js", ".ts", ".mjs", "/index.js", "/index.ts")
_DIALECTS: Final[dict[str, ScriptDialect]] = {".ts": "typescript", ".mts": "typescript"}


class K6Modules:
    """All files of an import: those given, and local ones that they import."""

    def __init__(self, files: Sequence[SourceFile], ledger: Ledger) -> None:
        self.ledger = ledger
        self.files = files
        self.loaded: dict[str, K6Module] = {}
        self.main = files[0]
        root = self.main.path
        self.root = root.resolve().parent if root is not None else None

    def load(self, file: SourceFile, *, is_main: bool = False) -> K6Module:
        """Read a file, once.

        Raises:
            ImportFault: The main file is no JavaScript at all.
        """
        key = str(file.path.resolve()) if file.path is not None else file.name
        if key not in self.loaded:
            self.loaded[key] = self._read(file, is_main=is_main)
        return self.loaded[key]

    def _read(self, file: SourceFile, *, is_main: bool) -> K6Module:
        dialect = _DIALECTS.get(file.suffix, "javascript")
        script = parse(file.text, file.place, dialect=dialect)
        module = K6Module(file, script, is_main)
        faults = list(script.faults())
        if is_main and faults and script.root.named_child_count <= len(faults):
            raise ImportFault(script.place(faults[0]), "not JavaScript")
        for node in script.calls():
            if node.type in CALLS:
                construct = self.ledger.add("call", words_of(node), script.place(node))
                module.calls[node.start_byte, node.end_byte] = construct
        for node in faults[:20]:
            self.ledger.add("syntax", words_of(node) or "…", script.place(node)).left_out(
                "this is not JavaScript: correct it, and import the script again"
            )
        return module

    def find(self, name: str, beside: SourceFile) -> SourceFile | None:
        """Return the local module that an import names; None if there is none to read."""
        if not name.startswith((".", "/")):
            return None
        wanted = [f"{name}{suffix}" for suffix in _SUFFIXES]
        given = self._given(wanted, beside)
        if given is None and beside.path is not None and len(self.loaded) <= _MOST_MODULES:
            given = self._beside(wanted, beside.path)
        return given or self._of_the_name(wanted)

    def _given(self, wanted: Sequence[str], beside: SourceFile) -> SourceFile | None:
        """Return the file of the import that lies there."""
        by_path = {posixpath.normpath(one.name): one for one in reversed(self.files)}
        folder = posixpath.dirname(beside.name)
        for one in wanted:
            found = by_path.get(posixpath.normpath(posixpath.join(folder, one)))
            if found is not None:
                return found
        return None

    def _of_the_name(self, wanted: Sequence[str]) -> SourceFile | None:
        """Return the only file of the import with this name, wherever it lies."""
        names = {posixpath.basename(one) for one in wanted[:4]}
        alike = [one for one in self.files if posixpath.basename(one.name) in names]
        return alike[0] if len(alike) == 1 else None

    def _beside(self, wanted: Sequence[str], beside: Path) -> SourceFile | None:
        for one in wanted if self.root is not None else ():
            assert self.root is not None
            path = self.below(beside.parent / one)
            if path is not None:
                shown = Path(self.main.name).parent / path.relative_to(self.root)
                return SourceFile(path, str(shown))
        return None

    def opened(self, name: str, beside: SourceFile) -> Path | None:
        """Return the file that a script opens by a name: one of the import, or one below it."""
        name = name.removeprefix("file://")
        given = self._given([name], beside)
        if given is not None and given.path is not None:
            return given.path
        if self.root is not None and beside.path is not None and "\0" not in name:
            found = self.below(beside.path.parent / name)
            if found is not None:
                return found
        return neighbour(name, beside, self.files)

    def below(self, path: Path) -> Path | None:
        """Return a file, if it lies below the main file's folder."""
        assert self.root is not None, "the caller has looked"
        try:
            found = path.resolve()
            return found if found.is_relative_to(self.root) and found.is_file() else None
        except (OSError, ValueError):
            return None

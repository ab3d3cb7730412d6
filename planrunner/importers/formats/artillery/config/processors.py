"""The file of a test's functions, `processor` of Artillery."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import Final

from planrunner.extras import install_hint, is_found
from planrunner.importers.formats.artillery.script import ArtilleryTest
from planrunner.importers.nodes import SourceEntry
from planrunner.importers.reading.neighbours import neighbour
from planrunner.importers.sources import SourceFile

__all__ = ["read_processor_file"]

_SUFFIXES: Final = ("", ".js", ".cjs", ".mjs", ".ts")
_PARSER: Final = "tree_sitter"


def read_processor_file(one: SourceEntry, test: ArtilleryTest) -> None:
    """Read the functions of a processor, if its file is at hand."""
    name = one.node.text()
    test.processor = name or "?"
    file = _file(name, test)
    if file is None:
        one.construct.needs_you(f"import it together with `{name}`")
        return
    if not is_found(_PARSER):
        one.construct.needs_you(install_hint(_PARSER))
        return
    from planrunner.importers.formats.artillery.processor.functions import (  # noqa: PLC0415 - heavy
        ProcessorFunctions,
    )

    ledger = test.request.ledger
    test.functions = ProcessorFunctions.load(
        file, test.request.files, ledger, test.names, test.draft
    )
    test.functions.machine.loops = test.loops


def _file(name: str, test: ArtilleryTest) -> SourceFile | None:
    """Return the file: one that was given, or one below the test's folder."""
    wanted = [f"{one}{end}" for one in (name, PurePosixPath(name).name) for end in _SUFFIXES]
    names = {PurePosixPath(one).name for one in wanted}
    for one in test.request.files:
        if name and PurePosixPath(one.name).name in names:
            return one
    for each in wanted if name else []:
        path = neighbour(each, test.main, test.request.files)
        if path is not None:
            return SourceFile(path, str(Path(test.main.name).parent / path.name))
    return None

"""What a language server knows of a plan on disk, without a server."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from lsprotocol import types
from pygls.workspace import PositionCodec

from planrunner.cli.commands.validate import examine
from planrunner.cli.plan_options import PlanOptions
from planrunner.lsp.documents.places import EditorLines
from planrunner.lsp.documents.plan_files import plan_files
from planrunner.lsp.documents.reading import PlanReading, read_plan
from planrunner.lsp.documents.view import NOT_CHECKED, PlanView
from planrunner.lsp.names.plan_index import NameIndex


def lines_of(text: str) -> EditorLines:
    return EditorLines(text, PositionCodec())


def view_of(path: Path, *others: Path, checks: bool = False) -> PlanView:
    """Return what a server knows of a file; with `checks`, after the first check too."""

    def read(path: Path) -> PlanReading | None:
        if not path.is_file():
            return None
        text = path.read_text()
        return read_plan(path, text, lines_of(text))

    files = plan_files(path, read, others)
    file = os.path.normpath(path)
    index = NameIndex({name: one.names for name, one in files.items()})
    reading = files[file]
    facts = examine(path, PlanOptions(), text=reading.text) if checks else NOT_CHECKED
    uri = path.resolve().as_uri()
    return PlanView(uri, file, reading.text, reading.lines, reading, files, index, facts)


def view_of_text(view: PlanView, text: str) -> PlanView | None:
    """Return what a server knows of another text of a file; None if nothing of it can be read."""
    lines = lines_of(text)
    reading = read_plan(Path(view.file), text, lines)
    if reading is None:
        return None
    files = {**view.files, view.file: reading}
    index = NameIndex({name: one.names for name, one in files.items()})
    return replace(view, text=text, lines=lines, reading=reading, files=files, index=index)


def place_of(text: str, offset: int) -> types.Position:
    before = text[:offset]
    return types.Position(before.count("\n"), len(before) - before.rfind("\n") - 1)


def typed(view: PlanView, old: str, new: str) -> tuple[PlanView, types.Position]:
    """Return the view while a text is typed in place of another, and where the cursor `¦` is.

    The tree and the names stay those of the text before, as they do while somebody types.
    """
    start = view.text.index(old)
    cursor = new.index("¦")
    text = view.text[:start] + new.replace("¦", "") + view.text[start + len(old) :]
    return replace(view, text=text, lines=lines_of(text)), place_of(text, start + cursor)

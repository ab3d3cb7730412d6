"""Files relative to a plan, and names that they give."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from lsprotocol import types

from planrunner.lsp.completion.offers import WordOffer
from planrunner.lsp.documents.view import PlanView
from planrunner.lsp.grammar.files import file_endings
from planrunner.lsp.names.kinds import NameKind
from planrunner.lsp.outside.lookup import outside_names

__all__ = ["file_words", "outside_words"]

_MOST: Final = 200


def file_words(folder: Path, slot: str, typed: str) -> Iterator[WordOffer]:
    """Yield the files that a value may name, one folder at a time."""
    ends = file_endings(slot)
    if ends is None:
        return
    above, _, _last = typed.rpartition("/")
    start = len(typed) - len(above) - 1 if above else len(typed)
    try:
        found = sorted((folder / above).iterdir())[:_MOST]
    except (OSError, ValueError):
        return
    for path in found:
        if path.name.startswith("."):
            continue
        if path.is_dir():
            yield WordOffer(f"{path.name}/", types.CompletionItemKind.Folder, start=start)
        elif not ends or path.suffix in ends:
            yield WordOffer(path.name, types.CompletionItemKind.File, start=start)


def outside_words(view: PlanView, kind: NameKind) -> Iterator[WordOffer]:
    """Yield the names of a kind that other files give: functions, methods."""
    for one in outside_names(view, kind):
        about = f"{one.form}, of {one.file.name}"
        yield WordOffer(one.name, types.CompletionItemKind.Function, about, one.about)
    if kind is NameKind.METHOD:  # those of a server that tells them itself are in no file
        for name in view.index.used(kind):
            yield WordOffer(name, types.CompletionItemKind.Function, kind)

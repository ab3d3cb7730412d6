"""Hints that say what to write instead → edits that write it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from lsprotocol import types

from planrunner.language.diagnostics import Diagnostic
from planrunner.lsp.documents.places import EditorLines

__all__ = ["quick_fixes"]

_MEANT: Final = re.compile(r"(?:did you mean|here it is called) `([^`]+)`")
_QUOTED: Final = re.compile(r"`([^`]+)`")


def quick_fixes(
    uri: str,
    faults: Sequence[tuple[Diagnostic, types.Diagnostic]],
    places: EditorLines,
    asked: types.Range,
) -> list[types.CodeAction]:
    """Return the edits for what is wrong where the editor asks.

    Args:
        uri: The document.
        faults: What is wrong with it, each as it was found and as the editor has it.
        places: The lines of the text that they are about.
        asked: Where the cursor is, or what is selected.
    """
    return [
        types.CodeAction(
            title=f"Replace by `{meant}`",
            kind=types.CodeActionKind.QuickFix,
            diagnostics=[shown],
            is_preferred=True,
            edit=types.WorkspaceEdit(changes={uri: [types.TextEdit(where, meant)]}),
        )
        for fault, shown in faults
        if _touch(shown.range, asked)
        for where, meant in _replacement(fault, places)
    ]


def _touch(one: types.Range, other: types.Range) -> bool:
    return not (_before(one.end, other.start) or _before(other.end, one.start))


def _before(one: types.Position, other: types.Position) -> bool:
    return (one.line, one.character) < (other.line, other.character)


def _replacement(fault: Diagnostic, places: EditorLines) -> Iterator[tuple[types.Range, str]]:
    """Yield the word to replace and the one that is meant; nothing when it isn't certain which."""
    span, meant = fault.span, _MEANT.search(fault.hint)
    if meant is None or span.line != span.end_line or span.line > len(places.lines):
        return
    written = places.lines[span.line - 1][span.column - 1 : span.end_column - 1]
    for word in _QUOTED.findall(fault.message):
        if written.count(word) == 1:
            start = span.column + written.index(word)
            yield (
                types.Range(
                    places.position(span.line, start),
                    places.position(span.line, start + len(word)),
                ),
                meant[1],
            )
            return

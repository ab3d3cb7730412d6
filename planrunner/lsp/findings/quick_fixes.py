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
_WRITE: Final = re.compile(
    r"(?:write(?: it with its unit:| a rate:| a number of users:)?|add a unit:|quote it:) "
    r"(`[^`]+`(?: or `[^`]+`)?)"
)
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
            is_preferred=_MEANT.search(fault.hint) is not None,
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
    """Yield what to replace and what is meant; nothing when it isn't certain which."""
    span = fault.span
    if span.line != span.end_line or span.line > len(places.lines):
        return
    line = places.lines[span.line - 1]
    for start, end, meant in _meant(fault, line, span.column - 1, span.end_column - 1):
        first, last = places.position(span.line, start + 1), places.position(span.line, end + 1)
        yield types.Range(first, last), meant


def _meant(fault: Diagnostic, line: str, start: int, end: int) -> Iterator[tuple[int, int, str]]:
    """Yield which characters of a line are to be replaced, and by what."""
    if meant := _MEANT.search(fault.hint):
        for word in _QUOTED.findall(fault.message):
            if line[start:end].count(word) == 1:
                at = line.index(word, start)
                yield at, at + len(word), meant[1]
                return
    elif found := _WRITE.fullmatch(fault.hint):
        for new in _QUOTED.findall(found[1]):
            yield from _written(fault.message, line, (start, end), new)


def _written(
    message: str, line: str, span: tuple[int, int], new: str
) -> Iterator[tuple[int, int, str]]:
    """Yield the characters that a hint such as `write X` is about, where the message names them."""
    start, end = span
    if f"`{line[start:end]}`" in message:
        yield start, end, new
        return
    for pattern in _wrong_forms(new):
        found = list(re.finditer(pattern, line))
        if len(found) == 1:
            yield found[0].start(), found[0].end(), new
            return


def _wrong_forms(new: str) -> Iterator[str]:
    """Yield what people write for a text: without its quotes, with `${}` or in other braces."""
    if new[:1] == '"' and (inner := new.rstrip(":").strip('"')):
        yield rf"(?<![\"\w]){re.escape(inner)}(?![\"\w])" + (":" if new.endswith(":") else "")
    elif new.startswith("${"):
        yield rf"\{{\{{\s*{re.escape(new[2:-1])}\s*\}}\}}"
    else:
        yield rf"\$\{{\s*{re.escape(new)}\s*\}}"

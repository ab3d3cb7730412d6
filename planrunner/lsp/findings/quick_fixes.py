"""What mends findings, as editors offer it."""

from __future__ import annotations

from collections.abc import Sequence

from lsprotocol import types

from planrunner.language.diagnostics import Diagnostic
from planrunner.lsp.documents.view import PlanView
from planrunner.lsp.findings.faulty_text import FaultyText, Mending
from planrunner.lsp.findings.mendings import mendings
from planrunner.plan.yaml.source import Source

__all__ = ["FoundFault", "quick_fixes", "touch"]

FoundFault = tuple[Diagnostic, types.Diagnostic]
"""What is wrong, as it was found and as the editor has it."""


def quick_fixes(view: PlanView, faults: Sequence[FoundFault]) -> list[types.CodeAction]:
    """Return the edits that mend what is wrong with the text of a view."""
    if view.is_current:
        source, root = view.reading.source, view.reading.tree
    else:
        source, root = Source(view.file, view.text.removeprefix("\ufeff")), None
    return [
        _action(view, source, shown, one)
        for fault, shown in faults
        for one in mendings(FaultyText(fault, source, root, view.reading.shape))
    ]


def _action(
    view: PlanView, source: Source, shown: types.Diagnostic, one: Mending
) -> types.CodeAction:
    edits = [
        types.TextEdit(view.lines.range(source.span(piece.start, piece.end)), piece.new)
        for piece in one.pieces
    ]
    return types.CodeAction(
        title=one.title,
        kind=types.CodeActionKind.QuickFix,
        diagnostics=[shown],
        is_preferred=one.is_meant,
        edit=types.WorkspaceEdit(changes={view.uri: edits}),
    )


def touch(one: types.Range, other: types.Range) -> bool:
    """Whether two ranges have a place in common."""
    return not (_before(one.end, other.start) or _before(other.end, one.start))


def _before(one: types.Position, other: types.Position) -> bool:
    return (one.line, one.character) < (other.line, other.character)

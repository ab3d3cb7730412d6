"""Answers about what can follow."""

from __future__ import annotations

from lsprotocol import types
from pygls.lsp.server import LanguageServer

from planrunner.lsp.completion.offers import items_of
from planrunner.lsp.completion.plan_words import plan_words
from planrunner.lsp.documents.cursor import cursor_place
from planrunner.lsp.documents.view import PlanView
from planrunner.lsp.open_plans import OpenPlans

__all__ = ["complete", "serve_completion"]

_TRIGGERS = ("{", ".", ":", " ", "|", '"', "'", "/", "-")


def serve_completion(server: LanguageServer, plans: OpenPlans) -> None:
    """Let a server complete what is typed."""

    @server.feature(
        types.TEXT_DOCUMENT_COMPLETION, types.CompletionOptions(trigger_characters=list(_TRIGGERS))
    )
    async def completion(params: types.CompletionParams) -> types.CompletionList | None:
        at = params.position
        return await plans.ask_at_once(params.text_document.uri, lambda view: complete(view, at))


def complete(view: PlanView, position: types.Position) -> types.CompletionList:
    """Return what can be written at a place."""
    lines = view.lines.lines
    if position.line >= len(lines):
        return types.CompletionList(is_incomplete=False, items=[])
    place = cursor_place(lines, position.line, view.lines.column(position))
    first = place.typed.rpartition("\n")[2]
    units = view.lines.units(first)
    items = items_of(plan_words(view, place), position, units)
    return types.CompletionList(is_incomplete=False, items=items)

"""Answers about what can follow."""

from __future__ import annotations

from typing import Final

from lsprotocol import types
from pygls.lsp.server import LanguageServer

from planrunner.lsp.completion.offers import WordOffer, items_of
from planrunner.lsp.completion.plan_words import plan_words
from planrunner.lsp.documents.cursor import cursor_place
from planrunner.lsp.documents.view import PlanView
from planrunner.lsp.open_plans import OpenPlans

__all__ = ["complete", "serve_completion"]

_MOST: Final = 100
"""Offers at once, which an editor reads in a few milliseconds; it asks again with more letters."""

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
    offers = list(plan_words(view, place))
    is_incomplete = len(offers) > _MOST
    if is_incomplete:
        offers = [one for one in offers if _follows(first, one)][:_MOST]
    return types.CompletionList(is_incomplete, items_of(offers, position, units))


def _follows(typed: str, offer: WordOffer) -> bool:
    """Say whether a label has the characters of what it replaces, in their order."""
    word = typed if offer.start < 0 else typed[len(typed) - offer.start :]
    letters = iter(offer.label.lower())
    return all(letter in letters for letter in word.lower())

"""Texts of plans that are broken at each place in turn, and all that an editor asks about them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from lsprotocol import types

from planrunner.lsp.completion.serving import complete
from planrunner.lsp.documents.view import PlanView
from planrunner.lsp.findings.faulty_text import FaultyText
from planrunner.lsp.findings.mendings import mendings
from planrunner.lsp.hints.inlay import inlay_hints
from planrunner.lsp.hints.lenses import code_lenses
from planrunner.lsp.hints.tokens import semantic_tokens
from planrunner.lsp.hovering.about import hover
from planrunner.lsp.navigation.jumps import definitions, highlights, references
from planrunner.lsp.navigation.renaming import prepare_rename
from planrunner.lsp.outline import folding_ranges, symbols
from planrunner.lsp.refactoring.actions import refactorings
from tests.support.plan_views import lines_of, place_of, view_of_text

STEP = 7
"""How many characters lie between two places where a text is broken."""


def broken_texts(text: str, *, step: int = STEP, first: int = 0) -> Iterator[tuple[str, int]]:
    """Yield a text that ends at a place, and one whose line does; and that place."""
    for end in range(first, len(text), step):
        line_end = text.find("\n", end)
        yield text[:end], end
        yield text[:end] + (text[line_end:] if line_end >= 0 else ""), end


def completed(view: PlanView, text: str, offset: int) -> types.CompletionList:
    """Return what is offered in a text that isn't read yet."""
    return complete(replace(view, text=text, lines=lines_of(text)), place_of(text, offset))


def ask_all(view: PlanView, text: str, offset: int) -> Iterator[Callable[[], object]]:
    """Yield each question of an editor about a text and a place in it."""
    read, place = view_of_text(view, text), place_of(text, offset)
    if read is None:
        return
    view, reading, lines = read, read.reading, read.lines
    whole, here = types.Range(types.Position(0, 0), lines.end()), types.Range(place, place)
    yield lambda: complete(view, place)
    yield lambda: hover(view, place)
    yield lambda: definitions(view, place)
    yield lambda: references(view, place, with_definitions=True)
    yield lambda: highlights(view, place)
    yield lambda: prepare_rename(view, place)
    yield lambda: refactorings(view, here)
    yield lambda: symbols(reading.tree, lines)
    yield lambda: folding_ranges(reading.tree)
    yield lambda: semantic_tokens(view)
    yield lambda: code_lenses(view)
    yield lambda: inlay_hints(view, whole)
    for fault in view.facts.checked.faults:
        faulty = FaultyText(fault, reading.source, reading.tree, reading.shape)
        yield lambda faulty=faulty: list(mendings(faulty))  # type: ignore[misc]  # bound here

"""What completion offers, before it is a message of the protocol."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from lsprotocol import types

from planrunner.language.expressions.described import Described

__all__ = ["WordOffer", "described", "items_of", "words"]


class WordOffer(NamedTuple):
    """A word that can be written.

    Attributes:
        label: What the editor shows, and compares with what is typed.
        insert: What is written; empty for the label.
        start: How many of the typed characters it replaces, counted from the cursor back; all of
            them when it is negative.
        is_snippet: Whether it has places to fill in, such as `${1:seconds}`.
    """

    label: str
    kind: types.CompletionItemKind
    detail: str = ""
    documentation: str = ""
    insert: str = ""
    start: int = -1
    is_snippet: bool = False


def words(
    labels: Iterable[str], kind: types.CompletionItemKind, detail: str = "", *, start: int = -1
) -> Iterator[WordOffer]:
    """Yield an offer for each of some words of a kind."""
    for label in labels:
        yield WordOffer(label, kind, detail, start=start)


def described(
    records: Iterable[Described], kind: types.CompletionItemKind, *, start: int, prefix: str = ""
) -> Iterator[WordOffer]:
    """Yield an offer for each name that expressions have anyway, with its signature."""
    for one in records:
        example = f"```jinja\n{one.example}\n```"
        takes = one.form.startswith(f"{prefix}{one.name}(") and not one.form.endswith("()")
        insert = f"{one.name}($1)" if takes else ""
        if one.form.endswith("()"):
            insert = f"{one.name}()"
        yield WordOffer(
            one.name,
            kind,
            one.form,
            f"{one.meaning}\n\n{example}",
            insert,
            start,
            is_snippet=takes,
        )


def items_of(
    offers: Iterable[WordOffer], position: types.Position, units: int
) -> list[types.CompletionItem]:
    """Return offers as an editor wants them, the first ones first.

    Args:
        offers: What can be written.
        position: Where the cursor is.
        units: How many columns before the cursor an offer without `start` replaces.
    """
    found: dict[str, types.CompletionItem] = {}
    for rank, one in enumerate(offers):
        if one.label in found:
            continue
        begin = max(position.character - (units if one.start < 0 else one.start), 0)
        where = types.Range(types.Position(position.line, begin), position)
        snippet = types.InsertTextFormat.Snippet if one.is_snippet else None
        found[one.label] = types.CompletionItem(
            one.label,
            kind=one.kind,
            detail=one.detail or None,
            documentation=types.MarkupContent(types.MarkupKind.Markdown, one.documentation)
            if one.documentation
            else None,
            sort_text=f"{rank:04d}",
            filter_text=one.label,
            insert_text_format=snippet,
            insert_text_mode=types.InsertTextMode.AdjustIndentation,
            text_edit=types.TextEdit(where, one.insert or one.label),
        )
    return list(found.values())

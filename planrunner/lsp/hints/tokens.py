"""Colours inside texts: what expressions read, and the words of thresholds."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from lsprotocol import types

from planrunner.lsp.documents.view import PlanView
from planrunner.lsp.grammar.visits import visits
from planrunner.lsp.names.file_names import scalar_offsets
from planrunner.lsp.names.roles import SENTENCES
from planrunner.metrics.aggregations.table import AGGREGATIONS
from planrunner.protocols import registry

__all__ = ["TOKEN_TYPES", "semantic_tokens"]

TOKEN_TYPES: Final = ["keyword", "function", "variable", "property", "string", "number", "operator"]
_KEYWORD, _FUNCTION, _VARIABLE, _PROPERTY, _STRING, _NUMBER, _OPERATOR = range(7)

_WORDS_OF_EXPRESSIONS: Final = frozenset(
    {"and", "or", "not", "is", "in", "if", "else", "true", "false", "none"}
)
_WORDS_OF_SENTENCES: Final = frozenset(
    {"of", "among", "in", "over", "for", "except", "each", "and", "or", "not", "abort", "after"}
    | {"phase", "stage", "profile", "baseline", "windows", "window"}
)
_PIECE: Final = re.compile(
    r"(?P<string>\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*')"
    r"|(?P<number>\d[\w.]*(?:%|/[smh])?)"
    r"|(?P<filter>(?<=\|)\s*[A-Za-z_]\w*)"
    r"|(?P<member>(?<=\.)[A-Za-z_]\w*)"
    r"|(?P<word>[A-Za-z_][\w]*(?:\.\d+)?)"
    r"|(?P<operator>\$\{|\}|[<>=!]=?|\|\||[|+*/%~-])"
)
_KINDS: Final = {
    "string": _STRING,
    "number": _NUMBER,
    "filter": _FUNCTION,
    "member": _PROPERTY,
    "operator": _OPERATOR,
}
"""Of the groups that are no words."""

_INSIDE: Final = re.compile(r"(?<!\$)\$\{[^}]*\}?")


class _ColouredPiece(NamedTuple):
    start: int
    length: int
    kind: int


def semantic_tokens(view: PlanView) -> types.SemanticTokens:
    """Return the tokens of a text as the protocol packs them; none of an older tree."""
    data: list[int] = []
    before_line = before_column = 0
    for where, length, kind in sorted(_placed(view)) if view.is_current else ():
        line, column = where
        is_new = line != before_line
        data += [line - before_line, column if is_new else column - before_column, length, kind, 0]
        before_line, before_column = line, column
    return types.SemanticTokens(data)


def _placed(view: PlanView) -> Iterator[tuple[tuple[int, int], int, int]]:
    reading, source = view.reading, view.reading.source
    for visit in visits(reading.tree, reading.shape):
        node, shape = visit.node, visit.shape
        if not isinstance(node.data, str):
            continue
        pieces = list(_pieces(node.data, slot=shape.slot, is_bare=shape.is_expression))
        if not pieces:
            continue
        offsets = scalar_offsets(node.source.text, node.start, node.end, node.data)
        for piece in pieces if offsets is not None else ():
            assert offsets is not None  # the line above
            begin, end = offsets[piece.start], offsets[piece.start + piece.length - 1] + 1
            line = source.line_of(begin)
            if line == source.line_of(end) and end > begin:
                column = reading.lines.units(source.text[source.line_starts[line - 1] : begin])
                length = reading.lines.units(source.text[begin:end])
                yield (line - 1, column), length, piece.kind


def _pieces(text: str, *, slot: str, is_bare: bool) -> Iterator[_ColouredPiece]:
    if slot in SENTENCES:
        yield from _scanned(text, 0, is_sentence=True)
    elif is_bare or slot == "Step.foreach":
        yield from _scanned(text, 0, is_sentence=False)
    elif "${" in text:
        for found in _INSIDE.finditer(text):
            yield from _scanned(found[0], found.start(), is_sentence=False)


def _scanned(text: str, shift: int, *, is_sentence: bool) -> Iterator[_ColouredPiece]:
    words = _WORDS_OF_SENTENCES if is_sentence else _WORDS_OF_EXPRESSIONS
    for found in _PIECE.finditer(text):
        kind = found.lastgroup or ""
        said = found[0].lstrip()
        start = found.end() - len(said) + shift
        yield _ColouredPiece(start, len(said), _kind(kind, said, words, is_sentence=is_sentence))


def _kind(kind: str, said: str, words: frozenset[str], *, is_sentence: bool) -> int:
    if kind == "word":
        if said in words:
            return _KEYWORD
        return _FUNCTION if is_sentence and said in _heads() else _VARIABLE
    return _KINDS[kind]


def _heads() -> frozenset[str]:
    """Return the words for aggregations and measures."""
    spelled = {word for one in AGGREGATIONS.values() for word in one.spellings}
    return frozenset(spelled | {"ratio"} | registry.measures().keys())

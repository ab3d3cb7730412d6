"""Names inside texts: what expressions read, and what thresholds look at."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final, NamedTuple

from planrunner.language.diagnostics import PlanError
from planrunner.language.expressions.expression import ExpressionError, Reference, parse
from planrunner.language.fields.text import parse_text
from planrunner.lsp.names.kinds import NameKind
from planrunner.metrics.name_patterns import NameForm
from planrunner.metrics.thresholds.model import ThresholdSyntaxError
from planrunner.metrics.thresholds.parser import parse_threshold
from planrunner.metrics.thresholds.selector import SelectorKind, Term
from planrunner.protocols import registry

__all__ = [
    "NamePiece",
    "loop_names",
    "names_in_sentence",
    "names_in_text",
    "references_of",
    "terms_of",
]

_PARAM: Final = re.compile(r"\$\{\s*([A-Za-z_]\w*)\s*\}")
_LOOP: Final = re.compile(r"\s*([A-Za-z_][A-Za-z0-9_]*)\s+in\s+(?=\S)")


class NamePiece(NamedTuple):
    """A name in a text, by its offset there.

    Attributes:
        owner: The data source of a column; else empty.
    """

    kind: NameKind
    name: str
    start: int
    end: int
    owner: str = ""


_BELOW: Final = {
    "services": NameKind.SERVICE,
    "files": NameKind.FILE,
    "pool": NameKind.POOL,
}
_GIVEN: Final = frozenset(
    {"iteration", "user", "run", "phase", "json", "body", "headers", "status"}
    | {"rand", "fake", "now", "event", "events", "line"}
)


@lru_cache(maxsize=4096)
def references_of(text: str, *, is_bare: bool) -> tuple[Reference, ...]:
    """Return the names that a text reads; none while it can't be read."""
    try:
        return parse(text).references if is_bare else parse_text(text).references
    except (ExpressionError, PlanError):
        return ()


def names_in_text(text: str, *, is_bare: bool) -> Iterator[NamePiece]:
    """Yield the names of the plan that a text with `${…}`, or a bare expression, reads."""
    if not is_bare and "${" not in text:
        return
    for reference in references_of(text, is_bare=is_bare):
        root, at = reference.root, reference.offset
        if root in _BELOW:
            yield from _below(text, reference)
        elif root not in _GIVEN and text.startswith(root, at):
            yield NamePiece(NameKind.EXPRESSION, root, at, at + len(root))
            yield from _column(text, reference)


def _below(text: str, reference: Reference) -> Iterator[NamePiece]:
    """Yield the name behind `services.`, `files.` or `pool.`."""
    name = reference.path[0] if reference.path else ""
    at = reference.offset + len(reference.root) + 1
    if name and text.startswith(name, at):
        yield NamePiece(_BELOW[reference.root], name, at, at + len(name))


def _column(text: str, reference: Reference) -> Iterator[NamePiece]:
    name = reference.path[0] if reference.path else ""
    at = reference.offset + len(reference.root) + 1
    if name and text.startswith(name, at):
        yield NamePiece(NameKind.COLUMN, name, at, at + len(name), reference.root)


def loop_names(text: str) -> Iterator[tuple[NamePiece, bool]]:
    """Yield the names of `NAME in EXPRESSION`, and whether each is given there."""
    if head := _LOOP.match(text):
        yield NamePiece(NameKind.VARIABLE, head[1], head.start(1), head.end(1)), True
        for piece in names_in_text(text[head.end() :], is_bare=True):
            at = head.end()
            yield piece._replace(start=piece.start + at, end=piece.end + at), False


_SELECTED: Final = {
    SelectorKind.REQUEST: NameKind.REQUEST,
    SelectorKind.TASK: NameKind.TASK,
    SelectorKind.USER: NameKind.USER,
    SelectorKind.ITERATION: NameKind.USER,
    SelectorKind.GROUP: NameKind.GROUP,
    SelectorKind.TAG: NameKind.TAG,
    SelectorKind.SERVICE: NameKind.SERVICE,
    SelectorKind.MONITOR: NameKind.MONITOR,
    SelectorKind.PHASE: NameKind.PHASE,
    SelectorKind.STAGE: NameKind.STAGE,
    SelectorKind.PROFILE: NameKind.PROFILE,
}
_METRIC: Final = re.compile(r"\bmetric\.([A-Za-z_]\w*)")


def names_in_sentence(text: str) -> Iterator[NamePiece]:
    """Yield what a threshold names; nothing while it can't be read."""
    for found in _PARAM.finditer(text):
        yield NamePiece(NameKind.EXPRESSION, found[1], found.start(1), found.end(1))
    for found in _METRIC.finditer(text):
        yield NamePiece(NameKind.METRIC, found[1], found.start(1), found.end(1))
    for term in terms_of(text):
        yield from _term(text, term)


@lru_cache(maxsize=1024)
def terms_of(text: str) -> tuple[Term, ...]:
    """Return all terms of a threshold whose params have some value."""
    measures = registry.measures()
    for value in ("1s", "1", "1%", "1/s", "1MB"):
        # As long as what it replaces, so that offsets stay.
        filled = _filled(text, value)
        try:
            return parse_threshold(filled, measures).terms
        except (ThresholdSyntaxError, ExpressionError):
            if filled == text:
                break
    return ()


def _filled(text: str, value: str) -> str:
    return _PARAM.sub(lambda found: value.ljust(len(found[0])), text)


def _term(text: str, term: Term) -> Iterator[NamePiece]:
    kind = _SELECTED.get(term.kind)
    if kind is None or term.form is not NameForm.NAME or not term.name:
        return
    start, end, name = term.offset, term.end, term.name
    if kind in (NameKind.SERVICE, NameKind.MONITOR):
        name = name.partition(".")[0]
        end = start + len(name)
    elif kind is NameKind.TAG and term.value is not None:
        end = text.find("=", start)
    elif kind is NameKind.PHASE and "[" in name:
        name = name.partition("[")[0]
        start += 1
        end = start + len(name)
    if text[start:end].strip("\"'") == name:
        yield NamePiece(kind, name, start, end)

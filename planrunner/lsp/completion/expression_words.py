"""What can follow in an expression: names known there, members, filters, tests."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from lsprotocol import types

from planrunner.compiler.names.known_names import Known
from planrunner.compiler.names.params import shown_param
from planrunner.errors import PackageMissing
from planrunner.language.expressions.builtins.filters_table import FILTERS
from planrunner.language.expressions.builtins.helpers_table import CALLED, METHODS, PROVIDED
from planrunner.language.expressions.builtins.tests_table import TESTS
from planrunner.language.expressions.described import Described
from planrunner.lsp.completion.offers import WordOffer, described, words
from planrunner.lsp.documents.known_at import known_at
from planrunner.lsp.documents.view import PlanView
from planrunner.lsp.names.kinds import NameKind
from planrunner.plan.yaml.document import PlanPath

__all__ = ["expression_words", "open_expression"]

_KIND: Final = types.CompletionItemKind
_OPENED: Final = re.compile(r"(?<!\$)\$\{((?:[^{}'\"]|'[^']*'|\"[^\"]*\")*)$")
_FILTER: Final = re.compile(r"(?<!\|)\|\s*(\w*)$")
_TEST: Final = re.compile(r"\bis\s+(?:not\s+)?(\w*)$")
_MEMBER: Final = re.compile(r"([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)\.(\w*)$")
_NAME: Final = re.compile(r"(?:^|[^\w.])(\w*)$")
_OF_SERVICE: Final = ("port", "url", "address", "dir")
_OF_FILE: Final = ("path", "rows", "bytes", "format")
_MEMBERS: Final[Mapping[str, tuple[str, ...]]] = {
    "user": ("id", "class", "iteration"),
    "run": ("id", "dir", "seed"),
    "phase": ("name",),
}


def open_expression(typed: str) -> str | None:
    """Return what is typed of an expression whose `${` is open at the end; None without one."""
    found = _OPENED.search(typed)
    return found[1] if found else None


def expression_words(view: PlanView, path: PlanPath, typed: str) -> Iterator[WordOffer]:
    """Yield what can be written at the end of an expression."""
    if found := _FILTER.search(typed):
        yield from described(FILTERS, _KIND.Function, start=len(found[1]))
    elif found := _TEST.search(typed):
        yield from described(TESTS, _KIND.Keyword, start=len(found[1]))
    elif found := _MEMBER.search(typed):
        yield from _members(known_at(view, path), found[1].split("."), len(found[2]))
    elif found := _NAME.search(typed):
        yield from _names(view, known_at(view, path), len(found[1]))


def _names(view: PlanView, known: Known, start: int) -> Iterator[WordOffer]:
    yield from words(sorted(known.variables), _KIND.Variable, "variable", start=start)
    values = view.facts.plan.params if view.facts.plan is not None else {}
    for name in sorted(known.params):
        param = values.get(name)
        shown = "" if param is None else f" = {shown_param(param)}"
        yield WordOffer(name, _KIND.Constant, f"param{shown}", start=start)
    if known.has_user:
        for name, columns in sorted(known.columns.items()):
            yield WordOffer(name, _KIND.Struct, "data source", start=start)
            for column in columns or ():
                yield WordOffer(f"{name}.{column}", _KIND.Field, "column", start=start)
    given = set(known.names())
    provided = [one for one in PROVIDED if one.name in given or one.name == "run"]
    yield from _roots(provided, start)
    reply = [*({"json", "body", "headers", "status"} if known.replied else ())]
    yield from words([*sorted(known.reply_names), *reply], _KIND.Variable, "the reply", start=start)
    yield from described(CALLED, _KIND.Function, start=start)
    for root in METHODS:
        yield WordOffer(root, _KIND.Module, "helpers", start=start)
    yield from words(("not", "true", "false", "none"), _KIND.Keyword, start=start)


def _roots(records: Iterable[Described], start: int) -> Iterator[WordOffer]:
    for one in records:
        yield WordOffer(one.name, _KIND.Variable, one.form, one.meaning, start=start)


def _members(known: Known, parts: list[str], start: int) -> Iterator[WordOffer]:
    """Yield what stands below a name with dots."""
    root, depth = parts[0], len(parts)
    if root == "fake":
        yield from words(_fakes(), _KIND.Method, "fake", start=start)
    elif root in METHODS:
        yield from described(METHODS[root], _KIND.Method, start=start, prefix=f"{root}.")
    elif root in _MEMBERS and depth == 1:
        yield from words(_MEMBERS[root], _KIND.Field, start=start)
    elif root == "services":
        names = sorted(known.services) if depth == 1 else _OF_SERVICE
        yield from words(names, _KIND.Field, NameKind.SERVICE, start=start)
    elif root == "files":
        names = list(known.files or ()) if depth == 1 else list(_OF_FILE)
        yield from words(names, _KIND.Field, NameKind.FILE, start=start)
    elif root == "pool" and depth == 1:
        yield from words(sorted(known.pools), _KIND.Field, NameKind.POOL, start=start)
    elif depth == 1:
        yield from words(known.columns.get(root) or (), _KIND.Field, "column", start=start)


def _fakes() -> Iterable[str]:
    from planrunner.language.expressions.builtins.fakes import fake_names  # noqa: PLC0415 - rare

    try:
        return sorted(fake_names())
    except PackageMissing:
        return [one.name for one in METHODS.get("fake", ())]

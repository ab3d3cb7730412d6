"""Compile `extract:` to extractors: find in the reply, pick one, write it into the scope."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import Any, Final, Protocol, cast

from planrunner.language.diagnostics import Code
from planrunner.language.expressions.expression import to_text
from planrunner.language.fields.text import Text
from planrunner.language.patterns.pattern import Finds, MatchTimeoutError
from planrunner.language.patterns.words import took_too_long
from planrunner.protocols.base import Extractor, Reply, Scope
from planrunner.protocols.http.replies.body import header_finder, set_cookies
from planrunner.protocols.http.spec import EXTRACT_SOURCES, ExtractSpec
from planrunner.protocols.json_replies.description import describe_body
from planrunner.protocols.jsonpath import FindNodes as FindInJson
from planrunner.protocols.jsonpath import JsonPathError, compile_path
from planrunner.protocols.lowering import Lowering, SpecPath
from planrunner.protocols.received import NOT_JSON, read_json, read_text
from planrunner.protocols.rules import shorten

__all__ = ["compile_extract", "secret_names", "sources_of"]

_HEAD_SOURCES = frozenset({"header", "cookie"})

FindValues = Callable[[Reply, Scope], list[Any]]
PickValue = Callable[[list[Any], Scope], object]


class _Chooser(Protocol):
    def choice(self, items: list[Any], /) -> object: ...


def compile_extract(
    extract: Mapping[str, Text | ExtractSpec] | None, lowering: Lowering
) -> tuple[Extractor, ...]:
    """Compile the extractions of one request; faults stay in `lowering`, below `extract`."""
    made = (_compile_one(name, spec, lowering) for name, spec in (extract or {}).items())
    return tuple(extractor for extractor in made if extractor is not None)


def sources_of(extract: Mapping[str, Text | ExtractSpec] | None) -> tuple[bool, bool]:
    """Say whether extractions read the body, and whether they read the headers."""
    used = {
        "jsonpath" if not isinstance(spec, ExtractSpec) else _source(spec)
        for spec in (extract or {}).values()
    }
    return not used <= _HEAD_SOURCES, not used.isdisjoint(_HEAD_SOURCES)


def secret_names(extract: Mapping[str, Text | ExtractSpec] | None) -> tuple[str, ...]:
    """Return the names whose values must not be shown."""
    given = (extract or {}).items()
    return tuple(name for name, spec in given if isinstance(spec, ExtractSpec) and spec.secret)


def _source(spec: ExtractSpec) -> str:
    return next(key for key in EXTRACT_SOURCES if key in spec.model_fields_set)


def _how(spec: ExtractSpec, source: str) -> str:
    return "first regex" if source == "regex" and spec.index == "first" else source


_SHORT: Final = ExtractSpec.model_construct(_fields_set=set())
"""What else is true of an extraction that is only a JSONPath."""


def _said(given: Text | ExtractSpec) -> tuple[ExtractSpec, str, Text]:
    """Return what an extraction says: where it looks, and for what."""
    if not isinstance(given, ExtractSpec):
        return _SHORT, "jsonpath", given
    source = _source(given)
    return given, source, getattr(given, source)


def _compile_one(name: str, given: Text | ExtractSpec, lowering: Lowering) -> Extractor | None:
    spec, source, text = _said(given)
    path: SpecPath = ("extract", name) if spec is _SHORT else ("extract", name, source)
    if text.is_single and any(reference.root == "json" for reference in text.references):
        message = f"`{shorten(text.source, 50)}` is a value of the reply, not where it is"
        hint = f"write its JSONPath, such as `$.id`; or `set: {{{name}: …}}` as the next step"
        lowering.fault(path, Code.INVALID_VALUE, message, hint)
        return None
    find = _COMPILERS[_how(spec, source)](text, lowering, path)
    if find is None:
        return None
    default = None
    if "default" in spec.model_fields_set:
        default = lowering.value(spec.default, ("extract", name, "default")).evaluate
    where = _DESCRIBE.get(source, describe_body)
    looked_for = f"`{shorten(name, 30)}`: nothing at {source} `{shorten(text.source, 50)}` in "
    pick = _PICKS[spec.index]
    required = spec.required

    def extract(reply: Reply, scope: Scope) -> str | None:
        if found := find(reply, scope):
            scope[name] = pick(found, scope)
        elif default is not None:
            scope[name] = default(scope)
        elif required:
            return looked_for + where(reply)
        return None

    too_long = f"`{shorten(name, 30)}`: {took_too_long(text.source)} in "
    return _within_time(extract, too_long) if source == "regex" else extract


def _within_time(extract: Extractor, too_long: str) -> Extractor:
    """Let a pattern that takes too long for a reply be a failure in words of its own."""

    def bounded(reply: Reply, scope: Scope) -> str | None:
        try:
            return extract(reply, scope)
        except MatchTimeoutError:
            return too_long + describe_body(reply)

    return bounded


# -- where ---------------------------------------------------------------------------------


def _find_json(text: Text, lowering: Lowering, path: SpecPath) -> FindValues | None:
    lowered = lowering.text(text, path)
    if not lowered.is_constant:
        return _find_json_by_variable(lowered.evaluate)
    with lowering.at(path):
        find = compile_path(to_text(lowered.value))

        def find_in_reply(reply: Reply, _: Scope) -> list[Any]:
            data = reply.parsed(read_json)
            return [] if data is NOT_JSON else find(data)

        return find_in_reply
    return None


_KEPT_PATHS = 1000


def _find_json_by_variable(evaluate: Callable[[Scope], object]) -> FindValues:
    compiled: dict[str, FindInJson] = {}

    def find(reply: Reply, scope: Scope) -> list[Any]:
        source = to_text(evaluate(scope))
        path = compiled.get(source)
        if path is None:
            try:
                path = compile_path(source)
            except JsonPathError:
                return []
            if len(compiled) >= _KEPT_PATHS:
                compiled.clear()
            compiled[source] = path
        data = reply.parsed(read_json)
        return [] if data is NOT_JSON else path(data)

    return find


def _find_first(text: Text, lowering: Lowering, path: SpecPath) -> FindValues | None:
    find = _find_matches(text, lowering, path, Finds.FIRST)
    return None if find is None else lambda reply, _: list(islice(find(reply), 1))


def _find_all(text: Text, lowering: Lowering, path: SpecPath) -> FindValues | None:
    find = _find_matches(text, lowering, path, Finds.ALL)
    return None if find is None else lambda reply, _: list(find(reply))


def _find_matches(
    text: Text, lowering: Lowering, path: SpecPath, finds: Finds
) -> Callable[[Reply], Iterator[str]] | None:
    source = lowering.constant(text, path)
    pattern = None if source is None else lowering.pattern(source, path, finds, shown=text.source)
    return None if pattern is None else lambda reply: pattern.find(reply.parsed(read_text))


def _find_header(text: Text, lowering: Lowering, path: SpecPath) -> FindValues | None:
    name = lowering.constant(text, path)
    if name is None:
        return None
    values = header_finder(name)
    return lambda reply, _: values(reply)


def _find_cookie(text: Text, lowering: Lowering, path: SpecPath) -> FindValues | None:
    name = lowering.constant(text, path)
    if name is None:
        return None
    return lambda reply, _: set_cookies(reply, name)


def _find_markup(language: str) -> Callable[[Text, Lowering, SpecPath], FindValues | None]:
    def compile_source(text: Text, lowering: Lowering, path: SpecPath) -> FindValues | None:
        source = lowering.constant(text, path)
        if source is None:
            return None
        from planrunner.protocols.http.replies.markup import compile_markup  # noqa: PLC0415 - few plans read pages

        with lowering.at(path):
            find = compile_markup(language, source)
            return lambda reply, _: find(reply)
        return None

    return compile_source


_COMPILERS: Mapping[str, Callable[[Text, Lowering, SpecPath], FindValues | None]] = {
    "jsonpath": _find_json,
    "regex": _find_all,
    "first regex": _find_first,
    "css": _find_markup("css"),
    "xpath": _find_markup("xpath"),
    "header": _find_header,
    "cookie": _find_cookie,
}

_DESCRIBE: Mapping[str, Callable[[Reply], str]] = {
    "header": lambda _: "the reply's headers",
    "cookie": lambda _: "the cookies that the reply sets",
}

# -- which ---------------------------------------------------------------------------------


def _pick_random(found: list[Any], scope: Scope) -> object:
    return cast("_Chooser", scope["rand"]).choice(found)


_PICKS: Mapping[str, PickValue] = {
    "first": lambda found, _: found[0],
    "last": lambda found, _: found[-1],
    "all": lambda found, _: found,
    "random": _pick_random,
}

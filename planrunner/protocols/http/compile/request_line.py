"""Compile where a request goes and what it says about itself: URL, query, headers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Final

from planrunner.language.diagnostics import Code
from planrunner.language.expressions.expression import Lowered, to_text
from planrunner.language.fields.text import Text
from planrunner.late_pattern import late_pattern
from planrunner.protocols.base import Scope
from planrunner.protocols.http.headers import FRAMING, FRAMING_HINT
from planrunner.protocols.http.operation import Header, QueryItem, TextParts, UrlParts
from planrunner.protocols.http.url import Location, UrlError, quote_target, split_url
from planrunner.protocols.lowering import Lowering, SpecPath

__all__ = [
    "begin_hint",
    "compile_headers",
    "compile_query",
    "compile_url",
    "locate",
    "merge_headers",
]

_ABSOLUTE: Final = late_pattern(r"(?i)https?://[^/?#]*")
_FOREIGN: Final = late_pattern(r"[A-Za-z][A-Za-z0-9+.\-]*:/+")
_PORT: Final = late_pattern(r"[A-Za-z0-9.\-]+:\d")
_TOKEN: Final = late_pattern(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_CONTROL: Final = late_pattern(r"[\x00-\x08\x0a-\x1f\x7f]")


# -- URL -----------------------------------------------------------------------------------


def compile_url(
    text: Text, base: TextParts, lowering: Lowering, path: SpecPath
) -> tuple[UrlParts, str]:
    """Return where the request goes, and the Authorization that `user:password@` asks for."""
    return locate(lowering.parts(text, path), text.source, base, lowering, path)


def locate(
    parts: TextParts, source: str, base: TextParts, lowering: Lowering, path: SpecPath
) -> tuple[UrlParts, str]:
    """Return the same of a URL that is lowered already; `source` is how the plan writes it."""
    first = parts[0] if parts else ""
    if not isinstance(first, str):
        return UrlParts(None, (_whole_url(parts, base),)), ""
    if _ABSOLUTE.match(first):
        return _absolute(parts, lowering, path)
    if not first.startswith("/"):
        lowering.fault(
            path,
            Code.INVALID_VALUE,
            f"`{source}` is not a URL",
            begin_hint(source, "http://"),
        )
    elif not base:
        lowering.fault(
            path,
            Code.MISSING_KEY,
            f"`{source}` has no host",
            "set `http.base_url`, or write the whole URL",
        )
    else:
        return _absolute(_join(base, parts), lowering, path)
    return UrlParts(None, parts), ""


def begin_hint(source: str, scheme: str) -> str:
    """Return how a URL is written that begins in no known way: a host's, another scheme's, a path.

    Args:
        source: As the plan has it.
        scheme: What whole URLs begin with here.
    """
    begins = f"begin it with `/` or `{scheme}`"
    if _PORT.match(source):
        return f"{begins}: `{scheme}{source}`"
    if foreign := _FOREIGN.match(source):
        return f"{begins}: `{scheme}{source[foreign.end() :]}`"
    return f"{begins}: `/{source}`"


def _absolute(parts: TextParts, lowering: Lowering, path: SpecPath) -> tuple[UrlParts, str]:
    first = parts[0]
    authority = _ABSOLUTE.match(first) if isinstance(first, str) else None
    if authority is None or (len(parts) > 1 and authority.end() == len(str(first))):
        return UrlParts(None, parts), ""  # the host itself has a variable in it
    try:
        location = _split_authority(authority[0])
    except UrlError as failed:
        lowering.fault(path, Code.INVALID_VALUE, failed.message, failed.hint)
        return UrlParts(None, parts), ""
    rest = str(first)[authority.end() :]
    target = (rest if rest.startswith("/") else f"/{rest}", *parts[1:])
    return UrlParts(location.origin, tuple(_quote(target))), location.authorization


@lru_cache(maxsize=64)
def _split_authority(authority: str) -> Location:
    return split_url(authority)


def _quote(parts: TextParts) -> Iterable[str | Callable[[Scope], object]]:
    """Encode the constant pieces and end the target where a fragment begins."""
    for part in parts:
        if not isinstance(part, str):
            yield part
            continue
        target, fragment, _ = part.partition("#")
        yield quote_target(target)
        if fragment:
            return


def _join(base: TextParts, parts: TextParts) -> TextParts:
    """Put base_url in front of a path; one slash stays where they meet."""
    last, first = base[-1], parts[0]
    if isinstance(last, str) and isinstance(first, str):
        return (*base[:-1], last.rstrip("/") + first, *parts[1:])
    return (*base, *parts)


def _whole_url(parts: TextParts, base: TextParts) -> Callable[[Scope], str]:
    def evaluate(scope: Scope) -> str:
        url = _render(parts, scope)
        return _render(base, scope).rstrip("/") + url if url.startswith("/") else url

    return evaluate


def _render(parts: TextParts, scope: Scope) -> str:
    return "".join([part if isinstance(part, str) else to_text(part(scope)) for part in parts])


# -- query ---------------------------------------------------------------------------------


def compile_query(
    query: Mapping[str, object] | None, lowering: Lowering, path: SpecPath
) -> tuple[QueryItem, ...]:
    """Compile `query:`; a list repeats its key, null leaves it out."""
    items: list[QueryItem] = []
    for name, value in (query or {}).items():
        place = (*path, name)
        key: TextParts = (lowering.key(name, place),)
        items += _query_items(key, lowering.value(value, place), lowering, place)
    return tuple(items)


def _query_items(
    key: TextParts, value: Lowered, lowering: Lowering, path: SpecPath
) -> Iterable[QueryItem]:
    if not value.is_constant:
        yield QueryItem(key, value.evaluate)
        return
    values = value.value if isinstance(value.value, list | tuple) else (value.value,)
    for item in values:
        if item is not None:
            with lowering.at(path):
                yield QueryItem(key, to_text(item))


# -- headers -------------------------------------------------------------------------------


def compile_headers(
    headers: Mapping[str, object] | None, lowering: Lowering, path: SpecPath
) -> dict[str, Header | None]:
    """Compile headers by their lower-case names; None takes an inherited one away."""
    compiled: dict[str, Header | None] = {}
    for key, value in (headers or {}).items():
        place = (*path, key)
        name = lowering.key(key, place)
        if not _TOKEN.fullmatch(name):
            words = f"`{name}` is not a header name"
            lowering.fault(place, Code.INVALID_VALUE, words, is_key=True)
        if name.lower() in FRAMING and value is not None:
            words = f"`{name}` cannot be set: it says where the request ends"
            lowering.fault(place, Code.NOT_ALLOWED, words, FRAMING_HINT, is_key=True)
        parts = None if value is None else _header_value(value, lowering, place)
        compiled[name.lower()] = None if parts is None else Header(name, parts)
    return compiled


def _header_value(value: object, lowering: Lowering, path: SpecPath) -> TextParts:
    if isinstance(value, list | tuple | Mapping):
        lowering.fault(path, Code.WRONG_TYPE, "a header's value must be text", "write one text")
        return ()
    if isinstance(value, Text):
        parts = lowering.parts(value, path)
    else:
        parts = (to_text(lowering.value(value, path).value),)
    for part in parts:
        if isinstance(part, str) and _CONTROL.search(part):
            lowering.fault(
                path, Code.INVALID_VALUE, "a header's value can't contain control characters"
            )
    return parts


def merge_headers(*layers: Mapping[str, Header | None]) -> tuple[Header, ...]:
    """Merge headers, the later layers over the earlier ones."""
    merged: dict[str, Header | None] = {}
    for layer in layers:
        merged.update(layer)
    return tuple(header for header in merged.values() if header is not None)

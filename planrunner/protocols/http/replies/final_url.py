"""Compile `expect.url`: the URL that a reply came from, after redirects."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from planrunner.language.diagnostics import Code
from planrunner.language.expressions.expression import to_text
from planrunner.language.fields.text import Text
from planrunner.protocols.base import Check, Reply, Scope, TextParts
from planrunner.protocols.http.spec_expect import UrlRule
from planrunner.protocols.http.url import UrlError, quote_target, split_url
from planrunner.protocols.lowering import Lowering
from planrunner.protocols.rules import Condition, compile_condition, shorten

__all__ = ["compile_final_url"]

_PATH: Final = ("expect", "url")
_LONGEST: Final = 200
"""Of a URL in a message; a longer one is not cut, as half a secret would not be recognised."""


def compile_final_url(expected: Text | UrlRule, base: TextParts, lowering: Lowering) -> Check:
    """Compile what the last URL of a reply has to be, whole or as it follows `base_url`."""
    if isinstance(expected, UrlRule):
        condition = compile_condition(expected, lowering, _PATH)
    else:
        condition = _equals(expected, lowering)
    prefix_of = _prefix(base)

    def check(reply: Reply, scope: Scope) -> str | None:
        url = reply.url
        wanted = condition(url, scope)
        if wanted is None:
            return None
        prefix = prefix_of(scope)
        if prefix and url.startswith(f"{prefix}/") and not condition(url[len(prefix) :], scope):
            return None
        shown = f"`{url}`" if len(url) <= _LONGEST else f"a URL of {len(url):,} characters"
        return f"the reply came from {shown}, {wanted}"

    return check


def _equals(expected: Text, lowering: Lowering) -> Condition:
    lowered = lowering.text(expected, _PATH)
    message = f"expected `{shorten(expected.source, 80)}`"
    if lowered.is_constant:
        url = _written(to_text(lowered.value))
        if not url.startswith(("/", "http://", "https://")):
            lowering.fault(
                _PATH,
                Code.INVALID_VALUE,
                f"`{expected.source}` is not a URL",
                f"begin it with `/` or `http://`: `/{expected.source}`",
            )
        return lambda value, _: None if value == url else message
    evaluate = lowered.evaluate

    def holds(value: Any, scope: Scope) -> str | None:  # noqa: ANN401 - as all conditions
        return None if value == _written(to_text(evaluate(scope))) else message

    return holds


def _written(text: str) -> str:
    """Return a URL as it is sent: percent-encoded, with a path, without a fragment."""
    text = text.partition("#")[0]
    try:
        location = split_url(text)
    except UrlError:
        return quote_target(text)
    return f"{location.origin}{location.target}"


def _prefix(base: TextParts) -> Callable[[Scope], str]:
    """Return what gives `base_url` as the URLs of its replies begin; empty without one."""
    texts = [part for part in base if isinstance(part, str)]
    if len(texts) == len(base):
        prefix = _written("".join(texts)).rstrip("/")
        return lambda _: prefix

    def prefix_of(scope: Scope) -> str:
        parts = (part if isinstance(part, str) else to_text(part(scope)) for part in base)
        return _written("".join(parts)).rstrip("/")

    return prefix_of

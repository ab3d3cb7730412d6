"""Hosts that can be none, and headers with names that no header has."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final

from planrunner.importers.draft import DraftPlan, Keys, origin_of
from planrunner.importers.shaping.hosts import default_of
from planrunner.importers.shaping.requests import all_requests
from planrunner.loss.ledger import Ledger, SourcePlace
from planrunner.protocols.http.url import UrlError, split_url

__all__ = ["sound_addresses"]

_EXPRESSION: Final = re.compile(r"(?<!\$)\$\{([^{}]*)\}")
_PARAM_FIRST: Final = re.compile(r"\$\{(\w+)\}")
_ORIGIN: Final = re.compile(r"(?:(?:\$\{[^{}]*\}|[^/?#])*?:/{1,2})?(?:\$\{[^{}]*\}|[^/?#])*")
_TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_CONTROLS: Final = re.compile(r"[\x00-\x1f\x7f]")
_HERE: Final = "http://localhost"

TellHost = Callable[[str, SourcePlace | None], None]


def sound_addresses(draft: DraftPlan, ledger: Ledger) -> None:
    """Put `http://localhost` where a host can't be one, and leave out what can't be a header."""
    own = origin_of(draft)

    def tell(address: str, origin: SourcePlace | None) -> None:
        place = origin or own
        if place is not None:
            ledger.part("host", address[:80], place).needs_you("no host has this name: write one")

    for keys, origin in _settings(draft):
        base = keys.get("base_url")
        if isinstance(base, str):
            keys["base_url"] = _sound_url(base, draft, tell, origin)
        _sound_headers(keys, ledger, origin or own)
    _sound_params(draft, tell)
    for request in all_requests(draft):
        if not request.url.startswith("/"):
            request.url = _sound_url(request.url, draft, tell, request.step.origin)
        _sound_headers(request.keys, ledger, request.step.origin or own)


def _sound_params(draft: DraftPlan, tell: TellHost) -> None:
    """Make params that are URLs such, in every environment."""
    environments = draft.extra.get("environments")
    values = [*environments.values()] if isinstance(environments, dict) else []
    for name, param in draft.params.items():
        spec = param.spec
        if not isinstance(spec, dict) or spec.get("type") != "url":
            continue
        for holder, key in ((spec, "default"), *((one, name) for one in values)):
            if isinstance(holder, dict) and key in holder:
                holder[key] = _sound_url(str(holder[key]), draft, tell, param.origin)


def _settings(draft: DraftPlan) -> Iterator[tuple[Keys, SourcePlace | None]]:
    yield draft.http, draft.origin
    for one in draft.users:
        http = one.keys.get("http")
        if isinstance(http, dict):
            yield http, one.origin


def _sound_url(url: str, draft: DraftPlan, tell: TellHost, origin: SourcePlace | None) -> str:
    """Return a URL that can be sent to; a param at its beginning gets a value that can be."""
    first = _PARAM_FIRST.match(url)
    if url.startswith("${") and (first is None or first[1] not in draft.params):
        return url  # a row of data, or a reply, has it
    if first is not None and _is_open(default_of(first[1], draft)):
        return url
    if _is_sound(url, draft):
        return url
    if first is not None and first[1] in draft.params:
        param = draft.params[first[1]]
        tell(default_of(first[1], draft), param.origin or origin)
        spec = param.spec if isinstance(param.spec, dict) else {"type": "str"}
        param.spec = {**spec, "default": _HERE}
        if _is_sound(url, draft):
            return url
    tell(url, origin)
    found = _ORIGIN.match(url)
    rest = url[found.end() :].partition("#")[0] if found else ""
    return f"{_HERE}{rest if rest.startswith(('/', '?')) or not rest else f'/{rest}'}"


def _is_open(value: str) -> bool:
    """Say whether a value is still to be given, or a path, which follows a base URL."""
    return value in ("", "x") or value.startswith("/")


def _is_sound(url: str, draft: DraftPlan) -> bool:
    """Say whether a URL can be sent to, with names that have no value yet taken for good ones."""
    found = _ORIGIN.match(url)
    text = found[0] if found else url

    def value(expression: re.Match[str]) -> str:
        known = default_of(expression[1], draft)
        is_port = re.search(r":\d*$", text[: expression.start()]) is not None
        return "1" if known == "x" and is_port else known

    try:
        split_url(_EXPRESSION.sub(value, text).replace("$${", "${") + "/")
    except UrlError:
        return False
    return True


def _sound_headers(keys: Keys, ledger: Ledger, origin: SourcePlace | None) -> None:
    headers = keys.get("headers")
    if not isinstance(headers, dict):
        return
    for name, value in [*headers.items()]:
        if isinstance(value, str) and _CONTROLS.search(value):
            headers[name] = " ".join(_CONTROLS.sub(" ", value).split())
        if _TOKEN.fullmatch(_EXPRESSION.sub("x", name)):
            continue
        del headers[name]
        if origin is not None:
            words = " ".join(str(name).split())[:80]
            ledger.part("header", words, origin).left_out(
                "no header can have this name: write what was meant"
            )
    if not headers:
        del keys["headers"]

"""Passwords, tokens and keys that stand in requests become secret params: never literal."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from planrunner.importers.draft import DraftParam, DraftPlan, Keys
from planrunner.importers.shaping.requests import DraftRequest, all_requests
from planrunner.importers.templates import identifier
from planrunner.loss.ledger import Ledger, SourcePlace

__all__ = ["hide_secrets", "is_secret_name", "secret_param"]

_LAST_WORDS: Final = frozenset(
    {
        *("password", "passwd", "pwd", "passphrase", "secret", "token", "apikey", "jwt"),
        *("credential", "credentials", "authorization", "bearer"),
    }
)
_KEYS: Final = frozenset({"api", "access", "private", "secret", "subscription", "auth", "license"})
_COOKIE: Final = re.compile(r"(?i)[^;=]*(?:sess|sid|auth|token)[^;=]*=|=[^;]{16,}")
"""A cookie that says who somebody is; `theme=dark` doesn't."""

_AUTH: Final = frozenset({"value", "secret_key", "access_key", "session_token"})
_SCHEME: Final = re.compile(r"(?i)(bearer|basic|token|apikey|digest|key)\s+(\S.*)", re.DOTALL)
_QUERY: Final = re.compile(r"(?<=[?&])([^=&#]+)=([^&#]+)")


def is_secret_name(name: str) -> bool:
    """Say whether what has this name is nobody's business: `x-api-key`, `userPassword`."""
    words = re.sub(r"([a-z0-9])([A-Z])", r"\1 \2", name).lower()
    parts = re.findall(r"[a-z]+", words) or [""]
    last = parts[-1]
    return last in _LAST_WORDS or (last == "key" and len(parts) > 1 and parts[-2] in _KEYS)


def secret_param(purpose: str, origin: SourcePlace | None = None) -> DraftParam:
    """Return a secret that has no value in the plan."""
    return DraftParam({"type": "str", "secret": True, "help": purpose}, origin=origin)


def hide_secrets(draft: DraftPlan, ledger: Ledger) -> None:
    """Take literal secrets out of headers, queries, bodies and `auth`; one param a value."""
    params: dict[str, str] = {}
    for request in all_requests(draft):
        _Hider(draft, ledger, request, params).hide()


class _Hider:
    def __init__(
        self, draft: DraftPlan, ledger: Ledger, request: DraftRequest, params: dict[str, str]
    ) -> None:
        self.draft, self.ledger, self.request, self.params = draft, ledger, request, params

    def hide(self) -> None:
        keys = self.request.keys
        self.request.url = _QUERY.sub(self._query, self.request.url)
        headers = keys.get("headers")
        if isinstance(headers, dict):
            for name, value in headers.items():
                if isinstance(value, str) and _is_secret_header(name, value):
                    headers[name] = self._header(name, value)
        for part in ("query", "form", "multipart", "json", "variables", "auth"):
            for holder, name in _texts(keys.get(part)):
                if is_secret_name(name) or (part == "auth" and name in _AUTH):
                    holder[name] = self._hidden(name, str(holder[name]), f"`{part}.{name}`")

    def _query(self, found: re.Match[str]) -> str:
        if not is_secret_name(found[1]):
            return found[0]
        return f"{found[1]}={self._hidden(found[1], found[2], f'query parameter `{found[1]}`')}"

    def _header(self, name: str, value: str) -> str:
        scheme = _SCHEME.fullmatch(value)
        before, secret = (f"{scheme[1]} ", scheme[2]) if scheme else ("", value)
        kind = scheme[1].lower() if scheme else name
        param = {"bearer": "token", "basic": "basic_credentials"}.get(kind, name)
        return before + self._hidden(param, secret, f"header `{name}`")

    def _hidden(self, name: str, value: str, where: str) -> str:
        """Return what stands in the plan for a literal; what is computed stays."""
        if not value or "${" in value:
            return value
        param = self.params.get(value)
        if param is None:
            param = self.params[value] = identifier(name, self._names())
            self.draft.params[param] = secret_param(f"was a literal in {where}")
            if self.request.step.origin is not None:
                words = f"a secret in {where}"
                self.ledger.add("secret", words, self.request.step.origin).needs_you(
                    f"set it when you run the plan, as in `--set {param}=…`"
                )
        return f"${{{param}}}"

    def _names(self) -> set[str]:
        states = (one.keys.get("state") for one in self.draft.users)
        taken = {str(name) for state in states if isinstance(state, dict) for name in state}
        for request in all_requests(self.draft):
            extract = request.keys.get("extract")
            taken |= set(extract) if isinstance(extract, dict) else set()
        return {*taken, *self.draft.params, *self.draft.data}


def _is_secret_header(name: str, value: str) -> bool:
    is_cookie = name.lower() == "cookie"
    return _COOKIE.search(value) is not None if is_cookie else is_secret_name(name)


def _texts(value: object) -> Iterator[tuple[Keys, str]]:
    """Yield the mapping and key of each text in a body, deep inside too."""
    pending = [value]
    while pending:
        one = pending.pop()
        if isinstance(one, dict):
            for name, below in one.items():
                if isinstance(below, str):
                    yield one, name
                else:
                    pending.append(below)
        elif isinstance(one, list):
            pending += one

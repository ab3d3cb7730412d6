"""Passwords, tokens and keys that stand in requests become secret params: never literal."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from planrunner.importers.draft import DraftParam, DraftPlan, Keys, all_steps
from planrunner.importers.shaping.literals import conceal, hide_literals
from planrunner.importers.shaping.requests import DraftRequest, all_requests
from planrunner.importers.shaping.secret_names import is_secret_name
from planrunner.importers.templates import identifier
from planrunner.loss.ledger import Ledger, SourcePlace

__all__ = ["hide_secrets", "is_secret_name", "secret_param"]

_COOKIE: Final = re.compile(r"(?i)[^;=]*(?:sess|sid|auth|token)[^;=]*=|=[^;]{16,}")
"""A cookie that says who somebody is; `theme=dark` doesn't."""

_AUTH: Final = frozenset({"value", "secret_key", "access_key", "session_token"})
_SCHEME: Final = re.compile(r"(?i)(bearer|basic|token|apikey|digest|key)\s+(\S.*)", re.DOTALL)
_ONLY_NAME: Final = re.compile(r"\$\{(\w+)\}")
_QUERY: Final = re.compile(r"(?<=[?&])([^=&#]+)=([^&#]+)")


def secret_param(purpose: str, origin: SourcePlace | None = None) -> DraftParam:
    """Return a secret that has no value in the plan."""
    return DraftParam({"type": "str", "secret": True, "help": purpose}, origin=origin)


def hide_secrets(draft: DraftPlan, ledger: Ledger) -> None:
    """Take literal secrets out of a draft and of what is reported; one param a value."""
    params: dict[str, str] = {}
    hider = _Hider(draft, ledger, params)
    for keys, origin in _with_headers(draft):
        hider.origin = origin
        hider.hide_in(keys)
    for request in all_requests(draft):
        hider.origin = request.step.origin
        hider.hide(request)
    hide_literals(draft, hider.literal)
    conceal(draft, ledger, [*params])


def _with_headers(draft: DraftPlan) -> Iterator[tuple[Keys, SourcePlace | None]]:
    """Yield the settings of `http:` of the plan and of its classes, and steps that are no verb."""
    yield draft.http, draft.origin
    for one in draft.users:
        http = one.keys.get("http")
        if isinstance(http, dict):
            yield http, one.origin
    for step in all_steps(draft):
        yield step.body, step.origin


class _Hider:
    def __init__(self, draft: DraftPlan, ledger: Ledger, params: dict[str, str]) -> None:
        self.draft, self.ledger, self.params = draft, ledger, params
        self.origin: SourcePlace | None = None

    def literal(self, name: str, value: str, where: str, origin: SourcePlace | None) -> str:
        """Return what stands for a literal of some place: a param that is a secret itself."""
        self.origin = origin
        own = self.draft.params.get(name)
        if own is not None and where == f"param `{name}`":
            self.params.setdefault(value, name)
            own.spec = secret_param(f"was a literal in {where}").spec
            self._need(where, name)
            return ""
        return self._hidden(name, value, where)

    def hide(self, request: DraftRequest) -> None:
        """Hide what a request says."""
        request.url = _QUERY.sub(self._query, request.url)
        self.hide_in(request.keys)

    def hide_in(self, keys: Keys) -> None:
        """Hide what headers, bodies and `auth` say."""
        headers = keys.get("headers")
        if isinstance(headers, dict):
            for name, value in headers.items():
                if isinstance(value, str) and _is_secret_header(name, value):
                    headers[name] = self._header(name, value)
        for part in ("query", "form", "multipart", "json", "variables", "auth", "graphql"):
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
            if only := _ONLY_NAME.fullmatch(value):
                self._conceal_param(only[1], where)
            return value
        param = self.params.get(value)
        if param is None:
            param = self.params[value] = identifier(name, self._names())
            self.draft.params[param] = secret_param(f"was a literal in {where}")
            self._need(where, param)
        return f"${{{param}}}"

    def _conceal_param(self, name: str, where: str) -> None:
        """Take the value from a param that is sent as a secret, whatever it is called."""
        param = self.draft.params.get(name)
        spec = param.spec if param is not None else None
        keys: Keys = spec if isinstance(spec, dict) else {"type": "str", "default": spec}
        value = keys.get("default")
        if param is None or not isinstance(value, str) or not value or "${" in value:
            return
        self.params.setdefault(value, name)
        rest = {key: one for key, one in keys.items() if key != "default"}
        param.spec = {**rest, "type": "str", "secret": True}
        self._need(where, name)

    def _need(self, where: str, param: str) -> None:
        if self.origin is not None:
            self.ledger.part("secret", f"a secret in {where}", self.origin).needs_you(
                f"set it when you run the plan, as in `--set {param}=…`"
            )

    def _names(self) -> set[str]:
        states = (one.keys.get("state") for one in self.draft.users)
        taken = {str(name) for state in states if isinstance(state, dict) for name in state}
        for request in all_requests(self.draft):
            extract = request.keys.get("extract")
            taken |= set(extract) if isinstance(extract, dict) else set()
        for step in all_steps(self.draft):
            sets = step.body.get("set")
            taken |= set(sets) if isinstance(sets, dict) else set()
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

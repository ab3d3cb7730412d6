"""Headers and `auth` that all requests have alike stand once, under `http`."""

from __future__ import annotations

import re
from typing import Final

from planrunner.importers.draft import DraftPlan, Keys
from planrunner.importers.shaping.requests import all_requests

__all__ = ["share_headers"]

_FEWEST: Final = 2
_EXPRESSION: Final = re.compile(r"(?<!\$)\$\{(.*?)\}")


def share_headers(draft: DraftPlan) -> None:
    """Move what every request sends alike to `http`; with one request nothing moves."""
    all_keys = [request.keys for request in all_requests(draft)]
    if len(all_keys) < _FEWEST:
        return
    own = [_headers(keys) for keys in all_keys]
    shared: Keys = {
        name: value
        for name, value in own[0].items()
        if _is_fixed(value, draft) and all(name in one and one[name] == value for one in own)
    }
    if shared:
        known = draft.http.get("headers")
        draft.http["headers"] = {**(known if isinstance(known, dict) else {}), **shared}
    for keys, headers in zip(all_keys, own, strict=True):
        rest = {name: value for name, value in headers.items() if name not in shared}
        if rest:
            keys["headers"] = rest
        elif "headers" in keys:
            del keys["headers"]
    _share_auth(draft, all_keys)


def _share_auth(draft: DraftPlan, all_keys: list[Keys]) -> None:
    auth = all_keys[0].get("auth")
    is_shared = all("auth" in keys and keys["auth"] == auth for keys in all_keys)
    if is_shared and "auth" not in draft.http and _is_fixed(auth, draft):
        draft.http["auth"] = auth
        for keys in all_keys:
            del keys["auth"]


def _headers(keys: Keys) -> Keys:
    found = keys.get("headers")
    return found if isinstance(found, dict) else {}


def _is_fixed(value: object, draft: DraftPlan) -> bool:
    """Say whether a value is the same wherever it is sent: nothing in it but params."""
    if isinstance(value, dict):
        return all(_is_fixed(one, draft) for one in value.values())
    return isinstance(value, str) and all(
        found[1].strip() in draft.params for found in _EXPRESSION.finditer(value)
    )

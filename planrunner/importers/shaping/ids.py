"""Ids in URLs are folded into names: `/items/42` and `/items/43` are both `GET /items/{id}`."""

from __future__ import annotations

import re
from typing import Final

from planrunner.importers.draft import DraftPlan
from planrunner.importers.shaping.requests import all_requests
from planrunner.importers.templates import literal

__all__ = ["fold_ids", "folded"]

_ORIGIN: Final = re.compile(r"(?:https?://[^/?#]+)?", re.IGNORECASE)
_UUID: Final = r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}"
_HASH: Final = r"(?=[0-9a-fA-F]*[0-9])(?=[0-9a-fA-F]*[a-fA-F])[0-9a-fA-F]{16,}"
_PATH_ID: Final = re.compile(rf"(?<=/)(?:\d+|{_UUID}|{_HASH})(?=/|\.\w+$|$)")
_QUERY_ID: Final = re.compile(rf"(?<==)(?:\d{{9,}}|{_UUID}|{_HASH})(?=&|$)")


def fold_ids(draft: DraftPlan) -> None:
    """Name the requests whose literal URL has ids in it, unless they have a name."""
    for request in all_requests(draft):
        if "name" in request.keys:
            continue
        url = request.url
        name = folded(url)
        if name != url:
            origin = _ORIGIN.match(name)
            path = name[origin.end() :] if origin and _is_own(draft, url) else name
            named = {"name": f"{request.verb.upper()} {path}"}
            request.keys |= named


def folded(url: str) -> str:
    """Return a URL with `{id}` for each number, UUID and hash that is a part of its path."""
    start = _ORIGIN.match(url)
    begin = start.end() if start else 0
    path, mark, query = url[begin:].partition("?")
    return url[:begin] + _PATH_ID.sub("{id}", path) + mark + _QUERY_ID.sub("{id}", query)


def _is_own(draft: DraftPlan, url: str) -> bool:
    base = draft.http.get("base_url")
    return url.startswith("/") or (isinstance(base, str) and url.startswith(literal(base)))

"""One host of all absolute URLs becomes `http.base_url`; the URLs become paths."""

from __future__ import annotations

import re
from collections import Counter
from typing import Final
from urllib.parse import urlsplit

from planrunner.importers.draft import DraftPlan
from planrunner.importers.shaping.requests import all_requests

__all__ = ["default_of", "share_host"]

_EXPRESSION: Final = re.compile(r"\$\{([^{}]*)\}")
_ORIGIN: Final = re.compile(
    r"((?:https?|\$\{\w+\})://(?:\$\{[^{}]*\}|[^/?#\s$])+|\$\{\w+\}(?=[/?#]|$))(.*)",
    re.DOTALL | re.IGNORECASE,
)


def share_host(draft: DraftPlan) -> None:
    """Make the host of most requests the plan's `base_url`, unless the draft has one.

    A host may be a param, or have params in it; other names have no value yet where it is read.
    """
    if "base_url" in draft.http:
        return
    requests = [
        (one, found)
        for one in all_requests(draft)
        if (found := _ORIGIN.fullmatch(one.url)) and _is_known(found[1], draft)
    ]
    if not requests:
        return
    base = Counter(found[1] for _, found in requests).most_common(1)[0][0]
    draft.http = {"base_url": base, **draft.http}
    for request, found in requests:
        if found[1] == base:
            rest = found[2]
            request.url = rest if rest.startswith("/") else f"/{rest}"


def _is_known(origin: str, draft: DraftPlan) -> bool:
    """Say whether a host is known before the run, and a URL: it reads params only."""
    if any(name not in draft.params for name in _EXPRESSION.findall(origin)):
        return False
    alone = _EXPRESSION.fullmatch(origin)
    if alone is not None and default_of(alone[1], draft) in ("", "x"):
        return True
    try:
        url = urlsplit(_EXPRESSION.sub(lambda found: default_of(found[1], draft), origin))
        return url.scheme in ("http", "https") and bool(url.hostname) and (url.port or 1) > 0
    except ValueError:
        return False


def default_of(name: str, draft: DraftPlan, depth: int = 0) -> str:
    """Return what a param is unless somebody sets it."""
    spec = draft.params[name].spec if name in draft.params else None
    value = spec.get("default") if isinstance(spec, dict) else spec
    if value is None or depth > 5:
        return "x"
    return _EXPRESSION.sub(lambda found: default_of(found[1], draft, depth + 1), str(value))

"""One host of all absolute URLs becomes `http.base_url`; the URLs become paths."""

from __future__ import annotations

import re
from collections import Counter
from typing import Final

from planrunner.importers.draft import DraftPlan
from planrunner.importers.shaping.requests import all_requests

__all__ = ["share_host"]

_ORIGIN: Final = re.compile(
    r"(https?://[^/?#\s]+|\$\{\w+\}(?=[/?#]|$))(.*)", re.DOTALL | re.IGNORECASE
)
_EXPRESSION: Final = re.compile(r"\$\{(.*?)\}")


def share_host(draft: DraftPlan) -> None:
    """Make the host of most requests the plan's `base_url`, unless the draft has one.

    A host may be a param, or have params in it; other names have no value yet where it is read.
    """
    if "base_url" in draft.http:
        return
    requests = [
        (one, found)
        for one in all_requests(draft)
        if (found := _ORIGIN.match(one.url))
        and all(inside[1] in draft.params for inside in _EXPRESSION.finditer(found[1]))
    ]
    if not requests:
        return
    base = Counter(found[1] for _, found in requests).most_common(1)[0][0]
    draft.http = {"base_url": base, **draft.http}
    for request, found in requests:
        if found[1] == base:
            rest = found[2]
            request.url = rest if rest.startswith("/") else f"/{rest}"

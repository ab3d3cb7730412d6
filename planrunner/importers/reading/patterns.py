"""Regular expressions of other tools, of which a plan takes the first group."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["only_group"]

_GROUP: Final = re.compile(
    r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\((?:\?P?<(?P<name>[A-Za-z_]\w*)>|(?!\?))", re.DOTALL
)


def only_group(pattern: str, group: object) -> str:
    """Return a pattern whose only group is the one that is wanted; all of it where none is."""
    if group is None:
        return f"({pattern})"
    count = 0

    def keep(found: re.Match[str]) -> str:
        nonlocal count
        if found[0][0] != "(":
            return found[0]
        count += 1
        return "(" if str(group) in (str(count), found["name"]) else "(?:"

    return _GROUP.sub(keep, pattern)

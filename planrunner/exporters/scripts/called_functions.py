"""Which functions a script needs: those that it calls."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

__all__ = ["used_helpers"]

_CALLED: Final = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)[(.]")


def used_helpers(lines: Sequence[str], helpers: Mapping[str, str]) -> Iterator[str]:
    """Yield the code of the helpers that a script and they themselves call, in their order."""
    pending, used = list(lines), set[str]()
    while pending:
        words = set(_CALLED.findall("\n".join(pending)))
        new = (words & helpers.keys()) - used
        used |= new
        pending = [helpers[name] for name in new]
    yield from (code for name, code in helpers.items() if name in used)

"""Headers of other tools, of which a plan takes those that can be sent."""

from __future__ import annotations

import re
from typing import Final

from planrunner.loss.ledger import Construct

__all__ = ["sendable"]

_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


def sendable(headers: dict[str, object], at: Construct) -> dict[str, object]:
    """Return headers without those whose names can't be sent; judges the key they stand at."""
    found = {name: value for name, value in headers.items() if _NAME.fullmatch(name)}
    for name in headers:
        if name not in found:
            at.suspicious(f"`{name}` is not the name of a header: nothing can send it")
    return found

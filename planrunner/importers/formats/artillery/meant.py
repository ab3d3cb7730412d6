"""JavaScript in templates, which Artillery does not run: what its authors must have meant."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["drawn_item", "meant_expression", "with_default"]

_DRAWN: Final = r"Math\.floor\(\s*Math\.random\(\)\s*\*\s*"
_BELOW: Final = re.compile(_DRAWN + r"(\d{1,9})\s*\)(?:\s*\+\s*(\d{1,9}))?")
_ITEM: Final = re.compile(rf"([\w.-]+)\[\s*{_DRAWN}[\w.-]+\.length\s*\)\s*\]")
_DEFAULT: Final = re.compile(
    r"\$(?:processEnvironment|env)\.(\w+)\s*(?:\|\||\?\?)\s*(?:'([^']*)'|\"([^\"]*)\"|(\d{1,15}))"
)
_PLAIN: Final = (
    (re.compile(r"Math\.random\(\)"), "rand.float(0, 1)"),
    (re.compile(r"(?:Date\.now\(\)|new Date\(\)\.getTime\(\))"), "(now() * 1000) | int"),
    (re.compile(r"new Date\(\)\.toISOString\(\)"), "date()"),
)


def meant_expression(text: str) -> str | None:
    """Return what a template that computes must mean; None where that can't be seen."""
    text = text.strip()
    below = _BELOW.fullmatch(text)
    if below is not None:
        start = int(below[2] or 0)
        return f"rand.int({start}, {max(0, int(below[1]) - 1) + start})"
    return next((meaning for pattern, meaning in _PLAIN if pattern.fullmatch(text)), None)


def drawn_item(text: str) -> str | None:
    """Return the list of which a template means a random item."""
    found = _ITEM.fullmatch(text.strip())
    return found[1] if found else None


def with_default(text: str) -> tuple[str, str] | None:
    """Return a variable of the environment, and what it is where nobody sets it."""
    found = _DEFAULT.fullmatch(text.strip())
    return (found[1], found[2] or found[3] or found[4] or "") if found else None

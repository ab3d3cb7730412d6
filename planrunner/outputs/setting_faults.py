"""What a plan can be told of settings that several outputs have."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from planrunner.language.diagnostics import Code
from planrunner.language.fields.mapping import Fault
from planrunner.units import NS_PER_S, UnitError, parse_duration

__all__ = ["every_faults", "url_faults"]

_URL: Final = re.compile(r"https?://[^/?#\s]+(?:[/?#]\S*)?", re.IGNORECASE)
_EVERY: Final = "every"


def url_faults(data: Mapping[str, Any], key: str, example: str) -> Iterator[Fault]:
    """Yield what is wrong with a URL that stands in the plan; none if expressions are in it."""
    text = str(data.get(key) or "")
    if text and "${" not in text and not _URL.fullmatch(text):
        hint = f"write one such as `{example}`"
        yield Fault(Code.INVALID_VALUE, f"`{key}` is not a URL", hint, key)


def every_faults(data: Mapping[str, Any]) -> Iterator[Fault]:
    """Yield what is wrong with `every`: outputs get a run second by second."""
    try:
        every_ns = parse_duration(str(data.get(_EVERY, "1s")))
    except UnitError:  # its field says so, or it is an expression
        return
    if not every_ns or every_ns % NS_PER_S:
        what = f"`{_EVERY}` is not a whole number of seconds"
        yield Fault(Code.INVALID_VALUE, what, "write `1s`, or more", _EVERY)

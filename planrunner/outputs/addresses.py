"""Addresses in settings of outputs, as far as a plan can be checked for them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from planrunner.language.diagnostics import Code
from planrunner.language.fields.mapping import Fault

__all__ = ["url_faults"]

_URL: Final = re.compile(r"https?://[^/?#\s]+(?:[/?#]\S*)?", re.IGNORECASE)


def url_faults(data: Mapping[str, Any], key: str, example: str) -> Iterator[Fault]:
    """Yield what is wrong with a URL that stands in the plan; none if expressions are in it."""
    text = str(data.get(key) or "")
    if text and "${" not in text and not _URL.fullmatch(text):
        hint = f"write one such as `{example}`"
        yield Fault(Code.INVALID_VALUE, f"`{key}` is not a URL", hint, key)

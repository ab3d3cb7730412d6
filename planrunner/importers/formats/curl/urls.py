"""URLs as curl reads them: patterns that stand for several, paths without dots, no fragment."""

from __future__ import annotations

import re
from itertools import product
from typing import Final

from planrunner.loss.ledger import Construct

__all__ = ["plain_url", "urls_of"]

_MOST_URLS: Final = 100
_GLOB: Final = re.compile(
    r"(?<!\$)\{([^{}$]+)\}|\[(\d+)-(\d+)(?::(\d+))?\]|\[([a-z])-([a-z])(?::(\d+))?\]"
    r"|\[([A-Z])-([A-Z])(?::(\d+))?\]"
)
_SCHEME: Final = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_SPLIT: Final = re.compile(r"([^:/?#]+://[^/?#]*|\$\{\w+\})?([^?#]*)(\?[^#]*)?", re.DOTALL)


def urls_of(text: str, construct: Construct) -> list[str]:
    """Return the URLs that a pattern stands for: `{a,b}` and `[1-3]`."""
    pieces: list[list[str]] = []
    end, number = 0, 1
    for found in _GLOB.finditer(text):
        values = _values(found)
        number *= len(values)
        if number > _MOST_URLS:
            construct.changed(
                f"a pattern of more than {_MOST_URLS} URLs: here it is one; write a `foreach`"
            )
            return [text]
        pieces += [[text[end : found.start()]], values]
        end = found.end()
    return ["".join(one) for one in product(*pieces, [text[end:]])]


def _values(found: re.Match[str]) -> list[str]:
    if found[1] is not None:
        return found[1].split(",")
    if found[2] is not None:
        low, high, step = int(found[2][:9]), int(found[3][:9]), max(int(found[4] or 1), 1)
        width = len(found[2]) if found[2].startswith("0") else 0
        return [f"{number:0{width}}" for number in range(low, min(high, low + 1000) + 1, step)]
    first, last, by = (
        (found[5], found[6], found[7]) if found[5] else (found[8], found[9], found[10])
    )
    return [chr(code) for code in range(ord(first), ord(last) + 1, max(int(by or 1), 1))]


def plain_url(text: str, *, keeps_dots: bool) -> str:
    """Return the URL that is sent: with a scheme, without a fragment and dots in its path."""
    address = text.strip()
    if not _SCHEME.match(address) and not address.startswith("${"):
        address = f"http://{address}"
    found = _SPLIT.match(address)
    assert found is not None, "every part of it may be empty"
    path = found[2] if keeps_dots else _without_dots(found[2])
    return f"{found[1] or ''}{path}{found[3] or ''}"


def _without_dots(path: str) -> str:
    parts = path.split("/")
    if not {".", ".."} & {*parts}:
        return path
    kept: list[str] = []
    for part in parts[1:]:
        if part == "..":
            del kept[-1:]
        elif part != ".":
            kept.append(part)
    is_open = parts[-1] in (".", "..")
    return "/".join(["", *kept, *([""] if is_open else [])])

"""URLs as they are sent: what stands in them literally is encoded when the script is written."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import quote

from planrunner.language.expressions.expression import Expression
from planrunner.language.fields.text import parse_text

__all__ = ["url_parts"]

_ORIGIN: Final = re.compile(r"https?://[^/?#]*")
_MEANT: Final = "!$&'()*+,-./:;=?@[]_~%"
"""What may stand in a URL and means something there; `%` begins what is encoded already."""
_LONE_PERCENT: Final = re.compile(r"%(?![0-9A-Fa-f]{2})")


def url_parts(written: str) -> Iterator[tuple[str | Expression, bool]]:
    """Yield the parts of a URL, each with whether it stands behind a `?`; ends before a `#`.

    Tools differ in what they encode: curl refuses a space, and k6 sends one as it is.
    """
    is_query = False
    for part in parse_text(written).parts:
        if not isinstance(part, str):
            yield part, is_query
            continue
        text, fragment, _ = part.partition("#")
        origin = found[0] if (found := _ORIGIN.match(text)) else ""
        rest = _LONE_PERCENT.sub("%25", text[len(origin) :])
        yield origin + quote(rest, safe=_MEANT), is_query
        if fragment:
            return
        is_query = is_query or "?" in rest

"""What has the head and the body of a reply, and what they say as text and as JSON."""

from __future__ import annotations

import codecs
from contextlib import suppress
from functools import lru_cache
from json import JSONDecoder, detect_encoding
from json.scanner import make_scanner
from typing import Any, Final, NoReturn, Protocol

from planrunner.late_pattern import late_pattern

__all__ = ["NOT_JSON", "Received", "charset_of", "decode_json", "read_json", "read_text"]


class Received(Protocol):
    """A reply, or what is left of one when its session has another one."""

    @property
    def head(self) -> bytes: ...
    @property
    def body(self) -> bytes | None: ...


NOT_JSON: Final = object()
"""What `read_json` gives for a body that isn't JSON: undefined in expressions."""


def read_json(reply: Received) -> Any:  # noqa: ANN401 - JSON
    """Parse the body; call it as `reply.parsed(read_json)`, so that it happens once a reply."""
    body = reply.body
    if not body:
        return NOT_JSON
    try:
        text = body.decode()
        value, end = _scan(text, 0)
        if end == len(text):  # nothing is JSON in UTF-8 that means something else in another code
            return value
    except (StopIteration, ValueError, RecursionError):
        pass
    return _read_unusual_json(reply, body)


def _read_unusual_json(reply: Received, body: bytes) -> Any:  # noqa: ANN401 - JSON
    """Parse a body in another code, with space around it, or that isn't JSON at all."""
    try:
        return decode_json(body.decode(detect_encoding(body)))
    except UnicodeDecodeError:  # it isn't in UTF-8, as it should be
        with suppress(LookupError, ValueError, RecursionError):
            if (charset := charset_of(reply.head)) != "utf-8":
                return decode_json(body.decode(charset))
    except (ValueError, RecursionError):
        pass
    return NOT_JSON


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


_DECODER: Final = JSONDecoder(parse_constant=_refuse_constant)
_scan: Final = make_scanner(_DECODER)  # type: ignore[arg-type]  # as json itself calls it


def decode_json(text: str) -> Any:  # noqa: ANN401 - JSON
    """Parse a text; raises ValueError or RecursionError for one that isn't JSON."""
    try:
        value, end = _scan(text, 0)
    except StopIteration:
        end = -1
    # The decoder's own method also looks for white space around the value, at twice the price.
    return value if end == len(text) else _DECODER.decode(text)


_CHARSET: Final = late_pattern(rb"""(?im)^content-type[ \t]*:[^\r\n]*;[ \t]*charset="?([\w.:-]+)""")
_NO_CHARSETS: Final = frozenset({"idna", "punycode", "raw-unicode-escape", "unicode-escape"})


@lru_cache(maxsize=64)
def charset_of(head: bytes) -> str:
    """Return the charset that a reply's head declares, as Python calls it; else `utf-8`."""
    found = _CHARSET.search(head)
    if found is None:
        return "utf-8"
    try:
        name = codecs.lookup(found[1].decode("ascii")).name
    except (LookupError, ValueError):
        return "utf-8"
    # What is declared as ASCII and isn't is UTF-8 nearly always.
    return "utf-8" if name == "ascii" or name in _NO_CHARSETS else name


def read_text(reply: Received) -> str:
    """Decode the body, UTF-8 by default; never fails. Call it as `reply.parsed(read_text)`."""
    body = reply.body or b""
    try:
        return body.decode(charset_of(reply.head), "replace")
    except (LookupError, ValueError):  # a codec that is no charset
        return body.decode("utf-8", "replace")

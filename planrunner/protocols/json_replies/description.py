"""What the body of a reply is, in words."""

from __future__ import annotations

from typing import Final

from planrunner.protocols.base import Reply
from planrunner.protocols.received import NOT_JSON, read_json
from planrunner.protocols.rules import shorten

__all__ = ["describe_body"]

_SHOWN_KEYS: Final = 4


def describe_body(reply: Reply) -> str:
    """Say what the body is by its shape: `a JSON object with the keys id, name`. Shows no value."""
    data = reply.parsed(read_json)
    if data is NOT_JSON:
        size = len(reply.body or b"")
        return f"a body of {size} bytes that is not JSON" if size else "an empty body"
    if isinstance(data, dict):
        shown = ", ".join(shorten(str(key), 16) for key in list(data)[:_SHOWN_KEYS])
        more = " …" if len(data) > _SHOWN_KEYS else ""
        return f"a JSON object with the keys {shown}{more}" if data else "an empty JSON object"
    if isinstance(data, list):
        return f"a JSON list of {len(data)}"
    return "a single JSON value"

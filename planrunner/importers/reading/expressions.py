"""Plain values as expressions of a plan."""

from __future__ import annotations

import json

__all__ = ["inline"]


def inline(value: object) -> str:
    """Return a plain value as an expression."""
    if isinstance(value, dict):
        return (
            "{"
            + ", ".join(f"{inline(str(key))}: {inline(one)}" for key, one in value.items())
            + "}"
        )
    if isinstance(value, list):
        return "[" + ", ".join(map(inline, value)) + "]"
    if isinstance(value, str):
        quoted = json.dumps(value, ensure_ascii=False)[1:-1].replace("'", "\\'").replace('\\"', '"')
        return f"'{quoted}'"
    return "none" if value is None else json.dumps(value)

"""Plain values as expressions of a plan."""

from __future__ import annotations

import json

from planrunner.importers.templates import literal

__all__ = ["inline", "literal_value"]


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


def literal_value(value: object) -> object:
    """Return a plain value whose texts a plan takes as they stand."""
    if isinstance(value, dict):
        return {key: literal_value(one) for key, one in value.items()}
    if isinstance(value, list):
        return [literal_value(one) for one in value]
    return literal(value) if isinstance(value, str) else value

"""Plain values as expressions of a plan."""

from __future__ import annotations

import json
import re
from typing import Final

from planrunner.importers.templates import literal

__all__ = ["computes", "expression_of", "inline", "literal_value"]

_TEMPLATE: Final = re.compile(r"\$\$\{|\$\{([^{}]*)\}")


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


def computes(value: object) -> bool:
    """Say whether a value of a plan has `${…}` anywhere."""
    if isinstance(value, dict):
        return any(map(computes, value.values()))
    if isinstance(value, list):
        return any(map(computes, value))
    return isinstance(value, str) and any(one[1] is not None for one in _TEMPLATE.finditer(value))


def expression_of(value: object) -> str:
    """Return a value of a plan, with its `${…}`, as one expression."""
    if isinstance(value, dict):
        pairs = (f"{inline(str(key))}: {expression_of(one)}" for key, one in value.items())
        return "{" + ", ".join(pairs) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(expression_of, value)) + "]"
    return _text(value) if isinstance(value, str) else inline(value)


def _text(text: str) -> str:
    parts, end = [], 0
    for found in _TEMPLATE.finditer(text):
        if found[1] is None:
            continue
        before = text[end : found.start()].replace("$${", "${")
        parts += [*([inline(before)] if before else []), f"({found[1]})"]
        end = found.end()
    rest = text[end:].replace("$${", "${")
    return " ~ ".join([*parts, *([inline(rest)] if rest or not parts else [])])

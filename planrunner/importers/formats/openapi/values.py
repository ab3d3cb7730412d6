"""Values for what a description only types: its examples, its defaults, or made-up ones."""

from __future__ import annotations

from typing import Final

from planrunner.importers.formats.openapi.references import References
from planrunner.importers.nodes import SourceNode
from planrunner.importers.templates import literal

__all__ = ["example_of", "made_up"]

_DEEPEST: Final = 6
_FORMATS: Final = {
    "uuid": "${rand.uuid()}",
    "date-time": "2026-01-01T00:00:00Z",
    "date": "2026-01-01",
    "email": "${rand.lower(8)}@example.com",
    "uri": "http://example.com/",
    "password": "${rand.text(12)}",
}
_TYPES: Final[dict[str, object]] = {
    "integer": 1, "number": 1.5, "boolean": True, "null": None, "string": "text",
}  # fmt: skip


def example_of(node: SourceNode) -> tuple[bool, object]:
    """Return whether a parameter, media type or schema names a value, and the first one."""
    for key in ("example", "x-example", "default"):
        found = node.get(key)
        if found is not None:
            return True, _as_literal(found.plain())
    several = node.get("examples")
    if several is not None and several.entries:
        first = several.entries[0].node.get("value")
        if first is not None:
            return True, _as_literal(first.plain())
    for key in ("examples", "enum"):
        listed = node.get(key)
        if listed is not None and listed.items:
            return True, _as_literal(listed.items[0].plain())
    return False, None


def made_up(schema: SourceNode | None, references: References, depth: int = 0) -> object:
    """Return a value that a schema allows: its example, else the smallest that says something."""
    found = references.follow(schema) if schema is not None else None
    if found is None or depth > _DEEPEST:
        return None if depth > _DEEPEST else "text"
    is_given, value = example_of(found)
    if is_given:
        return value
    for key in ("allOf", "oneOf", "anyOf"):
        listed = found.get(key)
        if listed is not None and listed.items:
            parts = listed.items if key == "allOf" else listed.items[:1]
            return _merged(
                [made_up(one, references, depth + 1) for one in parts], found, references, depth
            )
    kind = _type(found)
    if kind == "object":
        return _object(found, references, depth)
    if kind == "array":
        item = made_up(found.get("items"), references, depth + 1)
        return [] if depth >= _DEEPEST else [item]
    return _scalar(found, kind)


def _merged(parts: list[object], schema: SourceNode, references: References, depth: int) -> object:
    own = _object(schema, references, depth) if schema.get("properties") is not None else {}
    merged: dict[str, object] = {}
    for one in [*parts, own]:
        if not isinstance(one, dict):
            return one
        merged.update(one)
    return merged


def _type(schema: SourceNode) -> str:
    kind = schema.get("type")
    names = [one.text() for one in kind.each()] if kind is not None else []
    named = next((one for one in names if one != "null"), "")
    return named or ("object" if schema.get("properties") is not None else "string")


def _object(schema: SourceNode, references: References, depth: int) -> dict[str, object]:
    """Return the required properties, and those with a value of their own."""
    properties, required = schema.get("properties"), schema.get("required")
    names = {one.text() for one in required.each()} if required is not None else set()
    made: dict[str, object] = {}
    for one in properties.entries or [] if properties is not None else []:
        is_own = one.node.get("readOnly")
        if is_own is not None and is_own.scalar is True:
            continue
        if one.key in names or not names or example_of(one.node)[0]:
            made[one.key] = made_up(one.node, references, depth + 1)
    return made


def _scalar(schema: SourceNode, kind: str) -> object:
    form, low = schema.get("format"), schema.get("minimum")
    if kind == "string" and form is not None and form.text() in _FORMATS:
        return _FORMATS[form.text()]
    if kind in ("integer", "number") and low is not None:
        return low.scalar
    shortest = schema.get("minLength")
    if kind == "string" and shortest is not None and isinstance(shortest.scalar, int):
        return "${rand.text(" + str(max(4, min(shortest.scalar, 200))) + ")}"
    return _TYPES.get(kind, "text")


def _as_literal(value: object) -> object:
    """Return a value of the document so that a plan takes it as it stands."""
    if isinstance(value, str):
        return literal(value)
    if isinstance(value, list):
        return [_as_literal(one) for one in value]
    if isinstance(value, dict):
        return {key: _as_literal(one) for key, one in value.items()}
    return value

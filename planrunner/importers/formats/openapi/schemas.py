"""Schemas of replies as files of JSON Schema that `expect.schema` reads."""

from __future__ import annotations

import json

from planrunner.importers.nodes import SourceNode

__all__ = ["schema_file"]


def schema_file(schema: SourceNode, root: SourceNode) -> bytes | None:
    """Return a schema with all that it refers to; None where that lies in another document."""
    found = _converted(schema.plain())
    needed: dict[str, object] = {}
    pending = list(_references(found))
    while pending:
        reference = pending.pop()
        if not reference.startswith("#/"):
            return None
        if reference in needed:
            continue
        value = _at(root.plain(), reference)
        if value is None:
            return None
        needed[reference] = _converted(value)
        pending += _references(needed[reference])
    document = dict(found) if isinstance(found, dict) else {}
    for reference in sorted(needed):
        _put(document, reference, needed[reference])
    return (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode()


def _converted(value: object) -> object:
    """Return OpenAPI's schema in the words of JSON Schema: `nullable` is a type there."""
    if isinstance(value, list):
        return [_converted(one) for one in value]
    if not isinstance(value, dict):
        return value
    made = {
        key: _converted(one)
        for key, one in value.items()
        if key not in ("nullable", "example", "xml", "externalDocs", "discriminator")
    }
    kind = made.get("type")
    if value.get("nullable") is True and isinstance(kind, str):
        made["type"] = [kind, "null"]
    if kind == "file":
        del made["type"]
    return made


def _references(value: object) -> list[str]:
    if isinstance(value, list):
        return [found for one in value for found in _references(one)]
    if not isinstance(value, dict):
        return []
    own = value.get("$ref")
    return ([own] if isinstance(own, str) else []) + [
        found for one in value.values() for found in _references(one)
    ]


def _keys(reference: str) -> list[str]:
    return [part.replace("~1", "/").replace("~0", "~") for part in reference.split("/")[1:]]


def _at(value: object, reference: str) -> object:
    for key in _keys(reference):
        if not isinstance(value, dict):
            return None
        value = value.get(key)
    return value


def _put(document: dict[str, object], reference: str, value: object) -> None:
    *above, last = _keys(reference)
    place = document
    for key in above:
        below = place.setdefault(key, {})
        if not isinstance(below, dict):
            return
        place = below
    place[last] = value

"""Paths into JSON as other tools write them → JSONPaths of a plan."""

from __future__ import annotations

import re

from planrunner.protocols.jsonpath import JsonPathError, compile_path

__all__ = ["json_path"]


def json_path(path: str) -> str | None:
    """Return a path such as `a.0.id`, `[0].id`, `$.[0]` or `$['a-b']`; None if it is none."""
    path = path.strip().removeprefix("body.") if path.startswith("body.$") else path.strip()
    if not path.startswith("$"):
        path = f"${path}" if path.startswith("[") else f"$.{path}" if path else "$"
    path = re.sub(r"(?<!\.)\.(?=\[)", "", path.removesuffix("."))
    found = re.sub(r"(?<!\.)\.(\d+)(?=[.\[]|$)", r"[\1]", path)
    found = re.sub(r"(?<!\.)\.([A-Za-z_][\w]*(?:-\w+)+)(?=[.\[]|$)", r"['\1']", found)
    if "${" in found:
        return found
    try:
        compile_path(found)
    except JsonPathError:
        return None
    return found

"""Paths into JSON as k6 writes them: `items.0.id`, `items.#.id`."""

from __future__ import annotations

import re

__all__ = ["gjson_path"]


def gjson_path(path: str) -> tuple[str | int, ...] | None:
    """Return the keys of a path; None where it asks for more than keys."""
    if re.search(r"[*?|@!{}\\(]", path):
        return None
    return tuple(
        int(one) if one.isdigit() else "*" if one == "#" else one for one in path.split(".") if one
    )

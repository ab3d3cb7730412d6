"""Bodies that no person reads in a plan: they are files beside it."""

from __future__ import annotations

import json
from typing import Final

from planrunner.importers.draft import DraftPlan
from planrunner.importers.shaping.requests import all_requests

__all__ = ["move_long_bodies"]

_LONGEST: Final = 64 * 1024


def move_long_bodies(draft: DraftPlan) -> None:
    """Put long bodies into files; those with expressions stay."""
    for request in all_requests(draft):
        for key, suffix in (("body", "txt"), ("json", "json")):
            text = _text(request.keys.get(key))
            if text is None or len(text) <= _LONGEST or "${" in text.replace("$${", ""):
                continue
            name = f"bodies/{len(draft.files) + 1}.{suffix}"
            draft.files[name] = text.replace("$${", "${").encode("utf-8", "replace")
            del request.keys[key]
            request.keys["body_file"] = name


def _text(value: object) -> str | None:
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False, default=str)
    return value if isinstance(value, str) else None

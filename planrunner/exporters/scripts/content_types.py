"""What planrunner says that the body of a request is, for tools that say it otherwise."""

from __future__ import annotations

from typing import Final

__all__ = ["content_type_of"]

_TYPES: Final = {"json": "application/json", "body": "text/plain; charset=utf-8"}


def content_type_of(kind: str, body: object) -> str:
    """Return the type of a body by the plan's key; empty where every tool says it by itself."""
    if kind != "body_file":
        return _TYPES.get(kind, "")
    import mimetypes  # noqa: PLC0415 - few bodies are files

    return mimetypes.guess_type(str(body))[0] or "application/octet-stream"

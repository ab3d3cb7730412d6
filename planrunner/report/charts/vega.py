"""The JavaScript that draws the charts: Vega and Vega-Lite as vl-convert brings them."""

from __future__ import annotations

import os
from contextlib import suppress
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

__all__ = ["javascript_bundle"]

_SNIPPET: Final = "window.vegaEmbed = vegaEmbed;"
_DIGEST_LENGTH: Final = 64


def javascript_bundle() -> str:
    """Return a script that sets `window.vegaEmbed` and loads nothing; empty without vl-convert.

    Making it takes two seconds, so it is kept in the user's cache directory.
    """
    try:
        cached = _cache() / f"vega-{version('vl-convert-python')}.js"
    except PackageNotFoundError:
        return ""
    with suppress(OSError, UnicodeDecodeError):
        text = cached.read_text("utf-8")
        # What a full disk or another program cut must not end in every later report.
        if sha256(text[_DIGEST_LENGTH:].encode()).hexdigest() == text[:_DIGEST_LENGTH]:
            return text[_DIGEST_LENGTH:]
    try:
        import vl_convert  # noqa: PLC0415 - 30 MB that only a missing bundle needs
    except ImportError:
        return ""
    script: str = vl_convert.javascript_bundle(_SNIPPET)
    _keep(cached, sha256(script.encode()).hexdigest() + script)
    return script


def _keep(path: Path, text: str) -> None:
    with suppress(OSError):  # it will be made again
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{path.name}.{os.getpid()}")
        temporary.write_text(text, "utf-8")
        temporary.replace(path)


def _cache() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(base).expanduser() / "planrunner"

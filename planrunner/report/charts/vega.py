"""The JavaScript that draws the charts: Vega and Vega-Lite, made when the package is built."""

from __future__ import annotations

from pathlib import Path
from typing import Final

__all__ = ["javascript_bundle"]

_SCRIPT: Final = Path(__file__).parents[1] / "vega" / "vega.js"
_SNIPPET: Final = "window.vegaEmbed = vegaEmbed;"


def javascript_bundle() -> str:
    """Return a script that sets `window.vegaEmbed` and loads nothing; empty where there is none.

    A package that was built without it, or sources that never were, need the extra `charts`, which
    makes it in two seconds.
    """
    try:
        return _SCRIPT.read_text("utf-8")
    except FileNotFoundError:
        pass
    try:
        import vl_convert  # noqa: PLC0415 - 30 MB that only a missing script needs
    except ImportError:
        return ""
    script: str = vl_convert.javascript_bundle(_SNIPPET)
    return script

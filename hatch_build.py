"""Writes what the package holds beside its sources: the JavaScript that draws charts.

Vega, Vega-Lite and vega-embed come as one script out of vl-convert, which `build-system.requires`
names. The script is made for wheels and for editable installs, and no commit holds it.
"""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SCRIPT: Final = "planrunner/report/vega/vega.js"
_SNIPPET: Final = "window.vegaEmbed = vegaEmbed;"


class VegaBuildHook(BuildHookInterface):  # type: ignore[type-arg] - of a builder's configuration
    """Add the script to the wheel, with the versions it was made of in its first line."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Write the script where the package looks for it, unless it is there already."""
        del version  # of the target: `standard` or `editable`
        path = Path(self.root) / SCRIPT
        text = _make_script()
        if text is None:
            # Distributors build without isolation; the charts then need the extra `charts`.
            self.app.display_warning("vl-convert-python is missing: reports will have no charts")
            return
        if not path.exists() or path.read_text("utf-8") != text:
            path.write_text(text, "utf-8", newline="\n")
        build_data["artifacts"].append(SCRIPT)


def _make_script() -> str | None:
    try:
        import vl_convert  # noqa: PLC0415 - a build without it goes on
    except ImportError:
        return None
    parts = (
        f"Vega {vl_convert.get_vega_version()}",
        f"Vega-Lite {vl_convert.get_vegalite_versions()[-1]}",
        f"vega-embed {vl_convert.get_vega_embed_version()}",
        f"out of vl-convert-python {version('vl-convert-python')}",
    )
    script: str = vl_convert.javascript_bundle(_SNIPPET)
    return (
        f"/*! {', '.join(parts)}; BSD-3-Clause, ISC, MIT: LICENSES.txt of planrunner */\n{script}"
    )

"""The colours of charts: those of the page's style sheet on a screen, fixed ones in pictures."""

from __future__ import annotations

from typing import Any, Final

from planrunner.values import dataclass

__all__ = ["PAPER", "SCREEN", "Palette", "config"]

_SCREEN_FONT: Final = 'system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif'
_PAPER_FONT: Final = '"Liberation Sans", Arial, Helvetica, sans-serif'
"""The first is part of vl-convert, and the others are as wide: texts fit wherever they are seen,
and the same run gives the same picture on every machine."""


@dataclass(frozen=True, slots=True)
class Palette:
    """Colours by what they are for; distinct for the colour-blind too (Okabe and Ito, darkened).

    Attributes:
        series: For lines and areas, in order.
        failures: For kinds of failure, the most frequent first.
    """

    ink: str
    soft: str
    line: str
    paper: str
    passed: str
    series: list[str]
    failures: list[str]
    font: str


SCREEN: Final = Palette(
    ink="var(--ink)",
    soft="var(--soft)",
    line="var(--line)",
    paper="transparent",
    passed="var(--pass)",
    series=[f"var(--c{n})" for n in range(1, 7)],
    failures=[f"var(--f{n})" for n in range(1, 7)],
    font=_SCREEN_FONT,
)
"""Of the style sheet, so that light, dark and print need no second drawing."""

PAPER: Final = Palette(
    ink="#1b2330",
    soft="#566073",
    line="#dde2ea",
    paper="#ffffff",
    passed="#12693a",
    series=["#2f6fdb", "#0b7d67", "#c97800", "#c2326b", "#7a4fd0", "#5c6b7f"],
    failures=["#b3261e", "#e0752d", "#8a3ffc", "#b08900", "#c2326b", "#5c6b7f"],
    font=_PAPER_FONT,
)


def config(palette: Palette) -> dict[str, Any]:
    """Return the Vega-Lite config that all charts share."""
    axis = {
        "labelColor": palette.soft,
        "titleColor": palette.soft,
        "gridColor": palette.line,
        "domainColor": palette.line,
        "tickColor": palette.line,
        "labelFontSize": 11,
        "titleFontSize": 11,
        "titleFontWeight": 600,
        "labelFlush": False,
        "tickCount": 6,
    }
    return {
        "font": palette.font,
        "background": palette.paper,
        "view": {"stroke": None},
        "axis": axis,
        "axisY": {"domain": False, "ticks": False, "labelPadding": 6},
        "title": {"color": palette.ink, "fontSize": 14, "offset": 12},
        "legend": {
            "labelColor": palette.ink,
            "orient": "top",
            "direction": "horizontal",
            "symbolType": "circle",
            "labelFontSize": 11,
            "offset": 8,
        },
        "text": {"color": palette.ink},
    }

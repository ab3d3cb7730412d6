"""The colours of charts: those of the page's style sheet on a screen, fixed ones in pictures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
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
        draws_legends: Charts have legends of their own; those of a page are buttons beside them.
    """

    ink: str
    soft: str
    line: str
    paper: str
    passed: str
    series: list[str]
    failures: list[str]
    font: str
    draws_legends: bool = True

    @property
    def percentiles(self) -> list[str]:
        """Of p50, p95 and p99: the middle is calm, the tail stands out."""
        return [self.series[0], self.series[2], self.failures[0]]

    @property
    def slots(self) -> list[str]:
        """For lines of requests, as different as eight can be."""
        series, failures = self.series, self.failures
        return [*series[:5], failures[3], failures[0], series[5]]

    def of_outcomes(self, outcomes: Iterable[str]) -> list[str]:
        """Return a colour for each status by its first digit, and for each failure kind."""
        other = [self.failures[2], self.series[5], self.series[0], self.failures[4]]
        classes = {
            "2": [self.passed, self.series[1], self.series[0]],
            "3": [self.series[0], self.series[4]],
            "4": [self.series[2], self.failures[3], self.failures[1]],
            "5": [self.failures[0], self.series[3], self.failures[1]],
            "OK": [self.passed],
        }
        taken: Counter[str] = Counter()
        colors = []
        for outcome in outcomes:
            key = next((key for key in classes if outcome.startswith(key)), "")
            choice = classes.get(key, other)
            colors.append(choice[taken[key] % len(choice)])
            taken[key] += 1
        return colors


SCREEN: Final = Palette(
    ink="var(--ink)",
    soft="var(--soft)",
    line="var(--line)",
    paper="transparent",
    passed="var(--pass)",
    series=[f"var(--c{n})" for n in range(1, 7)],
    failures=[f"var(--f{n})" for n in range(1, 7)],
    font=_SCREEN_FONT,
    draws_legends=False,
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

"""The Vega-Lite specs of charts whose axis is the load: latency against it, levels of a search."""

from __future__ import annotations

from planrunner.report.charts.chart_specs import (
    AMOUNT_LABEL,
    MS,
    MS_LABEL,
    WHOLE_LABEL,
    Rows,
    Spec,
    view,
)
from planrunner.report.charts.palette import Palette

__all__ = ["scaling_spec", "search_spec"]


def scaling_spec(palette: Palette, points: Rows, *, by_rate: bool) -> Spec:
    """Return the spec of p95 against users, or against requests a second."""
    field, title = ("rps", "requests/s") if by_rate else ("users", "users")
    return view(
        {
            "data": {"name": "points"},
            "transform": [{"calculate": MS.format("datum.p95"), "as": "shown"}],
            "mark": {"type": "point", "filled": True, "size": 42, "opacity": 0.6},
            "encoding": {
                "x": {
                    "field": field,
                    "type": "quantitative",
                    "title": title,
                    "axis": {"labelExpr": WHOLE_LABEL, "grid": False, "tickMinStep": 1},
                },
                "y": {
                    "field": "p95",
                    "type": "quantitative",
                    "title": "p95",
                    "axis": {"labelExpr": MS_LABEL},
                },
                "color": {
                    "field": "phase",
                    "type": "nominal",
                    "title": None,
                    "sort": None,
                    "scale": {"range": palette.series},
                    "legend": {"columns": 4} if len({row["phase"] for row in points}) > 1 else None,
                },
                "tooltip": [
                    {"field": "t", "type": "quantitative", "title": "second"},
                    {"field": field, "type": "quantitative", "title": title, "format": ",.1f"},
                    {"field": "shown", "type": "nominal", "title": "p95"},
                ],
            },
        }
    )


def search_spec(palette: Palette, vary: str) -> Spec:
    """Return the spec of p95 at each level that a search tried."""
    outcomes = ["held", "broke"]
    x = {
        "field": "level",
        "type": "quantitative",
        "title": "users" if vary == "users" else "arrivals/s",
        "axis": {"labelExpr": AMOUNT_LABEL, "grid": False},
    }
    y = {
        "field": "p95",
        "type": "quantitative",
        "title": "p95",
        "axis": {"labelExpr": MS_LABEL},
    }
    outcome = {"field": "outcome", "type": "nominal", "title": None}
    return view(
        {
            "data": {"name": "steps"},
            "mark": {"type": "line", "color": palette.soft, "strokeWidth": 1, "opacity": 0.6},
            "encoding": {"x": x, "y": y},
        },
        {
            "data": {"name": "steps"},
            "transform": [{"calculate": MS.format("datum.p95"), "as": "shown"}],
            "mark": {"type": "point", "filled": True, "size": 90, "opacity": 1},
            "encoding": {
                "x": x,
                "y": y,
                "color": {
                    **outcome,
                    "scale": {"domain": outcomes, "range": [palette.passed, palette.failures[0]]},
                },
                "shape": {
                    **outcome,
                    "scale": {"domain": outcomes, "range": ["circle", "triangle-down"]},
                },
                "tooltip": [
                    {"field": "level", "type": "quantitative", "title": x["title"]},
                    {"field": "shown", "type": "nominal", "title": "p95"},
                    {"field": "outcome", "type": "nominal"},
                    {"field": "reason", "type": "nominal"},
                ],
            },
        },
    )

"""The Vega-Lite specs of charts whose axis is the load: latency against it, levels of a search."""

from __future__ import annotations

from collections.abc import Sequence

from planrunner.report.charts.chart import ChartEntry, Spec
from planrunner.report.charts.chart_specs import AMOUNT_LABEL, MS, MS_LABEL, WHOLE_LABEL, view
from planrunner.report.charts.palette import Palette

__all__ = ["scaling_spec", "search_spec"]


def scaling_spec(palette: Palette, entries: Sequence[ChartEntry], *, by_rate: bool) -> Spec:
    """Return the spec of percentiles against users, or against requests a second."""
    title = "requests/s" if by_rate else "users"
    color = {
        "field": "series",
        "type": "nominal",
        "title": None,
        "scale": {
            "domain": [entry.series for entry in entries],
            "range": [entry.color for entry in entries],
        },
        "legend": {"symbolType": "stroke", "symbolStrokeWidth": 3}
        if palette.draws_legends
        else None,
    }
    return view(
        {
            "data": {"name": "levels"},
            "transform": [
                {"filter": "indexof(hidden, datum.series) < 0"},
                {"calculate": MS.format("datum.v"), "as": "shown"},
            ],
            "mark": {"type": "line", "strokeWidth": 1.6, "point": {"size": 30}},
            "encoding": {
                "x": {
                    "field": "load",
                    "type": "quantitative",
                    "title": title,
                    "axis": {"labelExpr": WHOLE_LABEL, "grid": False, "tickMinStep": 1},
                },
                "y": {
                    "field": "v",
                    "type": "quantitative",
                    "title": None,
                    "axis": {"labelExpr": MS_LABEL},
                },
                "color": color,
                "tooltip": [
                    {"field": "load", "type": "quantitative", "title": title, "format": ",.4~g"},
                    {"field": "series", "type": "nominal", "title": "percentile"},
                    {"field": "shown", "type": "nominal", "title": "median"},
                    {"field": "seconds", "type": "quantitative", "title": "of seconds"},
                ],
            },
        },
        params=[{"name": "hidden", "value": []}],
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

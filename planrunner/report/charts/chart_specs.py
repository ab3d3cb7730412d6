"""The Vega-Lite spec of each chart, without data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from planrunner.report.charts.chart_data import ticks_of
from planrunner.report.charts.palette import Palette

__all__ = [
    "AMOUNT_LABEL",
    "MS",
    "MS_LABEL",
    "TIME",
    "WHOLE_LABEL",
    "distribution_spec",
    "failures_spec",
    "latency_spec",
    "load_spec",
    "tracks_spec",
    "view",
]

Spec = dict[str, Any]
Rows = Sequence[Mapping[str, object]]

_HEIGHT: Final = 220
_ROW_HEIGHT: Final = 22

# Seconds between ticks, as clocks have them; each up to so many times.
_TIME_STEPS: Final = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21_600)
_MOST_TICKS: Final = 8


def _time_ticks() -> str:
    """Return the expression of the seconds that an axis of time names."""
    begin, end = "domain('x')[0]", "domain('x')[1]"
    step = "86400"
    for seconds in reversed(_TIME_STEPS):
        step = f"{end}-{begin}<={seconds * _MOST_TICKS}?{seconds}:{step}"
    return f"sequence(ceil({begin}/({step}))*({step}),{end}+.5,{step})"


_FROM_START: Final = {"zero": True, "nice": False}
TIME: Final = {
    "field": "t",
    "type": "quantitative",
    "title": None,
    "axis": {
        "labelExpr": "floor(datum.value/60)+':'+(datum.value%60<10?'0':'')+datum.value%60",
        "values": {"expr": _time_ticks()},
        "grid": False,
    },
    "scale": _FROM_START,
}
_LINES: Final = {"symbolType": "stroke", "symbolStrokeWidth": 3}
# Milliseconds in, and the unit that people would say out.
MS: Final = (
    "{0}>=1000?format({0}/1000,'~r')+' s':{0}>=1||{0}==0?format({0},'~r')+' ms'"
    ":format({0}*1000,'~r')+' us'"
)
MS_LABEL: Final = MS.format("datum.value")
AMOUNT_LABEL: Final = "format(datum.value,abs(datum.value)<1?'~r':'~s')"
WHOLE_LABEL: Final = "datum.value%1?'':format(datum.value,'~s')"


def view(*layers: Spec, **more: object) -> Spec:
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
        "height": _HEIGHT,
        "layer": list(layers),
        **more,
    }


def _bands(palette: Palette, bands: Rows) -> Iterator[Spec]:
    """Yield what shades warm-ups and names phases."""
    # A layer without data would have a scale without extent, of which Vega complains.
    if any(band["warmup"] for band in bands):
        inside = {"x": {**TIME, "field": "from"}, "x2": {"field": "to"}}
        yield {
            "data": {"name": "bands"},
            "transform": [{"filter": "datum.warmup"}],
            "mark": {"type": "rect", "color": palette.soft, "opacity": 0.12},
            "encoding": {**inside, "tooltip": {"value": "warm-up: left out of every figure"}},
        }
    if any(band["label"] for band in bands):
        yield {
            "data": {"name": "bands"},
            "transform": [{"filter": "datum.label"}],
            "mark": {"type": "text", "align": "left", "baseline": "top", "dx": 4, "dy": 2}
            | {"fontSize": 10, "color": palette.soft},
            "encoding": {
                "x": {**TIME, "field": "from"},
                "y": {"value": 0},
                "text": {"field": "label", "type": "nominal"},
            },
        }


def load_spec(palette: Palette, bands: Rows, *, dots: bool, users: bool) -> Spec:
    """Return the spec of requests a second, and of users where their number is known."""
    total = [
        {
            "aggregate": [
                {"op": "sum", "field": "rps", "as": "rps"},
                {"op": "max", "field": "users", "as": "users"},
            ],
            "groupby": ["t"],
        }
    ]
    tooltip = [
        {"field": "t", "type": "quantitative", "title": "second"},
        {"field": "rps", "type": "quantitative", "title": "requests/s", "format": ",.1f"},
        {"field": "users", "type": "quantitative", "title": "users", "format": ","},
    ]
    rate = palette.series[0]
    layers: list[Spec] = [
        {
            "layer": [
                *_bands(palette, bands),
                {
                    "data": {"name": "points"},
                    "transform": total,
                    "mark": {
                        "type": "area",
                        "color": rate,
                        "opacity": 0.25,
                        "line": {"color": rate, "strokeWidth": 1.5},
                        "point": {"color": rate, "size": 14} if dots else False,
                    },
                    "encoding": {
                        "x": TIME,
                        "y": {
                            "field": "rps",
                            "type": "quantitative",
                            "title": "requests/s",
                            "axis": {"titleColor": rate, "labelExpr": AMOUNT_LABEL},
                        },
                        "tooltip": tooltip,
                    },
                },
            ]
        }
    ]
    if users:
        layers.append(_users(palette, total, tooltip))
    return view(*layers, resolve={"scale": {"y": "independent"}})


def _users(palette: Palette, total: list[Spec], tooltip: list[Spec]) -> Spec:
    color = palette.series[1]
    return {
        "data": {"name": "points"},
        "transform": total,
        "mark": {
            "type": "line",
            "color": color,
            "strokeWidth": 1.8,
            "interpolate": "step-before",
        },
        "encoding": {
            "x": TIME,
            "y": {
                "field": "users",
                "type": "quantitative",
                "title": "users",
                "axis": {
                    "titleColor": color,
                    "grid": False,
                    "labelExpr": WHOLE_LABEL,
                    "tickMinStep": 1,
                },
            },
            "tooltip": tooltip,
        },
    }


def latency_spec(palette: Palette, bands: Rows, *, dots: bool) -> Spec:
    names = ["p50", "p95", "p99"]
    # The middle is calm, the tail stands out.
    colors = [palette.series[0], palette.series[2], palette.failures[0]]
    return view(
        *_bands(palette, bands),
        {
            "data": {"name": "points"},
            "transform": [
                {"filter": "datum.p50 > 0"},
                {"fold": names, "as": ["percentile", "ms"]},
                {"calculate": MS.format("datum.ms"), "as": "shown"},
            ],
            "mark": {
                "type": "line",
                "strokeWidth": 1.6,
                "point": {"size": 14} if dots else False,
            },
            "encoding": {
                "x": TIME,
                "y": {
                    "field": "ms",
                    "type": "quantitative",
                    "title": None,
                    "axis": {"labelExpr": MS_LABEL},
                },
                "color": {
                    "field": "percentile",
                    "type": "nominal",
                    "title": None,
                    "scale": {"domain": names, "range": colors},
                    "legend": _LINES,
                },
                "detail": {"field": "phase", "type": "nominal"},
                "tooltip": [
                    {"field": "t", "type": "quantitative", "title": "second"},
                    {"field": "percentile", "type": "nominal"},
                    {"field": "shown", "type": "nominal", "title": "latency"},
                ],
            },
        },
    )


def distribution_spec(palette: Palette, rows: Rows) -> Spec:
    scale = {"type": "log", "nice": False}
    name = {
        "field": "name",
        "type": "nominal",
        "title": None,
        "sort": None,
        "axis": {"labelLimit": 260, "grid": False, "ticks": False, "domain": False},
    }
    bin_axis = {
        "field": "from",
        "type": "quantitative",
        "title": None,
        "scale": scale,
        "axis": {"labelExpr": MS_LABEL, "grid": False, "values": ticks_of(rows)},
    }
    requests = len({row["name"] for row in rows})
    marks = [
        {
            "transform": [{"filter": f"datum.mark == '{mark}'"}],
            "mark": {
                "type": "tick",
                "color": color,
                "thickness": 2.5,
                "size": _ROW_HEIGHT - 5,
                "opacity": 1,
            },
            "encoding": {
                "x": {**bin_axis, "field": "at"},
                "y": name,
                "tooltip": [
                    {"field": "name", "type": "nominal", "title": "request"},
                    {"field": "mark", "type": "nominal", "title": "percentile"},
                    {"field": "shown", "type": "nominal", "title": "latency"},
                ],
            },
        }
        for mark, color in (("p50", palette.ink), ("p95", palette.series[2]))
    ]
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
        "height": _ROW_HEIGHT * max(requests, 2),
        "data": {"name": "cells"},
        "layer": [
            {
                "transform": [{"filter": "datum.share"}],
                "mark": {"type": "rect", "color": palette.series[0]},
                "encoding": {
                    "x": bin_axis,
                    "x2": {"field": "to"},
                    "y": name,
                    "opacity": {
                        "field": "weight",
                        "type": "quantitative",
                        "legend": None,
                        "scale": {"domain": [0, 1], "range": [0.06, 0.85]},
                    },
                    "tooltip": [
                        {"field": "name", "type": "nominal", "title": "request"},
                        {"field": "shown", "type": "nominal", "title": "latency"},
                        {"field": "share", "type": "quantitative", "format": ".2%"},
                    ],
                },
            },
            *marks,
        ],
    }


def failures_spec(palette: Palette, bands: Rows, *, end: int) -> Spec:
    """Return the spec of failures by kind, up to the second that a run ended."""
    return view(
        *_bands(palette, bands),
        {
            "data": {"name": "failures"},
            "mark": {"type": "rect"},
            "encoding": {
                "x": {**TIME, "field": "from", "scale": {**_FROM_START, "domainMax": end}},
                "x2": {"field": "to"},
                "y": {
                    "field": "high",
                    "type": "quantitative",
                    "title": "failed",
                    "scale": {"zero": True},
                    "axis": {"labelExpr": WHOLE_LABEL, "tickMinStep": 1},
                },
                "y2": {"field": "low"},
                "color": {
                    "field": "kind",
                    "type": "nominal",
                    "title": None,
                    "scale": {"range": palette.failures},
                },
                "tooltip": [
                    {"field": "to", "type": "quantitative", "title": "second"},
                    {"field": "kind", "type": "nominal"},
                    {"field": "count", "type": "quantitative", "format": ","},
                ],
            },
        },
    )


def tracks_spec(palette: Palette, unit: str) -> Spec:
    axis: dict[str, object] = {"labelExpr": AMOUNT_LABEL}
    if unit == "percent":
        axis = {"format": ".2~%"}
    elif unit == "bytes":
        axis = {"labelExpr": "format(datum.value, '~s') + 'B'"}
    elif unit == "bytes a second":
        axis = {"labelExpr": "format(datum.value, '~s') + 'B/s'"}
    elif unit == "ms":
        axis = {"labelExpr": MS_LABEL}
    return view(
        {
            "data": {"name": "tracks"},
            "mark": {"type": "line", "strokeWidth": 1.6},
            "encoding": {
                "x": TIME,
                "y": {"field": "value", "type": "quantitative", "title": None, "axis": axis},
                "color": {
                    "field": "name",
                    "type": "nominal",
                    "title": None,
                    "scale": {"range": palette.series},
                    "legend": _LINES,
                },
                "tooltip": [
                    {"field": "t", "type": "quantitative", "title": "second"},
                    {"field": "name", "type": "nominal"},
                    {"field": "value", "type": "quantitative", "format": ".4~g"},
                ],
            },
        }
    )

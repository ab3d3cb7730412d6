"""What the Vega-Lite specs of charts share, and that of latencies by request."""

from __future__ import annotations

from typing import Final

from planrunner.report.charts.chart import Rows, Spec
from planrunner.report.charts.chart_data import log_axis
from planrunner.report.charts.palette import Palette

__all__ = [
    "AMOUNT_LABEL",
    "MS",
    "MS_LABEL",
    "TIME",
    "WHOLE_LABEL",
    "distribution_spec",
    "view",
]

_HEIGHT: Final = 220
_ROW_HEIGHT: Final = 22
_EDGES: Final = ("from", "to", "at")

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


TIME: Final = {
    "field": "t",
    "type": "quantitative",
    "title": None,
    "axis": {
        "labelExpr": "floor(datum.value/60)+':'+(datum.value%60<10?'0':'')+datum.value%60",
        "values": {"expr": _time_ticks()},
        "grid": False,
    },
    "scale": {"zero": True, "nice": False},
}
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


def distribution_spec(palette: Palette, rows: Rows) -> Spec:
    ends, ticks = log_axis(float(str(row[key])) for row in rows for key in _EDGES if key in row)
    scale = {"type": "log", "nice": False, "domain": ends}
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
        "axis": {"labelExpr": MS_LABEL, "grid": False, "values": ticks},
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

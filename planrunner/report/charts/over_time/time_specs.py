"""The Vega-Lite specs of charts over time: they share an axis, marks of phases, limits, windows.

Each reads rows of `t`, `series` and `v` from `points`. The page sets its params: `hidden` series,
the `request` that limits and windows are of, and how far the values `reach`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Final

from planrunner.report.charts.chart import ChartEntry, Rows, Spec
from planrunner.report.charts.chart_specs import (
    AMOUNT_LABEL,
    MS_LABEL,
    TIME,
    WHOLE_LABEL,
    view,
)
from planrunner.report.charts.palette import Palette
from planrunner.values import dataclass

__all__ = ["Backdrop", "lines_spec", "load_spec", "stacks_spec"]

_SHOWN: Final = {"filter": "indexof(hidden, datum.series) < 0"}
_FAR: Final = 2.0
"""A limit this many times beyond what was measured would flatten everything else."""

_ANY_LABEL: Final = (
    f"unit === 'ms' ? {MS_LABEL} : unit === 'percent' ? format(datum.value, '.2~%') "
    f": {AMOUNT_LABEL}"
)

_AXES: Final[dict[str, Spec]] = {
    "ms": {"labelExpr": MS_LABEL},
    "percent": {"format": ".2~%"},
    "bytes": {"labelExpr": "format(datum.value, '~s') + 'B'"},
    "bytes a second": {"labelExpr": "format(datum.value, '~s') + 'B/s'"},
    "whole": {"labelExpr": WHOLE_LABEL, "tickMinStep": 1},
}


@dataclass(frozen=True, slots=True)
class Backdrop:
    """What is drawn behind the values of a chart.

    Attributes:
        end: The second that all charts of a run end with.
        reach: The greatest value.
    """

    bands: Rows
    limits: Rows = ()
    windows: Rows = ()
    end: float = 1
    reach: float = 0


def lines_spec(
    palette: Palette,
    entries: Sequence[ChartEntry],
    backdrop: Backdrop,
    *,
    unit: str,
    dots: bool = False,
    is_open: bool = False,
) -> Spec:
    """Return the spec of a line for each series, and for each phase of it.

    Args:
        palette: The colours.
        entries: The series.
        backdrop: What is drawn behind them.
        unit: Of the values.
        dots: Mark each point.
        is_open: The page may draw other series; its rows then have a `color`.
    """
    color, axis = _color(entries, palette), _axis(unit)
    if is_open:
        axis = {"labelExpr": _ANY_LABEL}
        if not palette.draws_legends:
            color = {"field": "color", "type": "nominal", "scale": None}
    line = {
        "type": "line",
        "strokeWidth": 1.6,
        "point": {"size": 14} if dots else False,
    }
    return _over_time(
        palette,
        backdrop,
        {
            "data": {"name": "points"},
            "transform": [_SHOWN],
            "mark": line,
            "encoding": {
                "x": _time(backdrop),
                "y": {"field": "v", "type": "quantitative", "title": None, "axis": axis},
                "color": color,
                "strokeDash": _dash(entries),
                "detail": {"field": "phase", "type": "nominal"},
            },
        },
    )


def stacks_spec(
    palette: Palette, entries: Sequence[ChartEntry], backdrop: Backdrop, *, title: str, unit: str
) -> Spec:
    """Return the spec of boxes from `from` to `t`: the series of an interval on each other."""
    boxes = [entry for entry in entries if not entry.is_dashed]
    order = json.dumps([entry.series for entry in boxes])
    return _over_time(
        palette,
        backdrop,
        {
            "data": {"name": "points"},
            "transform": [
                _SHOWN,
                {"calculate": f"indexof({order}, datum.series)", "as": "order"},
                {"filter": "datum.order >= 0"},
                {
                    "stack": "v",
                    "groupby": ["t"],
                    "sort": [{"field": "order"}],
                    "as": ["low", "high"],
                },
            ],
            "mark": {"type": "rect", "x2Offset": 0.6},  # no gaps between many
            "encoding": {
                "x": {**_time(backdrop), "field": "from"},
                "x2": {"field": "t"},
                "y": {
                    "field": "high",
                    "type": "quantitative",
                    "title": title,
                    "scale": {"zero": True},
                    "axis": _axis(unit),
                },
                "y2": {"field": "low"},
                "color": _color(entries, palette, symbol="square"),
            },
        },
        *(_step(entry, backdrop) for entry in entries if entry.is_dashed),
    )


def _step(entry: ChartEntry, backdrop: Backdrop) -> Spec:
    """Return what draws a limit that is another one in each interval."""
    return {
        "data": {"name": "points"},
        "transform": [_SHOWN, {"filter": {"field": "series", "equal": entry.series}}],
        "mark": {"type": "line", "color": entry.color, "strokeWidth": 1.2}
        | {"interpolate": "step-before", "strokeDash": [2, 3]},
        "encoding": {"x": _time(backdrop), "y": {"field": "v", "type": "quantitative"}},
    }


def load_spec(
    palette: Palette, entries: Sequence[ChartEntry], backdrop: Backdrop, *, dots: bool
) -> Spec:
    """Return the spec of requests a second, and of users on an axis of their own.

    Args:
        palette: The colours.
        entries: Rates first; users last, if their number is known.
        backdrop: What is drawn behind them.
        dots: Mark each point.
    """
    rate = entries[0]
    has_users = entries[-1].unit == "users"
    y = {
        "field": "v",
        "type": "quantitative",
        "title": "requests/s",
        "axis": {"titleColor": rate.color, "labelExpr": AMOUNT_LABEL},
    }
    source = {"data": {"name": "points"}}
    x = _time(backdrop)
    layers: list[Spec] = [
        {
            "layer": [
                *_behind(palette, backdrop),
                {
                    **source,
                    "transform": [_SHOWN, {"filter": {"field": "series", "equal": rate.series}}],
                    "mark": {
                        "type": "area",
                        "color": rate.color,
                        "opacity": 0.25,
                        "line": {"color": rate.color, "strokeWidth": 1.5},
                        "point": {"color": rate.color, "size": 14} if dots else False,
                    },
                    "encoding": {"x": x, "y": y},
                },
                *(
                    {
                        **source,
                        "transform": [_SHOWN, {"filter": {"field": "series", "equal": one.series}}],
                        "mark": {"type": "line", "strokeWidth": 1.4}
                        | {"color": one.color, "strokeDash": [5, 3]},
                        "encoding": {"x": x, "y": y},
                    }
                    for one in entries[1:]
                    if one.is_dashed
                ),
            ]
        }
    ]
    if has_users:
        layers.append({**source, **_users(entries[-1], x)})
    return view(*layers, params=_params(backdrop), resolve={"scale": {"y": "independent"}})


def _users(entry: ChartEntry, x: Spec) -> Spec:
    axis = {"titleColor": entry.color, "grid": False, "labelExpr": WHOLE_LABEL, "tickMinStep": 1}
    return {
        "transform": [_SHOWN, {"filter": {"field": "series", "equal": entry.series}}],
        "mark": {"type": "line", "color": entry.color, "strokeWidth": 1.8}
        | {"interpolate": "step-before"},
        "encoding": {
            "x": x,
            "y": {"field": "v", "type": "quantitative", "title": "users", "axis": axis}
            | {"scale": {"zero": True}},
        },
    }


def _over_time(palette: Palette, backdrop: Backdrop, *layers: Spec) -> Spec:
    return view(*_behind(palette, backdrop), *layers, params=_params(backdrop))


def _params(backdrop: Backdrop) -> list[Spec]:
    return [
        {"name": "hidden", "value": []},
        {"name": "request", "value": ""},
        {"name": "reach", "value": backdrop.reach},
        {"name": "unit", "value": "ms"},
    ]


def _time(backdrop: Backdrop) -> Spec:
    return {**TIME, "scale": {"domain": [0, backdrop.end], "nice": False}}


def _axis(unit: str) -> Spec:
    return _AXES.get(unit, {"labelExpr": AMOUNT_LABEL})


def _color(entries: Sequence[ChartEntry], palette: Palette, *, symbol: str = "stroke") -> Spec:
    return {
        "field": "series",
        "type": "nominal",
        "title": None,
        "scale": {
            "domain": [entry.series for entry in entries],
            "range": [entry.color for entry in entries],
        },
        "legend": {"symbolType": symbol, "symbolStrokeWidth": 3, "columns": 3}
        if palette.draws_legends
        else None,
    }


def _dash(entries: Sequence[ChartEntry]) -> Spec:
    return {
        "field": "series",
        "type": "nominal",
        "scale": {
            "domain": [entry.series for entry in entries],
            "range": [[5, 3] if entry.is_dashed else [1, 0] for entry in entries],
        },
        "legend": None,
    }


def _behind(palette: Palette, backdrop: Backdrop) -> Iterator[Spec]:
    """Yield what shades warm-ups and worst windows, names phases, and draws limits."""
    # A layer without data would have a scale without extent, of which Vega complains.
    x = _time(backdrop)
    if any(band["warmup"] for band in backdrop.bands):
        yield {
            "data": {"name": "bands"},
            "transform": [{"filter": "datum.warmup"}],
            "mark": {"type": "rect", "color": palette.soft, "opacity": 0.12},
            "encoding": {"x": {**x, "field": "from"}, "x2": {"field": "to"}}
            | {"tooltip": {"value": "warm-up: left out of every figure"}},
        }
    if any(band["label"] for band in backdrop.bands):
        yield {
            "data": {"name": "bands"},
            "transform": [{"filter": "datum.label"}],
            "mark": _text(palette.soft, dy=2),
            "encoding": {
                "x": {**x, "field": "from"},
                "y": {"value": 0},
                "text": {"field": "label", "type": "nominal"},
            },
        }
    if backdrop.windows:
        yield from _windows(palette, x, backdrop.end)
    if backdrop.limits:
        yield from _limits(palette, x)


def _windows(palette: Palette, x: Spec, end: float) -> Iterator[Spec]:
    shown = {"filter": "request === '' || datum.request === request"}
    color = {"condition": {"test": "datum.broken", "value": palette.failures[0]}} | {
        "value": palette.soft
    }
    yield {
        "data": {"name": "windows"},
        "transform": [shown],
        "mark": {"type": "rect", "opacity": 0.13},
        "encoding": {
            "x": {**x, "field": "from"},
            "x2": {"field": "to"},
            "color": color,
            "tooltip": {"field": "words", "type": "nominal"},
        },
    }
    yield {
        "data": {"name": "windows"},
        # What stands in the right half ends where the window does, or it would leave the chart.
        "transform": [
            shown,
            {"calculate": f"datum.from + datum.to > {end}", "as": "late"},
            {"calculate": "datum.late ? datum.to : datum.from", "as": "at"},
        ],
        "mark": {
            **_text(palette.soft, dy=0),
            "align": {"expr": "datum.late ? 'right' : 'left'"},
            "dx": {"expr": "datum.late ? -4 : 4"},
            "dy": {"expr": "14 + 12 * datum.line"},
        },
        "encoding": {
            "x": {**x, "field": "at"},
            "y": {"value": 0},
            "text": {"field": "label", "type": "nominal"},
            "color": color,
        },
    }


def _limits(palette: Palette, x: Spec) -> Iterator[Spec]:
    near = [{"filter": f"datum.request === request && (reach <= 0 || datum.v <= {_FAR} * reach)"}]
    color = {"condition": {"test": "datum.level === 'fail'", "value": palette.failures[0]}} | {
        "value": palette.series[2]
    }
    y = {"field": "v", "type": "quantitative"}
    yield {
        "data": {"name": "limits"},
        "transform": near,
        "mark": {"type": "rule", "strokeWidth": 1.2, "strokeDash": [2, 3]},
        "encoding": {
            "x": {**x, "field": "from"},
            "x2": {"field": "to"},
            "y": y,
            "color": color,
            "tooltip": {"field": "words", "type": "nominal"},
        },
    }
    yield {
        "data": {"name": "limits"},
        "transform": near,
        "mark": {
            **_text(palette.soft, dy=0),
            "align": "right",
            "dx": -2,
            "dy": {"expr": "datum.v > 0.85 * reach ? 3 : -1"},
            # Above its line, unless that is where the chart ends.
            "baseline": {"expr": "datum.v > 0.85 * reach ? 'line-top' : 'line-bottom'"},
        },
        "encoding": {
            "x": {**x, "field": "to"},
            "y": y,
            "text": {"field": "label", "type": "nominal"},
            "color": color,
        },
    }


def _text(color: str, *, dy: int) -> Spec:
    return {"type": "text", "align": "left", "baseline": "top", "dx": 4, "dy": dy} | {
        "fontSize": 10,
        "color": color,
    }

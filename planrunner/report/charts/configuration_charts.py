"""Charts of configurations: a dot for each in a figure, with the interval around it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from planrunner.report.changes import figure_amount, figure_interval
from planrunner.report.charts.chart import Chart, ChartPlace, Rows, Spec
from planrunner.report.charts.chart_specs import AMOUNT_LABEL, MS_LABEL
from planrunner.report.charts.palette import Palette
from planrunner.report.plain import plain, shorten
from planrunner.results.configurations.model import ConfigurationFigure, ConfigurationTable
from planrunner.values import dataclass

__all__ = ["configuration_charts"]

_ROW_HEIGHT: Final = 26
_HEIGHT: Final = 180
_LONGEST_NAME: Final = 40
_MOST: Final = 30
"""Rows of a chart that a person still reads."""


@dataclass(frozen=True, slots=True)
class _DottedFigure:
    """A figure that has a chart.

    Attributes:
        scale: How many of the chart's units a base unit has.
    """

    figure: str
    title: str
    label: str
    scale: float


_DOTTED: Final = (
    _DottedFigure("throughput", "Requests per second", AMOUNT_LABEL, 1),
    _DottedFigure("work_rate", "Work per second", AMOUNT_LABEL, 1),
    _DottedFigure("p50", "Median", MS_LABEL, 1000),
    _DottedFigure("typical_p50", "p50 of a typical second", MS_LABEL, 1000),
    _DottedFigure("typical_p95", "p95 of a typical second", MS_LABEL, 1000),
    _DottedFigure("error_rate", "Failed requests", "format(datum.value,'~r')+' %'", 100),
    _DottedFigure("checks", "Expectations that held", "format(datum.value,'~r')+' %'", 100),
)


def configuration_charts(
    table: ConfigurationTable, palette: Palette, *, group: str = ""
) -> list[Chart]:
    """Return a chart of each figure of all requests together that is not zero everywhere.

    Args:
        table: The configurations.
        palette: The colours.
        group: Sets the charts of one table apart from those of another on the same page.
    """
    found = {one.figure: one for one in table.figures if not one.request}
    return [
        _chart(dotted, found[dotted.figure], table, palette, group)
        for dotted in _DOTTED
        if dotted.figure in found and any(found[dotted.figure].values)
    ]


def _chart(
    dotted: _DottedFigure,
    figure: ConfigurationFigure,
    table: ConfigurationTable,
    palette: Palette,
    group: str,
) -> Chart:
    rows = list(_rows(dotted, figure, table))
    identity = f"dots-{dotted.figure}{group}"
    words = _words(figure, table)
    return Chart(
        identity,
        dotted.title,
        words,
        _spec(dotted, palette, rows),
        {"dots": rows},
        place=ChartPlace.CONFIGURATIONS,
        group=group,
    )


def _rows(
    dotted: _DottedFigure, figure: ConfigurationFigure, table: ConfigurationTable
) -> Iterator[dict[str, object]]:
    for place, one in enumerate(table.configurations[:_MOST]):
        value, low, high = figure.values[place], figure.low[place], figure.high[place]
        yield {
            "name": shorten(plain(one.name), _LONGEST_NAME),
            "v": _scaled(value, dotted),
            "low": _scaled(value if low is None else low, dotted),
            "high": _scaled(value if high is None else high, dotted),
            "mark": "best" if figure.best == place else "other",
            "shown": figure_amount(figure.figure, value),
            "interval": figure_interval(figure.figure, low, high) or "none",
        }


def _scaled(value: float, dotted: _DottedFigure) -> float:
    return float(f"{value * dotted.scale:.5g}")


def _words(figure: ConfigurationFigure, table: ConfigurationTable) -> str:
    """Return which is the best, or why none is."""
    lines = "The lines are intervals of 95 %."
    if table.differences:
        return f"None is called best, as the load differs. {lines}"
    if not figure.leading:
        return "The runs are too short to say which is best."
    if figure.best is not None:
        name = plain(table.configurations[figure.best].name)
        amount = figure_amount(figure.figure, figure.values[figure.best])
        return f"Best: {name} with {amount}. {lines}"
    if figure.is_same and len(figure.leading) == len(figure.values):
        return f"All are the same within the tolerance. {lines}"
    names = ", ".join(map(plain, table.named(figure.leading)))
    return f"No best: {names} can't be distinguished. {lines}"


def _spec(dotted: _DottedFigure, palette: Palette, rows: Rows) -> Spec:
    y = {
        "field": "name",
        "type": "nominal",
        "title": None,
        "sort": None,
        "axis": {"labelLimit": 180, "grid": False, "ticks": False, "domain": False},
    }
    x = {
        "field": "v",
        "type": "quantitative",
        "title": None,
        "axis": {"labelExpr": dotted.label},
        "scale": {"zero": True},
    }
    marks = ["best", "other"]
    mark = {"field": "mark", "type": "nominal", "legend": None}
    color = {**mark, "scale": {"domain": marks, "range": [palette.passed, palette.series[0]]}}
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
        "height": max(_ROW_HEIGHT * len(rows), _HEIGHT),
        "data": {"name": "dots"},
        "layer": [
            {
                "mark": {"type": "rule", "strokeWidth": 2},
                "encoding": {
                    "x": {**x, "field": "low"},
                    "x2": {"field": "high"},
                    "y": y,
                    "color": color,
                },
            },
            {
                "mark": {"type": "point", "filled": True, "size": 80, "opacity": 1},
                "encoding": {
                    "x": x,
                    "y": y,
                    "color": color,
                    "shape": {**mark, "scale": {"domain": marks, "range": ["diamond", "circle"]}},
                    "tooltip": [
                        {"field": "name", "type": "nominal", "title": "configuration"},
                        {"field": "shown", "type": "nominal", "title": dotted.title},
                        {"field": "interval", "type": "nominal", "title": "95 % interval"},
                    ],
                },
            },
        ],
    }

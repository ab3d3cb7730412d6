"""Charts of a matrix over sizes: time, and work a second, against size, both on log scales."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Final

from planrunner.report.charts.chart import Chart, ChartEntry, ChartPlace, Rows, Spec
from planrunner.report.charts.chart_data import log_axis
from planrunner.report.charts.chart_specs import AMOUNT_LABEL, MS, MS_LABEL, view
from planrunner.report.charts.palette import Palette
from planrunner.report.matrices.rows import (
    exponent_words,
    interval_words,
    line_words,
    size_words,
)
from planrunner.report.own_metrics import work_rate_words
from planrunner.report.plain import plain, shorten
from planrunner.results.matrices.limits import limits_of_line
from planrunner.results.matrices.tables import MatrixLine, MatrixTable
from planrunner.results.model import Judgement
from planrunner.units import format_duration
from planrunner.values import dataclass

__all__ = ["size_charts"]

_LONGEST_NAME: Final = 60
_LOGARITHMIC: Final = "Both axes are logarithmic."
_MOST_NAMED: Final = 4
_VALUES: Final = ("v", "upto")
_DASHES: Final = ([1, 0], [6, 3], [2, 2])
"""Colours are used again with other dashes."""


@dataclass(frozen=True, slots=True)
class _SizeFigure:
    """What a chart draws against size.

    Attributes:
        label: An expression for the axis; `shown` likewise for a point.
        word: What it is in a tooltip.
    """

    identity: str
    title: str
    label: str
    shown: str
    word: str


_TIME: Final = _SizeFigure("sizes", "Time", MS_LABEL, MS.format("datum.v"), "median")
_WORK: Final = _SizeFigure(
    "work", "Work a second", AMOUNT_LABEL, "format(datum.v,',.4~g')+'/s'", "work"
)


def size_charts(
    table: MatrixTable, judgements: Sequence[Judgement], palette: Palette, *, number: int = 1
) -> list[Chart]:
    """Return time, and work a second, for each request and combination of the other axes.

    Args:
        table: The matrix.
        judgements: Those on its scalability give limits.
        palette: The colours.
        number: Of the matrix on the page.
    """
    lines = table.lines[: len(palette.slots) * len(_DASHES)]
    timed = list(zip(_entries(lines, palette), lines, strict=True))
    times = [row for entry, line in timed for row in _times(entry, line, table)]
    allowed = [
        row
        for entry, line in timed
        for limit in limits_of_line(judgements, table, line)
        for row in _limits(entry, line, table, limit)
    ]
    charts = []
    if _has_sizes(times):
        words = _time_words(table, lines, has_limits=bool(allowed))
        data: dict[str, Rows] = {"points": times, "limits": allowed}
        charts.append(
            _chart(_TIME, table, palette, ([one for one, _ in timed], data, words), number)
        )
    working = [(replace(entry, series=_name(line)), line) for entry, line in timed if _works(line)]
    works = [row for entry, line in working for row in _works_done(entry, line, table)]
    if _has_sizes(works):
        words = f"{_LOGARITHMIC} Work that takes time in proportion to its size is level."
        data = {"points": works, "limits": []}
        drawn = [one for one, _ in working], data, words
        charts.append(_chart(_WORK, table, palette, drawn, number))
    return charts


def _chart(
    figure: _SizeFigure,
    table: MatrixTable,
    palette: Palette,
    drawn: tuple[Sequence[ChartEntry], dict[str, Rows], str],
    number: int,
) -> Chart:
    entries, data, words = drawn
    end = "" if number == 1 else f"-{number}"
    return Chart(
        f"{figure.identity}{end}",
        f"{figure.title} against {plain(table.over)} of {plain(table.name)}",
        words,
        _spec(figure, palette, entries, table, data),
        data,
        entries=tuple(entries),
        place=ChartPlace.SIZES,
    )


def _has_sizes(rows: Rows) -> bool:
    return len({row["size"] for row in rows}) > 1


def _works(line: MatrixLine) -> bool:
    return any(cell is not None and cell.work_per_second is not None for cell in line.cells)


def _entries(lines: Sequence[MatrixLine], palette: Palette) -> Iterator[ChartEntry]:
    for n, line in enumerate(lines):
        exponent = exponent_words(line.fit)
        series = f"{_name(line)}: {exponent}" if exponent else _name(line)
        color = palette.slots[n % len(palette.slots)]
        yield ChartEntry(series, color, is_dashed=n >= len(palette.slots))


def _name(line: MatrixLine) -> str:
    return shorten(line_words(line), _LONGEST_NAME)


def _times(entry: ChartEntry, line: MatrixLine, table: MatrixTable) -> Iterator[dict[str, object]]:
    for place, cell in zip(table.rows, line.cells, strict=True):
        if cell is not None and cell.has_latency:
            yield {
                "series": entry.series,
                "size": place.size,
                "v": _ms(cell.latency_ns["p50"]),
                "label": size_words(place),
                "more": f"p95 {format_duration(cell.latency_ns['p95'])} of {cell.count:,}",
            }


def _works_done(
    entry: ChartEntry, line: MatrixLine, table: MatrixTable
) -> Iterator[dict[str, object]]:
    for place, cell in zip(table.rows, line.cells, strict=True):
        if cell is not None and cell.work_per_second:
            yield {
                "series": entry.series,
                "size": place.size,
                "v": float(f"{cell.work_per_second:.5g}"),
                "label": size_words(place),
                "more": work_rate_words(cell),
            }


def _limits(
    entry: ChartEntry, line: MatrixLine, table: MatrixTable, limit: float
) -> Iterator[dict[str, object]]:
    """Yield from each size where the next one would have to be to reach the limit."""
    points = [
        (place.size, cell.latency_ns["p50"])
        for place, cell in zip(table.rows, line.cells, strict=True)
        if cell is not None and cell.has_latency
    ]
    for (size, median), (bigger, _) in pairwise(points):
        yield {
            "series": entry.series,
            "size": size,
            "v": _ms(median),
            "to": bigger,
            "upto": _ms(round(median * bigger / size * limit)),
        }


def _ms(value_ns: int) -> float:
    return float(f"{value_ns / 1e6:.5g}")


def _time_words(table: MatrixTable, lines: Sequence[MatrixLine], *, has_limits: bool) -> str:
    """Return how each line grows, and what the exponents mean."""
    grows = []
    for line in [line for line in lines if line.fit is not None][:_MOST_NAMED]:
        interval = interval_words(line.fit)
        how = f"{line_words(line)} as {exponent_words(line.fit)}"
        grows.append(f"{how} ({interval})" if interval else how)
    parts = [f"{_LOGARITHMIC} An exponent of 1 is linear."]
    if grows:
        parts.append(f"The median grows: {', '.join(grows)}.")
    if len(lines) < len(table.lines):
        parts.append(f"The first {len(lines)} of {len(table.lines)} lines are drawn.")
    if has_limits:
        parts.append("Dotted lines lead from each size to the longest time allowed at the next.")
    return " ".join(parts)


def _spec(
    figure: _SizeFigure,
    palette: Palette,
    entries: Sequence[ChartEntry],
    table: MatrixTable,
    data: Mapping[str, Rows],
) -> Spec:
    sizes = sorted({float(str(row["size"])) for row in data["points"]})
    drawn = [*data["points"], *data["limits"]]
    ends, ticks = log_axis(float(str(row[key])) for row in drawn for key in _VALUES if key in row)
    x = {
        "field": "size",
        "type": "quantitative",
        "title": plain(table.over),
        "axis": {"values": sizes, "labelExpr": "format(datum.value,'~s')", "grid": False},
        "scale": {"type": "log", "nice": False, "padding": 12},
    }
    y = {
        "field": "v",
        "type": "quantitative",
        "title": None,
        "axis": {"labelExpr": figure.label, "values": ticks},
        "scale": {"type": "log", "nice": False, "padding": 8, "domain": ends},
    }
    names = [entry.series for entry in entries]
    color = {
        "field": "series",
        "type": "nominal",
        "title": None,
        "scale": {"domain": names, "range": [entry.color for entry in entries]},
        "legend": {"symbolType": "stroke", "symbolStrokeWidth": 3, "direction": "vertical"}
        if palette.draws_legends
        else None,
    }
    dashes = [_DASHES[n // len(palette.slots)] for n in range(len(entries))]
    shown = [
        {"filter": "indexof(hidden, datum.series) < 0"},
        {"calculate": figure.shown, "as": "shown"},
    ]
    line = {
        "data": {"name": "points"},
        "transform": shown,
        "mark": {"type": "line", "strokeWidth": 1.8, "point": {"size": 45}},
        "encoding": {
            "x": x,
            "y": y,
            "color": color,
            "strokeDash": {
                "field": "series",
                "type": "nominal",
                "legend": None,
                "scale": {"domain": names, "range": dashes},
            },
            "tooltip": [
                {"field": "series", "type": "nominal", "title": "component"},
                {"field": "label", "type": "nominal", "title": plain(table.over)},
                {"field": "shown", "type": "nominal", "title": figure.word},
                {"field": "more", "type": "nominal", "title": "that is"},
            ],
        },
    }
    layers = [line]
    if data["limits"]:
        layers.insert(0, _limit_layer(palette, x, y))
    return view(*layers, params=[{"name": "hidden", "value": []}])


def _limit_layer(palette: Palette, x: Spec, y: Spec) -> Spec:
    return {
        "data": {"name": "limits"},
        "transform": [{"filter": "indexof(hidden, datum.series) < 0"}],
        "mark": {
            "type": "rule",
            "strokeDash": [2, 3],
            "strokeWidth": 1.3,
            "color": palette.failures[0],
        },
        "encoding": {"x": x, "y": y, "x2": {"field": "to"}, "y2": {"field": "upto"}},
    }

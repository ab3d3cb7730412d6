"""The charts of a report as Vega-Lite specs: what each shows, in data and in a sentence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from planrunner.report.charts.chart_data import (
    bands_of,
    distribution_of,
    drawn_of,
    failures_of,
    loaded_of,
    points_of,
    search_of,
    tracks_of,
)
from planrunner.report.charts.chart_specs import (
    Rows,
    Spec,
    distribution_spec,
    failures_spec,
    latency_spec,
    load_spec,
    tracks_spec,
)
from planrunner.report.charts.chart_words import (
    distribution_words,
    failures_words,
    latency_words,
    load_words,
    scaling_words,
    search_words,
    tracks_words,
)
from planrunner.report.charts.load_chart_specs import scaling_spec, search_spec
from planrunner.report.charts.palette import PAPER, SCREEN, Palette, config
from planrunner.results.model import RunResult
from planrunner.values import dataclass

__all__ = ["PAPER", "SCREEN", "Chart", "charts_of", "standalone"]

_WIDTH: Final = 640
_DOTS_BELOW: Final = 40  # points on a line: with more, dots hide what they mark


@dataclass(frozen=True, slots=True)
class Chart:
    """One chart.

    Attributes:
        id: Of its element, and the name of its file.
        words: What it shows, for those who don't see it.
        spec: Without data, width and colours of the page.
        data: By the names that `spec` uses.
        wide: It takes the whole width of a page.
    """

    id: str
    title: str
    words: str
    spec: Spec
    data: Mapping[str, Rows]
    wide: bool = False


def charts_of(result: RunResult, palette: Palette) -> list[Chart]:
    """Return the charts that the result has data for, the most important first."""
    return list(_charts(result, palette))


def standalone(chart: Chart, palette: Palette) -> Spec:
    """Return a spec that needs nothing else."""
    return {
        **chart.spec,
        "title": {"text": chart.title, "anchor": "start"},
        "width": _WIDTH,
        "datasets": dict(chart.data),
        "config": config(palette),
        "background": palette.paper,
        "padding": 16,
    }


def _charts(result: RunResult, palette: Palette) -> Iterator[Chart]:
    points, bands = points_of(drawn_of(result)), bands_of(result.points)
    if points:
        time = {"points": points, "bands": bands}
        dots = len(points) < _DOTS_BELOW
        users = any(row["users"] for row in points)
        load = load_spec(palette, bands, dots=dots, users=users)
        yield Chart("load", "Load", load_words(result), load, time)
        # Of a chart whose points are all left out, Vega cannot tell the size.
        if any(row["p50"] for row in points):
            latency = latency_spec(palette, bands, dots=dots)
            yield Chart("latency", "Latency over time", latency_words(result), latency, time)
    if rows := distribution_of(result):
        spec = distribution_spec(palette, rows)
        words = distribution_words(result)
        yield Chart("distribution", "Latency by request", words, spec, {"cells": rows}, wide=True)
    if failures := failures_of(result.points):
        data = {"failures": failures, "bands": bands}
        end = max(point.second for point in result.points)
        spec = failures_spec(palette, bands, end=end)
        yield Chart("errors", "Failed requests by kind", failures_words(result), spec, data)
    by_rate = _arrives(result)
    loaded = points_of(loaded_of(drawn_of(result)))
    if len({row["rps" if by_rate else "users"] for row in loaded}) > 2:
        yield Chart(
            "scaling",
            "Latency against load",
            scaling_words(result, by_rate=by_rate),
            scaling_spec(palette, loaded, by_rate=by_rate),
            {"points": loaded},
        )
    if result.search:
        data = {"steps": search_of(result.search)}
        yield Chart(
            "search",
            "Search",
            search_words(result),
            search_spec(palette, result.search[0].vary),
            data,
        )
    yield from _track_charts(result, palette)


def _arrives(result: RunResult) -> bool:
    """Say whether load is a rate, not a number of users, in some phase."""
    return any(load.has_arrivals for load in result.loads) or any(
        step.vary == "rate" for step in result.search
    )


def _track_charts(result: RunResult, palette: Palette) -> Iterator[Chart]:
    for kind, title, unit in (
        ("cpu", "Processor use", "percent"),
        ("rss", "Memory", "bytes"),
        ("traffic", "Disk and network", "bytes a second"),
        ("loop_lag", "Lateness of the generator", "ms"),
        ("", "Monitors", ""),
    ):
        rows = tracks_of(result.tracks, kind)
        if rows:
            identity = {"rss": "memory", "loop_lag": "lateness", "": "monitors"}.get(kind, kind)
            spec = tracks_spec(palette, unit)
            yield Chart(identity, title, tracks_words(result.tracks, kind), spec, {"tracks": rows})

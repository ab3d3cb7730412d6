"""The charts of a report as Vega-Lite specs: what each shows, in data and in a sentence."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from planrunner.report.charts.chart import Chart, ChartEntry, ChartPlace, Spec
from planrunner.report.charts.chart_data import (
    distribution_of,
    drawn_of,
    load_levels_of,
    search_of,
    tracks_of,
)
from planrunner.report.charts.chart_specs import distribution_spec
from planrunner.report.charts.chart_words import (
    distribution_words,
    scaling_words,
    search_words,
    tracks_words,
)
from planrunner.report.charts.configuration_charts import configuration_charts
from planrunner.report.charts.load_chart_specs import scaling_spec, search_spec
from planrunner.report.charts.over_time.limits import lines_of, window_words, windows_of
from planrunner.report.charts.over_time.metric_charts import metric_charts
from planrunner.report.charts.over_time.run_charts import RunTimes, time_charts
from planrunner.report.charts.over_time.time_specs import Backdrop, lines_spec
from planrunner.report.charts.palette import PAPER, SCREEN, Palette, config
from planrunner.report.charts.size_charts import size_charts
from planrunner.results.configurations.phases import matrix_configurations
from planrunner.results.matrices.tables import matrix_tables
from planrunner.results.model import RunResult

__all__ = ["PAPER", "SCREEN", "Chart", "charts_at", "charts_of", "standalone"]

_WIDTH: Final = 640
_PERCENTILES: Final = ("p50", "p95", "p99")


def charts_of(result: RunResult, palette: Palette) -> list[Chart]:
    """Return the charts that the result has data for, the most important first."""
    return charts_at(RunTimes.of(result), palette)


def charts_at(times: RunTimes, palette: Palette) -> list[Chart]:
    """Return `charts_of` the result of `times`."""
    return [
        *_about_requests(times, palette),
        *_about_sizes(times.result, palette),
        *_about_configurations(times.result, palette),
        *_track_charts(times, palette),
    ]


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


def _about_requests(times: RunTimes, palette: Palette) -> Iterator[Chart]:
    result = times.result
    yield from time_charts(times, palette)
    yield from metric_charts(times, palette)
    if rows := distribution_of(result):
        spec = distribution_spec(palette, rows)
        words = distribution_words(result)
        data = {"cells": rows}
        place = ChartPlace.SHAPE
        yield Chart("distribution", "Latency by request", words, spec, data, wide=True, place=place)
    by_rate = _arrives(result)
    levels = load_levels_of(drawn_of(result), by_rate=by_rate)
    if len({row["load"] for row in levels}) > 2:
        colors = dict(zip(_PERCENTILES, palette.percentiles, strict=True))
        entries = tuple(ChartEntry(word, color) for word, color in colors.items())
        yield Chart(
            "scaling",
            "Latency against load",
            scaling_words(result, by_rate=by_rate),
            scaling_spec(palette, entries, by_rate=by_rate),
            {"levels": levels},
            entries=entries,
            place=ChartPlace.SHAPE,
        )
    if result.search:
        yield Chart(
            "search",
            "Search",
            search_words(result),
            search_spec(palette, result.search[0].vary),
            {"steps": search_of(result.search)},
            place=ChartPlace.SHAPE,
        )


def _about_sizes(result: RunResult, palette: Palette) -> Iterator[Chart]:
    for number, table in enumerate(matrix_tables(result), start=1):
        yield from size_charts(table, result.judgements, palette, number=number)


def _about_configurations(result: RunResult, palette: Palette) -> Iterator[Chart]:
    for number, one in enumerate(matrix_configurations(result), start=1):
        yield from configuration_charts(one.table, palette, group=f"-{number}")


def _arrives(result: RunResult) -> bool:
    """Say whether load is a rate, not a number of users, in some phase."""
    return any(load.has_arrivals for load in result.loads) or any(
        step.vary == "rate" for step in result.search
    )


def _track_charts(times: RunTimes, palette: Palette) -> Iterator[Chart]:
    for kind, title, unit in (
        ("cpu", "Processor use", "percent"),
        ("rss", "Memory", "bytes"),
        ("traffic", "Disk and network", "bytes a second"),
        ("loop_lag", "Lateness of the generator", "ms"),
        ("", "Monitors", "number"),
    ):
        rows = tracks_of(times.result.tracks, kind)
        if rows:
            yield _track_chart(times, palette, kind, title, unit)


def _track_chart(times: RunTimes, palette: Palette, kind: str, title: str, unit: str) -> Chart:
    tracks = times.result.tracks
    # Gauges are read until services have stopped, after the end of the other charts.
    rows = [row for row in tracks_of(tracks, kind) if float(str(row["t"])) <= times.end]
    names = list(dict.fromkeys(str(row["series"]) for row in rows))
    colors = [*palette.series, *palette.failures]
    entries = tuple(ChartEntry(name, color) for name, color in zip(names, colors, strict=False))
    scale = 1e6 if unit == "ms" else 1
    limits = [row for name in names for row in lines_of(times.limits, name, scale=scale)]
    windows = [row for name in names for row in windows_of(times.limits, name)]
    backdrop = Backdrop(
        bands=times.bands,
        limits=limits,
        windows=windows,
        end=times.end,
        reach=max((float(str(row["v"])) for row in rows), default=0),
    )
    told = [tracks_words(tracks, kind), *(window_words(times.limits, name) for name in names)]
    return Chart(
        {"rss": "memory", "loop_lag": "lateness", "": "monitors"}.get(kind, kind),
        title,
        " ".join(filter(None, told)),
        lines_spec(palette, entries, backdrop, unit=unit),
        {"points": rows, "bands": times.bands, "limits": limits, "windows": windows},
        entries=entries,
        unit=unit,
        place=ChartPlace.MACHINE,
    )

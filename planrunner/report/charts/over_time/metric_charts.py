"""The charts of a plan's own metrics over time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from planrunner.metrics.measures import OWN_PREFIX
from planrunner.report.charts.chart import Chart, ChartEntry
from planrunner.report.charts.over_time.request_columns import RequestColumns
from planrunner.report.charts.over_time.run_charts import SLOTS, RunTimes, chart_data
from planrunner.report.charts.over_time.time_specs import lines_spec
from planrunner.report.charts.palette import Palette

__all__ = ["metric_charts"]

_MOST: Final = 8
"""Charts of a page: metrics have units of their own, so each has one."""


def metric_charts(times: RunTimes, palette: Palette) -> Iterator[Chart]:
    """Yield the averages of each metric, a line for each of the first requests that record it."""
    names = sorted({name for column in times.columns[1:] for name in column.metrics})
    for number, name in enumerate(names[:_MOST], start=1):
        some = f" The first {_MOST} of {len(names)} metrics." if len(names) > _MOST else ""
        yield _metric_chart(times, palette, name, number, some if number == 1 else "")


def _metric_chart(times: RunTimes, palette: Palette, name: str, number: int, some: str) -> Chart:
    found = [column for column in times.columns[1:] if name in column.metrics]
    drawn = found[:SLOTS]
    entries = tuple(
        ChartEntry(column.name, color) for column, color in zip(drawn, palette.slots, strict=False)
    )
    rows = list(_rows(drawn, name))
    word = f"{OWN_PREFIX}{name}"
    backdrop = times.backdrop(word, rows)
    most = f" of the first {SLOTS} of {len(found)} requests" if len(found) > SLOTS else ""
    return Chart(
        f"metric-{number}",
        f"{word} over time",
        times.told(f"Averages of {word}{most}, request by request.{some}", chart=word),
        lines_spec(palette, entries, backdrop, unit="number", dots=times.dots),
        chart_data(rows, backdrop),
        entries=entries,
        unit="number",
    )


def _rows(columns: Sequence[RequestColumns], name: str) -> Iterator[dict[str, object]]:
    for column in columns:
        for second, value in zip(column.seconds, column.metrics[name], strict=True):
            if value is not None:
                yield {"t": second, "series": column.name, "v": value}

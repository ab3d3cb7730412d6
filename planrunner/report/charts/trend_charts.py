"""Charts over several runs: two laid over each other, or the trend of many."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from planrunner.report.charts.chart_specs import AMOUNT_LABEL, MS_LABEL, TIME, WHOLE_LABEL
from planrunner.report.charts.charts import Chart
from planrunner.report.charts.palette import Palette
from planrunner.report.plain import plain
from planrunner.results.bootstrap import measured_intervals
from planrunner.results.model import RunResult
from planrunner.units import format_count, format_duration, format_percent, format_rate

__all__ = ["overlaid", "trends"]

_PERCENT_LABEL: Final = "format(datum.value,'~r')+' %'"
_HEIGHT: Final = 220
_SCHEMA: Final = "https://vega.github.io/schema/vega-lite/v6.json"


def overlaid(before: RunResult, after: RunResult, palette: Palette) -> list[Chart]:
    """Return p95 and throughput of all requests over time, both runs in each."""
    data = [
        *_points(before, "before"),
        *_points(after, "after"),
    ]
    if not data:
        return []
    return [
        _over_time("latency", "p95 over time", "p95", palette, data),
        _over_time("load", "Requests per second", "rps", palette, data),
    ]


def trends(runs: Sequence[RunResult], palette: Palette) -> list[Chart]:
    """Return p95, throughput and error rate run by run."""
    data = [
        {
            "n": n,
            "run": f"{run.started[:16].replace('T', ' ')} {plain(run.run_id)}",
            "p95": round(run.totals.p95_response_time * 1000, 4),
            "rps": round(run.totals.requests_per_second, 3),
            "errors": round(run.totals.error_rate, 4),
        }
        for n, run in enumerate(runs, start=1)
    ]
    ends = [run.totals for run in (runs[0], runs[-1])] if runs else []
    latencies = [format_duration(round(totals.p95_response_time * 1e9)) for totals in ends]
    rates = [format_rate(totals.requests_per_second) for totals in ends]
    failures = [format_percent(totals.error_rate / 100) for totals in ends]
    return [
        Chart(field, title, _told(shown, len(runs)), _by_run(field, label, palette), {"runs": data})
        for field, title, label, shown in (
            ("p95", "95th percentile", MS_LABEL, latencies),
            ("rps", "Requests per second", AMOUNT_LABEL, rates),
            ("errors", "Failed requests", _PERCENT_LABEL, failures),
        )
    ]


def _told(shown: Sequence[str], count: int) -> str:
    return f"From {' to '.join(shown)} in {format_count(count, 'run')}." if shown else ""


def _points(result: RunResult, which: str) -> Iterator[dict[str, object]]:
    # The last second of a run is seldom whole, and a rate of a fraction of it says nothing.
    lengths = {interval.second: interval.seconds for interval in measured_intervals(result)}
    for points in result.request_points:
        if not points.name:
            for n, second in enumerate(points.seconds):
                if second not in lengths:
                    continue
                yield {
                    "t": second,
                    "which": which,
                    "p95": points.p95_ns[n] / 1e6 or None,
                    "rps": points.requests[n] / min(lengths[second], points.interval_seconds),
                }


def _over_time(
    identity: str, title: str, field: str, palette: Palette, data: Sequence[dict[str, object]]
) -> Chart:
    axis: dict[str, Any] = (
        {"labelExpr": MS_LABEL} if field == "p95" else {"labelExpr": AMOUNT_LABEL}
    )
    spec = {
        "$schema": _SCHEMA,
        "height": _HEIGHT,
        "data": {"name": "points"},
        "mark": {"type": "line", "strokeWidth": 1.6},
        "encoding": {
            "x": TIME,
            "y": {"field": field, "type": "quantitative", "title": None, "axis": axis},
            "color": {
                "field": "which",
                "type": "nominal",
                "title": None,
                "scale": {
                    "domain": ["before", "after"],
                    "range": [palette.series[5], palette.series[0]],
                },
                "legend": {"symbolType": "stroke", "symbolStrokeWidth": 3},
            },
        },
    }
    words = f"{title} of all requests; each run counts from its own start."
    return Chart(identity, title, words, spec, {"points": data})


def _by_run(field: str, label: str, palette: Palette) -> dict[str, Any]:
    return {
        "$schema": _SCHEMA,
        "height": _HEIGHT,
        "data": {"name": "runs"},
        "transform": [{"calculate": label.replace("datum.value", f"datum.{field}"), "as": "shown"}],
        "mark": {
            "type": "line",
            "color": palette.series[0],
            "strokeWidth": 1.6,
            "point": {"size": 40, "color": palette.series[0]},
        },
        "encoding": {
            "x": {
                "field": "n",
                "type": "quantitative",
                "title": "run",
                "axis": {"tickMinStep": 1, "grid": False, "labelExpr": WHOLE_LABEL},
                "scale": {"zero": False, "nice": False},
            },
            "y": {
                "field": field,
                "type": "quantitative",
                "title": None,
                "axis": {"labelExpr": label},
                "scale": {"zero": True},
            },
            "tooltip": [
                {"field": "run", "type": "nominal"},
                {"field": "shown", "type": "nominal", "title": field},
            ],
        },
    }

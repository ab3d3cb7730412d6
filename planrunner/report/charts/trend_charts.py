"""Charts over several runs: some laid over each other, or the trend of many."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from planrunner.report.charts.chart import Chart, ChartEntry, Spec
from planrunner.report.charts.chart_specs import AMOUNT_LABEL, MS_LABEL, WHOLE_LABEL, view
from planrunner.report.charts.over_time.limits import limits_of
from planrunner.report.charts.over_time.time_specs import Backdrop, lines_spec
from planrunner.report.charts.palette import Palette
from planrunner.report.findings import checks_words, mark_of, verdict_word
from planrunner.report.own_metrics import own_trends
from planrunner.report.plain import plain
from planrunner.results.bootstrap import measured_intervals
from planrunner.results.model import RunResult
from planrunner.results.record import checks_held
from planrunner.units import format_count, format_duration, format_percent, format_rate
from planrunner.values import dataclass

__all__ = ["overlaid", "trends"]

_MOST_OWN: Final = 12
_PERCENT_LABEL: Final = "format(datum.value,'~r')+' %'"


def overlaid(runs: Sequence[tuple[str, RunResult]], palette: Palette) -> list[Chart]:
    """Return p95 and throughput of all requests over time, the first eight runs in each."""
    drawn = runs[: len(palette.slots)]
    points = [row for name, run in drawn for row in _points(run, plain(name))]
    if not points:
        return []
    colors = palette.slots if len(drawn) > 2 else [palette.series[5], palette.series[0]]
    entries = tuple(
        ChartEntry(plain(name), color) for (name, _), color in zip(drawn, colors, strict=False)
    )
    some = f"The first {len(drawn)} of {len(runs)}. " if len(runs) > len(drawn) else ""
    return [
        _over_time(identity, title, field, palette, (entries, points, some))
        for identity, title, field in (
            ("latency", "p95 over time", "p95"),
            ("load", "Requests per second", "rps"),
        )
    ]


def trends(runs: Sequence[RunResult], palette: Palette, *, group: int = 1) -> list[Chart]:
    """Return p95, throughput, error rate and what else the runs have, run by run.

    Args:
        runs: Of one plan, the oldest first.
        palette: The colours.
        group: Sets the charts of one plan apart from those of another on the same page.

    Returns:
        No chart of a single run, which has no trend.
    """
    if len(runs) < 2:
        return []
    charts = []
    for trend in (*_TRENDS, *_own_trends(runs)):
        values = [trend.value(run) for run in runs]
        if not any(value is not None for value in values):
            continue
        shown = [trend.shown(run) for run in (runs[0], runs[-1])]
        words = f"From {' to '.join(shown)} in {format_count(len(runs), 'run')}."
        limits = list(_limits(runs, trend))
        data = {"runs": list(_rows(runs, values)), "limits": limits}
        spec = _by_run(trend, palette, has_limits=bool(limits))
        identity = trend.figure if group == 1 else f"{trend.figure}-{group}"
        charts.append(Chart(identity, trend.title, words, spec, data))
    return charts


@dataclass(frozen=True, slots=True)
class _Trend:
    """A figure of a run that a chart follows.

    Attributes:
        metric: As thresholds call it; empty where no limit is drawn.
        scale: How many base units of its limits the chart's unit has.
        value: Of a run; None where it has none.
    """

    figure: str
    title: str
    metric: str
    label: str
    scale: float
    value: Callable[[RunResult], float | None]
    shown: Callable[[RunResult], str]


_TRENDS: Final = (
    _Trend(
        "p95",
        "95th percentile",
        "p95",
        MS_LABEL,
        1e6,
        lambda run: round(run.totals.p95_response_time * 1000, 4),
        lambda run: format_duration(round(run.totals.p95_response_time * 1e9)),
    ),
    _Trend(
        "rps",
        "Requests per second",
        "throughput",
        AMOUNT_LABEL,
        1,
        lambda run: round(run.totals.requests_per_second, 3),
        lambda run: format_rate(run.totals.requests_per_second),
    ),
    _Trend(
        "errors",
        "Failed requests",
        "error_rate",
        _PERCENT_LABEL,
        0.01,
        lambda run: round(run.totals.error_rate, 4),
        lambda run: format_percent(run.totals.error_rate / 100),
    ),
    _Trend(
        "checks",
        "Expectations that held",
        "checks",
        _PERCENT_LABEL,
        0.01,
        lambda run: None if (held := checks_held(run.series)) is None else round(100 * held, 4),
        lambda run: checks_words(run) or "–",
    ),
)


def _own_trends(runs: Sequence[RunResult]) -> Iterator[_Trend]:
    """Yield work rates and averages of metrics, request by request."""
    for n, one in enumerate(own_trends(runs)[:_MOST_OWN], start=1):
        yield _Trend(f"own-{n}", str(one), "", AMOUNT_LABEL, 1, one.value_of, one.words_of)


def _rows(runs: Sequence[RunResult], values: Sequence[float | None]) -> Iterator[dict[str, object]]:
    for n, (run, value) in enumerate(zip(runs, values, strict=True), start=1):
        if value is not None:
            yield {
                "n": n,
                "run": f"{run.started[:16].replace('T', ' ')} {plain(run.run_id)}",
                "v": value,
                "verdict": mark_of(run).value,
                "word": verdict_word(run),
            }


def _limits(runs: Sequence[RunResult], trend: _Trend) -> Iterator[dict[str, object]]:
    """Yield the limits of the whole run that each run had, as a line for each level."""
    for n, run in enumerate(runs, start=1):
        for limit in limits_of(run, {"": ""}, end=1):
            is_whole = limit.request == "" and limit.metric == trend.metric and not limit.is_narrow
            if is_whole and limit.amount is not None:
                amount = float(f"{limit.amount / trend.scale:.6g}")
                yield {"n": n, "limit": amount, "level": limit.judgement.level}


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
                    "series": which,
                    "p95": points.p95_ns[n] / 1e6 or None,
                    "rps": points.requests[n] / min(lengths[second], points.interval_seconds),
                }


def _over_time(
    identity: str,
    title: str,
    field: str,
    palette: Palette,
    drawn: tuple[Sequence[ChartEntry], Sequence[Mapping[str, object]], str],
) -> Chart:
    entries, points, some = drawn
    unit = "ms" if field == "p95" else "/s"
    rows = [
        {"t": row["t"], "series": row["series"], "v": float(f"{float(str(row[field])):.5g}")}
        for row in points
        if row[field] is not None
    ]
    end = max(float(str(row["t"])) for row in points)
    spec = lines_spec(palette, entries, Backdrop(bands=(), end=end), unit=unit)
    words = f"{some}{title} of all requests; each run counts from its own start."
    return Chart(identity, title, words, spec, {"points": rows}, entries=tuple(entries), unit=unit)


def _by_run(trend: _Trend, palette: Palette, *, has_limits: bool) -> Spec:
    verdicts = ["pass", "warn", "fail"]
    n = {
        "field": "n",
        "type": "quantitative",
        "title": "run",
        "axis": {"tickMinStep": 1, "grid": False, "labelExpr": WHOLE_LABEL},
        "scale": {"zero": False, "nice": False},
    }
    y = {
        "field": "v",
        "type": "quantitative",
        "title": None,
        "axis": {"labelExpr": trend.label},
        "scale": {"zero": True},
    }
    shown = {"calculate": trend.label.replace("datum.value", "datum.v"), "as": "shown"}
    verdict = {"field": "verdict", "type": "nominal", "title": None}
    layers: list[Spec] = [
        {
            "data": {"name": "runs"},
            "mark": {"type": "line", "color": palette.soft, "strokeWidth": 1.4},
            "encoding": {"x": n, "y": y},
        },
        {
            "data": {"name": "runs"},
            "transform": [shown],
            "mark": {"type": "point", "filled": True, "size": 60, "opacity": 1},
            "encoding": {
                "x": n,
                "y": y,
                "color": {
                    **verdict,
                    "scale": {
                        "domain": verdicts,
                        "range": [palette.passed, palette.series[2], palette.failures[0]],
                    },
                },
                "shape": {
                    **verdict,
                    "scale": {
                        "domain": verdicts,
                        "range": ["circle", "diamond", "triangle-down"],
                    },
                },
                "tooltip": [
                    {"field": "run", "type": "nominal"},
                    {"field": "word", "type": "nominal", "title": "verdict"},
                    {
                        "field": "shown",
                        "type": "nominal",
                        "title": trend.figure if trend.metric else trend.title,
                    },
                ],
            },
        },
    ]
    if has_limits:
        layers.insert(0, _limit_lines(palette, n, y))
    return view(*layers)


def _limit_lines(palette: Palette, n: Spec, y: Spec) -> Spec:
    return {
        "data": {"name": "limits"},
        "mark": {"type": "line", "strokeWidth": 1.3, "strokeDash": [2, 3]}
        | {"interpolate": "step", "point": {"shape": "stroke", "size": 60, "strokeWidth": 1.3}},
        "encoding": {
            "x": n,
            "y": {**y, "field": "limit"},
            "color": {
                "condition": {"test": "datum.level === 'fail'", "value": palette.failures[0]},
                "value": palette.series[2],
            },
            "detail": {"field": "level", "type": "nominal"},
        },
    }

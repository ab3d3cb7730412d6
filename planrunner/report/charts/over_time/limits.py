"""Thresholds as charts show them: lines at their limits, and the worst windows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from planrunner.metrics.amounts import Unit
from planrunner.metrics.measures import LATENCY
from planrunner.metrics.name_patterns import NameForm
from planrunner.metrics.phase_names import meant_phases
from planrunner.metrics.thresholds import ThresholdSyntaxError, parse_threshold
from planrunner.metrics.thresholds.model import Metric, Threshold
from planrunner.metrics.thresholds.selector import Population, SelectorKind, Term
from planrunner.metrics.thresholds.units import units_of
from planrunner.report.charts.chart import Rows
from planrunner.report.plain import plain, shorten
from planrunner.results.model import Judgement, RunResult, Verdict
from planrunner.units import NS_PER_S, write_duration
from planrunner.values import dataclass

__all__ = [
    "CHECKS",
    "ERRORS",
    "LATENCIES",
    "LOAD",
    "ChartLimit",
    "limits_of",
    "lines_of",
    "window_words",
    "windows_of",
]

LATENCIES: Final = "latency"
LOAD: Final = "load"
ERRORS: Final = "errors"
CHECKS: Final = "checks"
_LABEL: Final = 44
_OF_COUNTS: Final = {"error_rate": ERRORS, "throughput": LOAD, "checks": CHECKS}
_LEVELS: Final = frozenset({"avg", "last", "max", "med", "min", "p", "share"})
"""Aggregations whose limits are levels of what is aggregated, unlike those of a sum or a spread."""

_BROKEN: Final = frozenset({Verdict.FAIL, Verdict.WARN})


@dataclass(frozen=True, slots=True)
class ChartLimit:
    """A judged threshold about something that a chart shows.

    Attributes:
        chart: What it is about: `latency`, `load`, `errors`, `checks`, or a gauge or metric by its
            name.
        request: The only one that it is about, as charts call it; empty for all, None for some.
            Charts of metrics draw every request, so there it is empty.
        metric: What is limited, such as `p95`.
        is_narrow: It looks at a part of the run only, or at windows.
        amount: In base units; None where it isn't known.
        begin: Of what it looks at, in seconds from the run's start; `end` likewise.
        window: From when to when the worst window was, in seconds.
        short: What is limited and at what, for a label.
        about: Likewise, with the requests that it is about.
    """

    chart: str
    request: str | None
    judgement: Judgement
    metric: str
    is_narrow: bool
    amount: float | None
    begin: float
    end: float
    window: tuple[float, float] | None
    short: str
    about: str


def limits_of(result: RunResult, names: Mapping[str, str], *, end: float) -> list[ChartLimit]:
    """Return the thresholds that charts can show.

    Args:
        result: The run.
        names: What charts call each request.
        end: The last second of a chart.
    """
    return list(_limits(result, names, end))


def lines_of(limits: list[ChartLimit], chart: str, *, scale: float = 1) -> Rows:
    """Return the lines of limits in a chart whose unit is `scale` base units."""
    return [
        {
            "request": limit.request,
            "v": float(f"{limit.amount / scale:.6g}"),
            "from": limit.begin,
            "to": limit.end,
            "level": limit.judgement.level,
            "label": shorten(limit.short, _LABEL),
            "words": plain(limit.judgement.threshold),
        }
        for limit in limits
        if limit.chart == chart and limit.amount is not None and limit.request is not None
    ]


def windows_of(limits: list[ChartLimit], chart: str) -> Rows:
    """Return the worst window of each threshold with windows that is about a chart.

    Labels of those that begin beside each other have a `line` each.
    """
    shown = [limit for limit in limits if limit.chart == chart and limit.window is not None]
    return [
        {
            "request": limit.request or "",
            "from": limit.window[0],
            "to": limit.window[1],
            "broken": limit.judgement.verdict in _BROKEN,
            "label": shorten(f"worst {_length(limit.window)}: {limit.about}", _LABEL),
            "words": f"{plain(limit.judgement.threshold)}: {plain(limit.judgement.observed)}",
            "line": line,
        }
        for line, limit in enumerate(shown)
        if limit.window is not None
    ]


def window_words(limits: list[ChartLimit], chart: str) -> str:
    """Return a sentence for each worst window of a chart."""
    return " ".join(
        f"The worst {_length(limit.window)} of `{plain(limit.judgement.threshold)}`: "
        f"{plain(limit.judgement.observed)} from {_clock(limit.window[0])}."
        for limit in limits
        if limit.chart == chart and limit.window is not None
    )


def _limits(result: RunResult, names: Mapping[str, str], end: float) -> Iterator[ChartLimit]:
    for judgement in result.judgements:
        try:
            threshold = parse_threshold(judgement.threshold)
        except ThresholdSyntaxError:  # of a measure that is not built in
            continue
        metric = threshold.metric
        if judgement.verdict is Verdict.NOT_APPLICABLE or not isinstance(metric, Metric):
            continue
        chart = _chart(metric)
        if chart:
            span = _span(metric, result, end)
            limit = f"{threshold.op} {judgement.limit}"
            of = f" of {metric.selector}" if metric.selector is not None else ""
            about = plain(f"{metric.agg_text}{of} {limit}")
            yield ChartLimit(
                chart=chart,
                request=_request(metric, names),
                judgement=judgement,
                metric=metric.agg_text,
                is_narrow=bool(metric.scope.terms) or metric.window is not None,
                amount=_amount(judgement, threshold),
                begin=span[0],
                end=span[1],
                window=_window(judgement, end),
                short=about if metric.measure.is_own else plain(f"{metric.agg_text} {limit}"),
                about=about,
            )


def _chart(metric: Metric) -> str:
    if metric.gauge is not None:
        return f"{metric.gauge.kind}.{metric.gauge.name}" if metric.agg.word in _LEVELS else ""
    if metric.population is not Population.REQUEST:
        return ""
    return _OF_COUNTS.get(metric.agg.word) or _chart_of_values(metric)


def _chart_of_values(metric: Metric) -> str:
    if metric.agg.word not in _LEVELS:
        return ""
    if metric.measure.is_own:
        return metric.measure.word
    is_latency = metric.measure == LATENCY and units_of(metric)[0] is Unit.DURATION
    return LATENCIES if is_latency else ""


def _request(metric: Metric, names: Mapping[str, str]) -> str | None:
    if metric.selector is None or metric.gauge is not None or metric.measure.is_own:
        return ""
    root = metric.selector.root
    # A name that has a `*` is found by itself, and a glob is not the name of any.
    if isinstance(root, Term) and root.kind is SelectorKind.REQUEST:
        return None if root.form is NameForm.ACTION else names.get(root.name)
    return None


def _amount(judgement: Judgement, threshold: Threshold) -> float | None:
    if judgement.limit_amount is None and not threshold.value.of_baseline:
        return threshold.value.amount  # an old metrics.json
    return judgement.limit_amount


def _phases(name: str, result: RunResult) -> tuple[str, ...]:
    """Return the phases of a result that a threshold means by a name."""
    found: dict[str, dict[str, dict[str, str]]] = {}
    for one in result.combinations:
        axes = {choice.axis: choice.value for choice in one.axes}
        found.setdefault(one.matrix, {})[one.phase] = axes
    return meant_phases(name, found) or (name,)


def _span(metric: Metric, result: RunResult, end: float) -> tuple[float, float]:
    """Return from when to when a metric looks at the run."""
    scope = metric.scope
    phases = _phases(scope.phase.name, result) if scope.phase is not None else ()
    parts = [
        part
        for part in result.measured
        if (scope.phase is None or part.phase in phases)
        and (scope.stage is None or part.stage == scope.stage.name)
    ]
    if not scope.terms or not parts:
        return 0, end
    first, last = min(part.start_ns for part in parts), max(part.end_ns for part in parts)
    return min(round(first / NS_PER_S, 3), end), min(round(last / NS_PER_S, 3), end)


def _window(judgement: Judgement, end: float) -> tuple[float, float] | None:
    if judgement.window_end_ns <= judgement.window_start_ns:
        return None
    window = (judgement.window_start_ns, judgement.window_end_ns)
    first, last = (min(max(round(ns / NS_PER_S, 3), 0), end) for ns in window)
    return first, last


def _length(window: tuple[float, float]) -> str:
    return write_duration(round(10 * (window[1] - window[0])) * NS_PER_S // 10)


def _clock(second: float) -> str:
    minutes, seconds = divmod(round(second), 60)
    return f"{minutes}:{seconds:02}"

"""Each request over time as columns: what the charts of a page show of one request or of all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from planrunner.report.charts.chart import Rows
from planrunner.report.findings import requests_of
from planrunner.report.plain import plain, shorten
from planrunner.results.bootstrap import measured_intervals
from planrunner.results.changes import EarlierPoints
from planrunner.results.model import RunResult
from planrunner.results.record import MetricPoints, RequestPoints
from planrunner.values import dataclass

__all__ = ["RequestColumns", "columns_of", "compact", "rate_rows"]

_MOST_CELLS: Final = 12_000
"""Intervals of all requests on a page; with more, neighbours become one."""

_LONGEST_NAME: Final = 60
_PERCENTILES: Final = ("p50", "p95", "p99")

Numbers = Sequence[float | None]


@dataclass(frozen=True, slots=True)
class RequestColumns:
    """One request over time; all sequences run in step.

    Attributes:
        request: Its name; empty for all requests together.
        name: As charts show it, different from all others.
        every: Seconds of an interval.
        seconds: The end of each interval.
        measured: How many seconds of it count; 0 where they are too few for a rate.
        requests: Finished in it.
        latencies: By percentile, in ms; None without any.
        metrics: Averages of those of the plan's own, by name; None without a value.
        before: The same request of an earlier run, if there is one.
    """

    request: str
    name: str
    every: int
    seconds: Sequence[int]
    measured: Sequence[float]
    requests: Sequence[int]
    latencies: Mapping[str, Numbers]
    statuses: Mapping[str, Sequence[int]]
    failures: Mapping[str, Sequence[int]]
    metrics: Mapping[str, Numbers]
    before: EarlierPoints | None

    @property
    def rates(self) -> Numbers:
        """Requests a second; None where too little was measured."""
        pairs = zip(self.requests, self.measured, strict=True)
        return [compact(count / length) if length else None for count, length in pairs]

    def as_data(self) -> dict[str, object]:
        """Return what a page's script reads."""
        whole = float(self.every)
        parts = zip(self.seconds, self.measured, strict=True)
        return {
            "name": self.name,
            "every": self.every,
            "t": self.seconds,
            "n": self.requests,
            # Few intervals are not measured as a whole.
            "parts": {second: round(length, 3) for second, length in parts if length != whole},
            **self.latencies,
            "statuses": self.statuses,
            "failures": self.failures,
            "before": _before(self.before) if self.before else None,
        }


def columns_of(result: RunResult) -> list[RequestColumns]:
    """Return all requests together first, then each, the worst first; empty of old results."""
    points = {one.name: one for one in result.request_points}
    if "" not in points:
        return []
    lengths = {interval.second: interval.seconds for interval in measured_intervals(result)}
    earlier = {one.name: one for run in result.earlier for one in run.points}
    order = dict.fromkeys(row.name for row in requests_of(result) if row.name in points)
    # A request without a name of its own is that of all: `request_points` can't have both.
    names = [name for name in (*order, *sorted(points)) if name]
    chosen = list(dict.fromkeys(names))
    cells = sum(len(points[name].seconds) for name in chosen)
    step = -(-cells // _MOST_CELLS) or 1
    shown = _shown_names(chosen)
    return [
        _columns(points[""], "", lengths, earlier.get(""), step=1),
        *(
            _columns(points[name], shown[name], lengths, earlier.get(name), step=step)
            for name in chosen
        ),
    ]


def rate_rows(columns: RequestColumns, counts: Mapping[str, Sequence[int]]) -> Rows:
    """Return a box for each interval of each of `counts`, in requests a second."""
    return [
        {"from": second - columns.every, "t": second, "series": name} | {"v": compact(one / length)}
        for name, numbers in counts.items()
        for second, length, one in zip(columns.seconds, columns.measured, numbers, strict=True)
        if one and length
    ]


def compact(value: float) -> float:
    """Return a number with four digits, as an integer if it is one: charts show no more."""
    short = float(f"{value:.4g}")
    return int(short) if short.is_integer() else short


def _columns(
    points: RequestPoints,
    name: str,
    lengths: Mapping[int, float],
    before: EarlierPoints | None,
    *,
    step: int,
) -> RequestColumns:
    every = points.interval_seconds * step
    groups = list(_groups(points, every))
    measured = [
        min(sum(lengths.get(points.seconds[n], 0.0) for n in group), float(every))
        for _, group in groups
    ]
    if step > 1:  # intervals without a request are measured too
        measured = [float(every) if length else 0.0 for length in measured]
    return RequestColumns(
        request=points.name,
        name=name,
        every=every,
        seconds=[second for second, _ in groups],
        measured=measured,
        requests=[sum(points.requests[n] for n in group) for _, group in groups],
        latencies={
            word: [
                _slowest(getattr(points, f"{word}_ns"), group) if length else None
                for (_, group), length in zip(groups, measured, strict=True)
            ]
            for word in _PERCENTILES
        },
        statuses=_summed(points.statuses, groups),
        failures=_summed(points.failures, groups),
        metrics={
            name: [_average(metric, group) for _, group in groups]
            for name, metric in points.metrics.items()
        },
        before=before,
    )


def _groups(points: RequestPoints, every: int) -> Iterator[tuple[int, list[int]]]:
    """Yield the places that are one interval of a page, with its end."""
    found: dict[int, list[int]] = {}
    for n, second in enumerate(points.seconds):
        found.setdefault(-(-second // every) * every, []).append(n)
    yield from sorted(found.items())


def _slowest(values_ns: Sequence[int], group: Sequence[int]) -> float | None:
    slowest = max(values_ns[n] for n in group)
    return _compact_ms(slowest) if slowest else None


def _average(metric: MetricPoints, group: Sequence[int]) -> float | None:
    count = sum(metric.values[n] for n in group)
    return compact(sum(metric.total[n] for n in group) / count) if count else None


def _compact_ms(value_ns: int) -> float:
    short = float(f"{value_ns / 1e6:.3g}")
    return int(short) if short.is_integer() else short


def _summed(
    counts: Mapping[str, Sequence[int]], groups: Sequence[tuple[int, list[int]]]
) -> Mapping[str, Sequence[int]]:
    return {
        plain(name): [sum(numbers[n] for n in group) for _, group in groups]
        for name, numbers in counts.items()
    }


def _before(points: EarlierPoints) -> dict[str, object]:
    every, last = points.interval_seconds, len(points.seconds) - 1
    # The last interval of a run is seldom whole.
    return {
        "t": points.seconds[:last],
        "rps": [compact(count / every) for count in points.requests[:last]],
        "p95": [_compact_ms(value) if value else None for value in points.p95_ns[:last]],
    }


def _shown_names(names: Sequence[str]) -> Mapping[str, str]:
    """Return what charts call each request: names that look alike get a number."""
    shown: dict[str, str] = {}
    taken: set[str] = set()
    for name in names:
        short = shorten(plain(name), _LONGEST_NAME) or "(no name)"
        candidate, number = short, 1
        while candidate in taken:
            number += 1
            candidate = f"{short} ({number})"
        taken.add(candidate)
        shown[name] = candidate
    return shown

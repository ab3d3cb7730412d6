"""Results to the rows that charts draw: plain numbers, milliseconds, few of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from math import ceil, floor, log2, log10
from statistics import median
from typing import Final

from planrunner.metrics.histogram import Histogram
from planrunner.report.findings import requests_of
from planrunner.report.plain import plain, shorten
from planrunner.results.loads import LoadChange
from planrunner.results.model import Point, RunResult
from planrunner.results.record import SearchStep, Track, read_series
from planrunner.units import NS_PER_S, format_duration

__all__ = [
    "bands_of",
    "distribution_of",
    "drawn_of",
    "load_levels_of",
    "loaded_of",
    "log_axis",
    "measured_shares",
    "points_of",
    "search_of",
    "tracks_of",
]

_WHOLE_SHARE: Final = 0.98  # phases begin some milliseconds after the run
_LEAST_SHARE: Final = 0.5

RowList = list[dict[str, object]]

MOST_REQUESTS: Final = 30
"""Rows of a chart that a person still reads; the worst ones."""

_BINS_PER_OCTAVE: Final = 3
_LONGEST_NAME: Final = 60
_MOST_LEVELS: Final = 24
_MOST_TRACKS: Final = 12
_FEWEST_NAMES: Final = 2  # on an axis: with one, nobody knows its scale
_LETTERS: Final = 80  # of a label, from one side of a chart to the other
_KINDS: Final = {
    "cpu": "cpu",
    "rss": "rss",
    "disk": "traffic",
    "net": "traffic",
    "loop_lag": "loop_lag",
}


def drawn_of(result: RunResult) -> list[Point]:
    """Return the points that charts draw: the last of a phase is seldom of a whole interval.

    Of less than half an interval no rate or percentile says anything, so it is left out; else its
    requests are those that a whole one would have.
    """
    drawn = []
    for point, share in zip(result.points, measured_shares(result), strict=True):
        if share == 1:
            drawn.append(point)
        elif share:
            drawn.append(replace(point, requests=round(point.requests / share)))
    return drawn or list(result.points)  # of half a second there is nothing better


def measured_shares(result: RunResult) -> list[float]:
    """Return how much of each point's interval was measured; 0 where it is less than half."""
    ends: dict[str, float] = {}
    for part in result.measured:
        ends[part.phase] = max(ends.get(part.phase, 0.0), part.end_ns / NS_PER_S)
    shares = []
    for point in result.points:
        end = ends.get(point.phase, float(point.second))
        share = (end - (point.second - point.seconds)) / max(point.seconds, 1)
        shares.append(1.0 if share >= _WHOLE_SHARE else share if share >= _LEAST_SHARE else 0.0)
    return shares


def points_of(points: Iterable[Point]) -> RowList:
    """Return a row for each interval of each phase."""
    return [
        {
            "t": point.second,
            "phase": plain(point.phase),
            "users": point.users,
            "rps": round(point.requests / max(point.seconds, 1), 3),
            "p50": _ms(point.p50_ns),
            "p95": _ms(point.p95_ns),
            "p99": _ms(point.p99_ns),
        }
        for point in _whole(points)
    ]


def loaded_of(points: Iterable[Point]) -> list[Point]:
    """Return the points that say how latency depends on load: answered, and no warm-up."""
    return [one for one in _whole(points) if one.p95_ns and one.users and not one.warmup]


def load_levels_of(points: Iterable[Point], *, by_rate: bool) -> RowList:
    """Return the median of each percentile at each level of load, levels near each other as one."""
    loaded = loaded_of(points)
    loads = [one.requests / max(one.seconds, 1) if by_rate else one.users for one in loaded]
    width = max(max(loads, default=0) / _MOST_LEVELS, 0 if by_rate else 1)
    levels: dict[int, list[tuple[float, Point]]] = {}
    for load, point in zip(loads, loaded, strict=True):
        levels.setdefault(floor(load / width), []).append((load, point))
    return [
        {
            "load": float(f"{median(load for load, _ in members):.4g}"),
            "series": word,
            "v": _ms(round(median(getattr(point, f"{word}_ns") for _, point in members))),
            "seconds": sum(point.seconds for _, point in members),
        }
        for _, members in sorted(levels.items())
        for word in ("p50", "p95", "p99")
    ]


def bands_of(points: Iterable[Point], changes: Iterable[LoadChange] = ()) -> RowList:
    """Return the stretches of warm-up, where each phase begins, and changes of its load by hand."""
    whole = _whole(points)
    bands: RowList = []
    last: dict[str, dict[str, object]] = {}
    for point in whole:
        if not point.warmup:
            continue
        begin = point.second - point.seconds
        band = last.get(point.phase)
        if band is None or band["to"] != begin:
            band = last[point.phase] = {"from": begin, "warmup": True, "label": ""}
            bands.append(band)
        band["to"] = point.second
    by_hand: RowList = [
        {"from": at_s, "to": at_s, "warmup": False, "label": f"changed by hand: {change.after}"}
        for change in changes
        for at_s in (change.at_ns / NS_PER_S,)
    ]
    return bands + _labels(whole) + by_hand


def _labels(points: Sequence[Point]) -> RowList:
    begins: dict[str, int] = {}
    for point in points:
        if point.phase:
            begins.setdefault(point.phase, point.second - point.seconds)
    if len(begins) < 2:
        return []
    labels: RowList = []
    end = max(point.second for point in points)
    room = 0.0  # up to where the labels so far reach
    for phase, begin in sorted(begins.items(), key=lambda item: item[1]):
        label = shorten(plain(phase), 24)
        if label and begin >= room:
            room = begin + (len(label) + 1) * end / _LETTERS
            labels.append({"from": begin, "to": begin, "warmup": False, "label": label})
    return labels


def _whole(points: Iterable[Point]) -> list[Point]:
    """Make one point of each interval and phase; its larger part speaks for the latency.

    Where a warm-up ends within a second, or a level of a search does, there are two.
    """
    parts: dict[tuple[int, str], list[Point]] = {}
    for point in points:
        parts.setdefault((point.second, point.phase), []).append(point)
    return [
        replace(
            max(group, key=lambda part: part.requests),
            users=max(part.users for part in group),
            requests=sum(part.requests for part in group),
        )
        for group in parts.values()
    ]


def distribution_of(result: RunResult) -> RowList:
    """Return the share of each request's latencies in each bin; bins are a third of an octave."""
    latencies: dict[str, Histogram] = {}
    for labels, delta in read_series(result.series).items():
        if labels.is_timed_request:
            latencies.setdefault(labels.request, Histogram()).merge(delta.latency)
    rows: RowList = []
    for row in requests_of(result)[:MOST_REQUESTS]:
        latency = latencies.get(row.name)
        if latency is not None and latency.max > 0:
            rows += _bins(_short(row.name), latency)
    return rows


def tracks_of(tracks: Sequence[Track], kind: str) -> RowList:
    """Return the tracks of a kind; of none, those that may measure anything."""
    scale = 1000 if kind == "loop_lag" else 1
    return [
        {"t": round(second, 2), "series": _short(track.name), "v": float(f"{value * scale:.4g}")}
        for track in chosen_tracks(tracks, kind)
        for second, value in zip(track.seconds, track.values, strict=False)
    ]


def chosen_tracks(tracks: Sequence[Track], kind: str) -> list[Track]:
    found = [track for track in tracks if track.values and _kind(track.name) == kind]
    return found[:_MOST_TRACKS]


def search_of(steps: Iterable[SearchStep]) -> RowList:
    return [
        {
            "level": step.level,
            "p95": _ms(step.p95_ns),
            "outcome": "held" if step.held else "broke",
            "reason": plain(step.reason),
        }
        for step in steps
    ]


def log_axis(values: Iterable[float]) -> tuple[list[float], list[float]]:
    """Return the ends of a logarithmic axis, and the 1, 2 and 5 of powers of ten that it names.

    The ends are those of the values, or as far apart as two names need. Long axes name powers only.
    A time of nothing, which clocks give for what is short, has no place on such an axis.
    """
    found = sorted(value for value in values if value > 0) or [1.0]
    least, most = found[0], found[-1]
    steps = (1, 2, 5) if most / least < 2_000 else (1,)
    powers = range(floor(log10(least)) - 1, ceil(log10(most)) + 2)
    names = [float(f"{step}e{power}") for power in powers for step in steps]
    if sum(least <= name <= most for name in names) < _FEWEST_NAMES:
        least = max(name for name in names if name <= least)
        most = min(name for name in names if name >= most and name > least)
    return [least, most], [name for name in names if least <= name <= most]


def _bins(name: str, latency: Histogram) -> RowList:
    counts = _counts(latency)
    most = max(counts.values())
    rows: RowList = [
        {
            "name": name,
            "from": _edge(number),
            "to": _edge(number + 1),
            "share": round(count / latency.count, 6),
            "weight": round(count / most, 4),
            "shown": f"{_shown(number)} to {_shown(number + 1)}",
        }
        for number, count in sorted(counts.items())
    ]
    for mark, value in zip(("p50", "p95"), latency.percentiles((50, 95)), strict=True):
        rows.append(
            {"name": name, "mark": mark, "at": _ms(max(value, 1)), "shown": format_duration(value)}
        )
    return rows


def _counts(latency: Histogram) -> Mapping[int, int]:
    numbers = range(_number(max(latency.min, 1)), _number(max(latency.max, 1)) + 1)
    upto = latency.counts_at_most([round(_edge(number + 1) * 1e6) for number in numbers])
    pairs = zip(numbers, (0, *upto), upto, strict=False)
    return {number: after - before for number, before, after in pairs if after > before}


def _number(value_ns: int) -> int:
    return floor(log2(value_ns) * _BINS_PER_OCTAVE)


def _edge(number: int) -> float:
    return float(f"{2 ** (number / _BINS_PER_OCTAVE) / 1e6:.6g}")


def _shown(number: int) -> str:
    return format_duration(round(_edge(number) * 1e6))


def _ms(value_ns: int) -> float:
    return float(f"{value_ns / 1e6:.5g}")


def _short(name: str) -> str:
    return shorten(plain(name), _LONGEST_NAME) or "(no name)"


def _kind(name: str) -> str:
    where, _, what = name.rpartition(".")
    # What a Prometheus query is called says nothing: `monitor.net`.
    return "" if where == "monitor" else _KINDS.get(what, "")

"""Results to the rows that charts draw: plain numbers, milliseconds, few of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import ceil, floor, log2, log10
from typing import Final

from planrunner.metrics.histogram import Histogram
from planrunner.report.findings import requests_of
from planrunner.report.plain import plain, shorten
from planrunner.results.model import Point, RunResult
from planrunner.results.record import SearchStep, Track, read_series
from planrunner.units import format_duration

__all__ = [
    "bands_of",
    "distribution_of",
    "failures_of",
    "points_of",
    "search_of",
    "ticks_of",
    "tracks_of",
]

Rows = list[dict[str, object]]

MOST_REQUESTS: Final = 30
"""Rows of a chart that a person still reads; the worst ones."""

_BINS_PER_OCTAVE: Final = 3
_LONGEST_NAME: Final = 60
_MOST_TRACKS: Final = 12
_LETTERS: Final = 80  # of a label, from one side of a chart to the other
_KINDS: Final = ("cpu", "rss", "loop_lag")


def points_of(points: Iterable[Point]) -> Rows:
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
        for point in points
    ]


def bands_of(points: Iterable[Point]) -> Rows:
    """Return from when to when each phase ran, and its warm-up; names where there are several."""
    spans: dict[tuple[str, bool], tuple[int, int]] = {}
    for point in points:
        key = (point.phase, point.warmup)
        begin, end = spans.get(key, (point.second - point.seconds, point.second))
        spans[key] = (min(begin, point.second - point.seconds), max(end, point.second))
    named = len({phase for phase, _ in spans}) > 1
    bands: Rows = []
    seen: set[str] = set()
    whole = max((end for _, end in spans.values()), default=0)
    room = 0.0  # up to where the labels so far reach
    for (phase, warmup), (begin, end) in sorted(spans.items(), key=lambda item: item[1]):
        label = shorten(plain(phase), 24) if named and phase not in seen else ""
        seen.add(phase)
        if label and begin < room:
            label = ""
        elif label:
            room = begin + (len(label) + 1) * whole / _LETTERS
        bands.append({"from": begin, "to": end, "warmup": warmup, "label": label})
    return bands


def failures_of(points: Iterable[Point]) -> Rows:
    """Return boxes: the kinds of an interval stand on each other."""
    rows: Rows = []
    floors: dict[int, int] = {}
    for point in points:
        for kind, count in point.failures.items():
            low = floors.get(point.second, 0)
            floors[point.second] = high = low + count
            span = {"from": point.second - point.seconds, "to": point.second}
            rows.append(span | {"low": low, "high": high, "kind": plain(kind), "count": count})
    return rows


def distribution_of(result: RunResult) -> Rows:
    """Return the share of each request's latencies in each bin; bins are a third of an octave."""
    latencies: dict[str, Histogram] = {}
    for labels, delta in read_series(result.series).items():
        if labels.kind == "request" and labels.is_result:
            latencies.setdefault(labels.request, Histogram()).merge(delta.latency)
    rows: Rows = []
    for row in requests_of(result)[:MOST_REQUESTS]:
        latency = latencies.get(row.name)
        if latency is not None and latency.max > 0:
            rows += _bins(_short(row.name), latency)
    return rows


def tracks_of(tracks: Sequence[Track], kind: str) -> Rows:
    """Return the tracks whose name ends in `kind`, or all that no chart is for."""
    scale = 1000 if kind == "loop_lag" else 1
    return [
        {"t": second, "name": _short(track.name), "value": value * scale}
        for track in chosen_tracks(tracks, kind)
        for second, value in zip(track.seconds, track.values, strict=False)
    ]


def chosen_tracks(tracks: Sequence[Track], kind: str) -> list[Track]:
    found = [
        track
        for track in tracks
        if track.values and (_kind(track.name) == kind if kind else not _kind(track.name))
    ]
    return found[:_MOST_TRACKS]


def search_of(steps: Iterable[SearchStep]) -> Rows:
    return [
        {
            "level": step.level,
            "p95": _ms(step.p95_ns),
            "outcome": "held" if step.held else "broke",
            "reason": plain(step.reason),
        }
        for step in steps
    ]


def ticks_of(rows: Sequence[Mapping[str, object]]) -> list[float]:
    """Return 1, 2 and 5 of each power of ten that the rows span, fewer where there are many."""
    edges = [float(str(row[key])) for row in rows for key in ("from", "to") if key in row]
    least, most = min(edges), max(edges)
    steps = (1, 2, 5) if most / least < 2_000 else (1,)
    powers = range(floor(log10(least)), ceil(log10(most)) + 1)
    ticks = [float(f"{step}e{power}") for power in powers for step in steps]
    return [tick for tick in ticks if least <= tick <= most]


def _bins(name: str, latency: Histogram) -> Rows:
    counts = _counts(latency)
    most = max(counts.values())
    rows: Rows = [
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
    first, last = _number(max(latency.min, 1)), _number(max(latency.max, 1))
    below = 0
    counts: dict[int, int] = {}
    for number in range(first, last + 1):
        upto = latency.count_at_most(round(_edge(number + 1) * 1e6))
        if upto > below:
            counts[number] = upto - below
        below = upto
    return counts


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
    last = name.rpartition(".")[2]
    return last if last in _KINDS else ""

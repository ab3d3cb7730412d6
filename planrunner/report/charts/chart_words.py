"""What each chart shows, in a sentence: for screen readers, and for readers in a hurry."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from planrunner.report.charts.chart_data import MOST_REQUESTS, chosen_tracks, drawn_of, loaded_of
from planrunner.report.findings import count_failures, most_first, requests_of
from planrunner.report.plain import plain, shorten
from planrunner.results.model import RunResult
from planrunner.results.record import Track
from planrunner.units import format_count, format_duration, format_percent, format_rate, format_size

__all__ = [
    "distribution_words",
    "failures_words",
    "latency_words",
    "load_words",
    "scaling_words",
    "search_words",
    "tracks_words",
]

_LONGEST_NAME = 60


def load_words(result: RunResult) -> str:
    rates: Counter[int] = Counter()
    for point in result.points:
        rates[point.second] += point.requests
    second, most = rates.most_common(1)[0]
    rate = format_rate(most / max(result.points[0].seconds, 1))
    users = max(point.users for point in result.points)
    at_most = f", with at most {format_count(users, 'user')}" if users else ""
    return f"The rate peaked at {rate} (at {_at(second)}){at_most}."


def latency_words(result: RunResult) -> str:
    slow = max(result.points, key=lambda point: point.p99_ns)
    usual = sorted(point.p95_ns for point in result.points if point.p95_ns)
    if not usual:
        return "No request was answered."
    middle = format_duration(usual[len(usual) // 2])
    worst = format_duration(slow.p99_ns)
    return (
        f"p95 was {middle} in a typical interval; the worst p99 was {worst} at {_at(slow.second)}."
    )


def distribution_words(result: RunResult) -> str:
    rows = requests_of(result)
    slow = max(rows, key=lambda row: row.latency_ns.get("p95", 0))
    name = shorten(plain(slow.name), _LONGEST_NAME)
    shown = (
        f"The {MOST_REQUESTS} worst of {len(rows)} requests. " if len(rows) > MOST_REQUESTS else ""
    )
    return (
        f"{shown}Darker: more of the request's latencies; black tick: p50, orange tick: p95. "
        f"Slowest: {name} with p95 {format_duration(slow.latency_ns.get('p95', 0))}."
    )


def failures_words(result: RunResult) -> str:
    kinds = most_first(count_failures(result))
    told = ", ".join(f"{count:,} {plain(kind)}" for kind, count in kinds[:4])
    return f"After the warm-up: {told}." if told else "All failures were in the warm-up."


def scaling_words(result: RunResult, *, by_rate: bool) -> str:
    points = loaded_of(drawn_of(result))
    if by_rate:
        calm = min(points, key=lambda point: point.requests / max(point.seconds, 1))
        full = max(points, key=lambda point: point.requests / max(point.seconds, 1))
        loads = [format_rate(one.requests / max(one.seconds, 1)) for one in (calm, full)]
    else:
        calm = min(points, key=lambda point: point.users)
        full = max(points, key=lambda point: point.users)
        loads = [format_count(one.users, "user") for one in (calm, full)]
    return (
        f"p95 was {format_duration(calm.p95_ns)} with {loads[0]} "
        f"and {format_duration(full.p95_ns)} with {loads[1]}."
    )


def search_words(result: RunResult) -> str:
    held = max((step.level for step in result.search if step.held), default=0)
    return f"{len(result.search)} levels were tried; the highest that held was {held:g}."


def tracks_words(tracks: Sequence[Track], kind: str) -> str:
    peaks = [
        f"{plain(track.name)} at most {_amount(max(track.values), kind)}"
        for track in chosen_tracks(tracks, kind)
    ]
    return f"{'; '.join(peaks)}."


def _amount(value: float, kind: str) -> str:
    match kind:
        case "cpu":
            return format_percent(value)
        case "rss":
            return format_size(round(value))
        case "traffic":
            return f"{format_size(round(value))}/s"
        case "loop_lag":
            return format_duration(round(value * 1e9))
        case _:
            return f"{value:.4g}"


def _at(second: int) -> str:
    minutes, seconds = divmod(second, 60)
    return f"{minutes}:{seconds:02}"

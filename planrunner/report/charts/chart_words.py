"""What each chart shows, in a sentence: for screen readers, and for readers in a hurry."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from planrunner.report.charts.chart_data import (
    MOST_REQUESTS,
    chosen_tracks,
    drawn_of,
    loaded_of,
    measured_shares,
)
from planrunner.report.findings import most_first, requests_of
from planrunner.report.plain import plain, shorten
from planrunner.results.model import RunResult
from planrunner.results.record import Track
from planrunner.units import format_count, format_duration, format_percent, format_rate, format_size

__all__ = [
    "cut_words",
    "distribution_words",
    "failures_words",
    "latency_words",
    "load_words",
    "requests_words",
    "scaling_words",
    "search_words",
    "statuses_words",
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


def failures_words(totals: Mapping[str, int], *, is_measured: bool) -> str:
    kinds = most_first(totals)
    told = ", ".join(f"{count:,} × {plain(kind)}" for kind, count in kinds[:4])
    more = f" and {len(kinds) - 4} more kinds" if len(kinds) > 4 else ""
    return f"{'After the warm-up' if is_measured else 'Failed'}: {told}{more}."


def statuses_words(totals: Mapping[str, int]) -> str:
    """Return how many replies had which status; `totals` by what charts call it."""
    whole = sum(totals.values())
    shares = [
        f"{format_percent(count / whole)} {plain(status)}"
        for status, count in most_first(totals)[:5]
    ]
    return f"Of {whole:,} requests after the warm-up: {', '.join(shares)}." if whole else ""


def requests_words(result: RunResult, count: int, shown: int) -> str:
    """Return what the chart of each request shows of `count` requests."""
    slow = max(
        (points for points in result.request_points if points.name),
        key=lambda points: max(points.p95_ns),
    )
    worst = max(slow.p95_ns)
    second = slow.seconds[slow.p95_ns.index(worst)]
    named = sum(bool(row.name) for row in requests_of(result))
    some = f"The {shown} worst of {count} requests" if count > shown else ""
    if count < named:
        some = f"{some or f'{count} requests'}, the first that were sent of {named:,}"
    some = f"{some}. " if some else ""
    name = shorten(plain(slow.name), _LONGEST_NAME)
    return f"{some}The worst p95 was {format_duration(worst)}, of {name} at {_at(second)}."


def cut_words(result: RunResult) -> str:
    """Return what charts do with the last interval of a phase, if it is not whole."""
    shares = measured_shares(result)
    if not shares or all(share == 1 for share in shares):
        return ""
    if any(0 < share < 1 for share in shares):
        return "A partial last interval is scaled to a whole one, one under half is left out."
    return "A partial last interval is left out."


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

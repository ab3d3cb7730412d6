"""A two-hour run with fifty requests, made from a seed: reports must stay small and fast."""

from __future__ import annotations

import random
from dataclasses import replace

from planrunner.metrics.histogram import Histogram
from planrunner.metrics.judging.measured import MeasuredTime
from planrunner.metrics.series import Labels
from planrunner.metrics.snapshot import Accumulated, SeriesDelta, Snapshot
from planrunner.results.aggregate import make_rows, make_totals
from planrunner.results.history import History, RunningTotals
from planrunner.results.model import RunResult
from planrunner.results.record import FailingSample, make_series, make_stretches, make_tracks
from planrunner.results.request_history import RequestHistory
from planrunner.units import NS_PER_S
from tests.support.results import make_result

__all__ = ["make_long_run"]

_NS_PER_MS = 1_000_000


def make_long_run(
    *,
    seconds: int = 7200,
    every: int = 1,
    requests: int = 50,
    factor: int = 1,
    slower: float = 1.0,
    seed: int = 7,
) -> RunResult:
    """Make a run with warm-up, ramp and hold.

    Two hours of fifty requests, looked at every 10 seconds, and a factor of 50 are ten million
    samples.

    Args:
        every: Seconds from one look at the run to the next.
        factor: Multiplies its samples, at little cost.
    """
    draw = random.Random(seed)
    total, history, by_request = Accumulated(), History(0), RequestHistory(0)
    running = RunningTotals(0)
    for second in range(0, seconds, every):
        snapshot = _second(
            draw, second, seconds=seconds, requests=requests, slower=slower, factor=factor
        )
        snapshot = replace(snapshot, end_ns=(second + every) * NS_PER_S)
        total.add(snapshot)
        history.add(snapshot)
        by_request.add(snapshot)
        running.add(snapshot)
    begin_ns, hold_ns = seconds // 60 * NS_PER_S, seconds // 6 * NS_PER_S
    measured = (
        MeasuredTime("main", "ramp", begin_ns, hold_ns),
        MeasuredTime("main", "hold", hold_ns, seconds * NS_PER_S),
    )
    gauges = {
        f"service.api.{name}": [
            (s * NS_PER_S, scale * (0.4 + 0.2 * draw.random())) for s in range(seconds)
        ]
        for name, scale in (("cpu", 1.0), ("rss", 3e8))
    }
    return replace(
        make_result(),
        plan="two hours of shopping",
        duration_seconds=float(seconds),
        totals=make_totals(total, measured),
        rows=make_rows(total, measured),
        points=history.points(),
        request_points=by_request.points(),
        progress=running.progress(),
        measured=make_stretches(measured, started_ns=0),
        series=make_series(total.totals, started_ns=0),
        tracks=make_tracks(gauges, started_ns=0),
        plan_text="name: two hours of shopping\nstages:\n  - {duration: 2h, users: 200}\n",
        failing_samples=(
            FailingSample(
                request="GET /items/07",
                phase="main",
                kind="status",
                reason="status 503",
                method="GET",
                status=503,
                second=12.5,
                latency_ns=71 * _NS_PER_MS,
                sent="GET /items/07?q=<b> HTTP/1.1\nHost: shop\nAuthorization: ***",
                received="HTTP/1.1 503 Service Unavailable\nRetry-After: 3",
            ),
        ),
    )


def _second(
    draw: random.Random, second: int, *, seconds: int, requests: int, slower: float, factor: int
) -> Snapshot:
    share = min(second / (seconds / 6), 1.0)
    users = round(10 + 190 * share)
    deltas = {}
    for n in range(requests):
        base = (1 + n % 9) * 4 * _NS_PER_MS * (1 + share * share) * slower
        values = [round(base * draw.lognormvariate(0, 0.5)) for _ in range(2 + round(4 * share))]
        labels = Labels(
            f"GET /items/{n:02}",
            "GET",
            "main",
            "ramp" if share < 1 else "hold",
            "Browser",
            f"task {n % 7}",
            status=200,
            warmup=second < seconds // 60,
        )
        latency = Histogram(values * factor)
        deltas[labels] = SeriesDelta(latency, latency, 5000, 300)
        if n % 7 == 0 and draw.random() < 0.05:
            failed = replace(labels, status=503, failure="status")
            slow = Histogram([round(base * 5)])
            deltas[failed] = SeriesDelta(slow, slow, 10, 300)
            if n == 7:
                late = replace(labels, status=0, failure="timeout")
                deltas[late] = SeriesDelta(slow, slow, 0, 300)
    return Snapshot(second * NS_PER_S, (second + 1) * NS_PER_S, {"Browser": users}, deltas)

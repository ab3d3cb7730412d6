"""Runs of 20 s against one target, measured on two processors with up to twelve others' work.

`noisy_runs.json` has of each what the target was (`A`, or `slow20`: its delays 20 % longer,
`err2`: 2 % of replies a 500, `rate10`: 10 % less load), and of some requests the intervals:
seconds, requests, failed, p50, p95 and p99 in microseconds.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from planrunner.results.model import RunResult
from planrunner.results.record import RequestPoints, Stretch
from tests.support.results import make_result

__all__ = ["NOISY_RUNS", "neighbours"]

_NS_PER_US = 1_000


def _run(data: dict[str, Any]) -> RunResult:
    points = [
        RequestPoints(
            name,
            1,
            *map(tuple, counts),
            *(tuple(us * _NS_PER_US for us in percentiles) for percentiles in latencies),
        )
        for name, (*counts, p50, p95, p99) in data["requests"].items()
        for latencies in ((p50, p95, p99),)
    ]
    measured = (Stretch("main", "hold", *data["measured_ns"]),)
    return replace(
        make_result(), request_points=tuple(points), measured=measured, run_id=str(data["number"])
    )


_DATA = json.loads(Path(__file__).with_suffix(".json").read_text("ascii"))

NOISY_RUNS: dict[tuple[str, str, int], RunResult] = {
    (data["load"], data["target"], data["number"]): _run(data) for data in _DATA
}
"""By load (`open`, `closed`), target, and place in the order in which they ran."""


def neighbours(load: str, target: str) -> Sequence[tuple[RunResult, RunResult]]:
    """Return the runs that ran just before or after each other, one of target `A` first."""
    found = {number: run for (one, kind, number), run in NOISY_RUNS.items() if one == load}
    plain = [number for (one, kind, number) in NOISY_RUNS if (one, kind) == (load, "A")]
    if target == "A":
        return [(found[n], found[n + 2]) for n in plain if n + 2 in plain]
    others = [number for (one, kind, number) in NOISY_RUNS if (one, kind) == (load, target)]
    return [(found[n], found[m]) for m in others for n in (m - 1, m + 1) if n in plain]

"""Question 20: what a worker more costs the coordinator."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import linear_regression
from typing import Any

from benchmarks.processes import run
from benchmarks.simulated_workers import LOOK_S
from planrunner.timing.spread import median

ROOT = Path(__file__).resolve().parent.parent
WORKERS = (1, 2, 4, 8, 16, 32, 64, 256)
SERIES = 500
LONGER = 4
"""How many times as long the run is that shows whether memory grows with what workers send."""
LONGEST_S = 2000
"""Seconds: each request has 600 intervals at most, whose length has doubled twice by then."""

Simulated = dict[str, Any]


def coordinator(rounds: int, seconds: int) -> dict:
    """CPU of the coordinator in a second of the run, by how many workers report to it."""
    runs: list[Simulated] = []
    for number in range(rounds):
        # The greatest number takes as long as all others together.
        for workers in WORKERS if number == 0 else WORKERS[:-1]:
            runs.append(_simulated(workers, seconds))
            print(f"  round {number + 1}: {runs[-1]}", flush=True)
    runs.append(_simulated(64, LONGER * seconds))
    longest = _simulated(1, LONGEST_S)
    runs.append({**longest, "cpu_ms": longest["cpu_ms"][:LOOK_S]})  # those after it say no more
    return {"summary": summarise(runs), "runs": runs}


def _simulated(workers: int, seconds: int) -> Simulated:
    command = [sys.executable, "-m", "benchmarks.simulated_workers"]
    outcome = run([*command, *map(str, (workers, SERIES, seconds))], cwd=ROOT)
    if outcome.exit_code:
        raise RuntimeError(outcome.errors)
    return json.loads(outcome.output)


def summarise(runs: Sequence[Simulated]) -> list[str]:
    """Say what a second costs, by the least of all seconds: others on the machine only add."""
    cpu_ms = {
        count: min(least_ms(one) for one in runs if one["workers"] == count) for count in WORKERS
    }
    few = [count for count in WORKERS if count <= 64]
    slope, _ = linear_regression(few, [cpu_ms[count] for count in few])
    short, *_, long = (one for one in runs if one["workers"] == 64)
    *_, longest = (one for one in runs if one["workers"] == 1)
    told = ", ".join(
        f"{ms / 1000:.2f} s with {count}"
        for count, ms in cpu_ms.items()
        if count in (1, 8, 64, 256)
    )
    lost = sum(one["lost"] for one in runs)
    return [
        f"{slope:.1f} ms of CPU a second of the run for a worker with {SERIES} series: {told} "
        f"(target 0.25 s with 64), and {long['kb']:.0f} KB from each (target 40)",
        f"with 64 workers {long['peak_mb']:.0f} MB after {long['seconds']} s, "
        f"{short['peak_mb']:.0f} MB after {short['seconds']} s; {lost} of "
        f"{sum(one['sent'] for one in runs):,} requests lost",
        f"with 1 worker {grown(longest)}: nothing of a longer run stays but 600 intervals of each "
        "request",
    ]


def grown(one: Simulated) -> str:
    """Say how much memory a long run had by when."""
    marks = [(number, mb) for number, mb in enumerate(one["peaks_mb"], 1) if number % 6 == 0]
    return ", ".join(f"{mb:.0f} MB after {number * LOOK_S} s" for number, mb in marks)


def least_ms(one: Simulated) -> float:
    """Return what the cheapest whole second of a run took."""
    return min(one["cpu_ms"][1 : one["seconds"]], default=median(one["cpu_ms"]))

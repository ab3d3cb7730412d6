"""Question 11: what writing every sample costs."""

from __future__ import annotations

import tempfile
from pathlib import Path

from benchmarks.generators import execute_shipped
from benchmarks.processes import nginx
from benchmarks.workers import answer_itself, wait_for_quiet

FORMATS = {"without": "metrics.json", "with": "metrics.json,results.csv"}


def samples(rounds: int, seconds: int) -> dict:
    """CPU that raw samples cost while load runs, beside what a request over HTTP takes.

    The rate of a generator that has a processor to itself is the inverse of its CPU per request.
    """
    raw: dict[str, list[float]] = {"without": [], "with": [], "over_http": []}
    with nginx(cpu=0) as port:
        for number in range(rounds):
            for name, formats in FORMATS.items():
                wait_for_quiet()
                raw[name].append(answer_itself(seconds, formats=formats)["cpu_us_per_request"])
            with tempfile.TemporaryDirectory() as folder:
                plan = "throughput.yaml", port, seconds, Path(folder)
                done = execute_shipped(*plan, formats="metrics.json")
            raw["over_http"].append(done.outcome.cpu_s / done.count * 1e6)
            found = {name: values[-1] for name, values in raw.items()}
            print(f"  round {number + 1}: {found}", flush=True)
    return {"summary": summarise(raw), "cpu_us_per_request": raw}


def summarise(raw: dict[str, list[float]]) -> list[str]:
    """Compare the least of each: what else runs on a machine only adds to the CPU of a request."""
    cpu = {name: min(values) for name, values in raw.items()}
    cost = cpu["with"] - cpu["without"]
    share = cost / (cpu["over_http"] + cost)
    return [
        f"{cost:.2f} µs of CPU a request while load runs",
        f"{share:.1%} of the rate, as a request over HTTP takes {cpu['over_http']:.1f} µs "
        "(target 15 %)",
    ]

"""Measure functions by turns with each tool, in one process, for question 13.

Every tool reads the thread's processor time, which other processes don't lengthen, and measures for
20 ms: batches of a millisecond, or of 5 ms with pyperf, which does so much between two of them that
those of a millisecond begin with cold caches. Turns are short, as the machine's speed changes.

Usage: micro_side_by_side.py TURNS; prints the medians in nanoseconds as JSON.
"""

from __future__ import annotations

import time

time.perf_counter, time.perf_counter_ns = time.thread_time, time.thread_time_ns

import io  # noqa: E402 - what reads the clock comes after it was changed
import json  # noqa: E402
import sys  # noqa: E402
from collections.abc import Callable  # noqa: E402
from contextlib import redirect_stdout  # noqa: E402
from types import SimpleNamespace  # noqa: E402

import pyperf  # noqa: E402
from pytest_benchmark.fixture import BenchmarkFixture  # noqa: E402
from pytest_benchmark.utils import NameWrapper  # noqa: E402

import planrunner  # noqa: E402
from benchmarks.micro_functions import FUNCTIONS  # noqa: E402

VALUES = 20
runner = pyperf.Runner(values=VALUES // 5, warmups=1, processes=1, min_time=0.005)
runner.parse_args(["--in-process", "--quiet"])


def by_pyperf(name: str, turn: str) -> float:
    with redirect_stdout(io.StringIO()):
        return 1e9 * runner.bench_func(f"{name} {turn}", FUNCTIONS[name]).median()


def by_pyperf_again(name: str, turn: str) -> float:
    return by_pyperf(name, f"{turn} again")


def by_planrunner(name: str, turn: str) -> float:
    del turn
    return planrunner.benchmark(FUNCTIONS[name], iterations=VALUES, warmup=1).med.ns


def by_pytest_benchmark(name: str, turn: str) -> float:
    """The fixture as its plugin makes it, with `--benchmark-timer=time.thread_time`."""
    fixture = BenchmarkFixture(
        SimpleNamespace(name=name, nodeid=turn),
        disable_gc=False,
        timer=NameWrapper(time.thread_time),
        min_rounds=VALUES,
        min_time=0.001,
        max_time=0.001 * VALUES,
        precision=0,
        confidence=0,
        warmup=False,
        warmup_iterations=0,
        calibration_precision=10,
        add_stats=lambda _: None,
        logger=SimpleNamespace(debug=lambda *_, **__: None),
        warner=None,
        disabled=False,
        cprofile=None,
        cprofile_loops=1,
        cprofile_dump=None,
    )
    fixture(FUNCTIONS[name])
    return 1e9 * fixture.stats.stats.median


TOOLS: dict[str, Callable[[str, str], float]] = {
    "pyperf": by_pyperf,
    "planrunner.benchmark": by_planrunner,
    "pytest-benchmark": by_pytest_benchmark,
    "pyperf again": by_pyperf_again,
}


def main() -> None:
    """What comes first in a turn comes last in the next one."""
    found = {tool: {name: [] for name in FUNCTIONS} for tool in TOOLS}
    for number in range(int(sys.argv[1])):
        for name in FUNCTIONS:
            for tool in TOOLS if number % 2 else reversed(TOOLS):
                found[tool][name].append(TOOLS[tool](name, str(number)))
    print(json.dumps(found))


if __name__ == "__main__":
    main()

"""Measure functions by turns with each tool, in one process, for question 13.

Every tool reads the thread's processor time, which other processes don't lengthen, and measures for
20 ms. Batches take 5 ms, as pyperf does so much between two of them that those of a millisecond
begin with cold caches, and planrunner's are of as many calls: where the machine interrupts every
few milliseconds, the median of shorter ones is without that. Turns are short, as the speed of the
machine changes.

Usage: micro_side_by_side.py TURNS; prints the medians in nanoseconds as JSON.
"""

from __future__ import annotations

import time

from planrunner.timing import batches

time.perf_counter, batches.perf_counter_ns = time.thread_time, time.thread_time_ns

import asyncio  # noqa: E402 - what reads the clock comes after it was changed
import io  # noqa: E402
import json  # noqa: E402
import sys  # noqa: E402
from collections.abc import Callable  # noqa: E402
from contextlib import redirect_stdout  # noqa: E402
from statistics import median  # noqa: E402
from types import SimpleNamespace  # noqa: E402

import pyperf  # noqa: E402
from pytest_benchmark.fixture import BenchmarkFixture  # noqa: E402
from pytest_benchmark.utils import NameWrapper  # noqa: E402

import planrunner  # noqa: E402
from benchmarks.micro_functions import FUNCTIONS  # noqa: E402
from planrunner.protocols.python.clients.call import BoundFunction  # noqa: E402
from planrunner.protocols.python.clients.client import PythonClient  # noqa: E402
from planrunner.protocols.python.operation import PythonOperation  # noqa: E402

VALUES = 4
MIN_TIME_S = 0.005
runner = pyperf.Runner(values=VALUES, warmups=1, processes=1, min_time=MIN_TIME_S)
runner.parse_args(["--in-process", "--quiet"])


def pyperf_of(name: str, turn: str) -> pyperf.Benchmark:
    with redirect_stdout(io.StringIO()):
        return runner.bench_func(f"{name} {turn}", FUNCTIONS[name])


CALLS = {name: pyperf_of(name, "before").get_total_loops() for name in FUNCTIONS}
"""Of one batch."""


def by_pyperf(name: str, turn: str) -> float:
    return 1e9 * pyperf_of(name, turn).median()


def by_pyperf_again(name: str, turn: str) -> float:
    return by_pyperf(name, f"{turn} again")


def by_planrunner(name: str, turn: str) -> float:
    del turn
    batch = CALLS[name]
    return planrunner.benchmark(FUNCTIONS[name], iterations=VALUES, warmup=1, batch=batch).med.ns


def by_step(name: str, turn: str) -> float:
    """As an inline step with `batch` does it."""
    del turn
    client = PythonClient(SimpleNamespace(now_ns=time.thread_time_ns))
    operation = PythonOperation(name, (), is_inline=True, calls=CALLS[name])
    bound = BoundFunction(operation, FUNCTIONS[name], timeout_ns=10**9)
    return asyncio.run(_median_reply(client, bound))


async def _median_reply(client: PythonClient, bound: BoundFunction) -> float:
    session, took_ns = client.session(), []
    for _ in range(1 + VALUES):
        reply = await session.send(bound, {})
        took_ns.append(reply.ended_ns - reply.sent_ns)
    await client.close()
    return median(took_ns[1:])


def by_pytest_benchmark(name: str, turn: str) -> float:
    """The fixture as its plugin makes it, with `--benchmark-timer=time.thread_time`."""
    fixture = BenchmarkFixture(
        SimpleNamespace(name=name, nodeid=turn),
        disable_gc=False,
        timer=NameWrapper(time.thread_time),
        min_rounds=VALUES,
        min_time=MIN_TIME_S,
        max_time=MIN_TIME_S * VALUES,
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
    "`python` step": by_step,
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

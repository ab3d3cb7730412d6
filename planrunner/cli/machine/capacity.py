"""Measures what planrunner can generate here, against a server that does nothing but answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from planrunner.clock import Clock, MonotonicClock
from planrunner.errors import CannotRun
from planrunner.metrics.histogram import Histogram
from planrunner.plan.bundle import Bundle
from planrunner.plan.loader import load_bundle
from planrunner.plan.params.resolve import ParamSources
from planrunner.results.loads import PhaseLoad
from planrunner.results.model import RunResult
from planrunner.runner.api import run
from planrunner.runner.request import RunRequest
from planrunner.spawn import command_of
from planrunner.units import NS_PER_MS, NS_PER_S
from planrunner.values import dataclass

__all__ = ["Capacity", "Lateness", "measure_capacity"]

_PLAN: Final = """\
name: doctor
seed: 1
http: {{base_url: "http://127.0.0.1:{port}"}}
users: {{Client: {{tasks: [{{get: /}}]}}}}
phases: [{load}]
"""
_USERS: Final = 64
_MOST_RATE: Final = 5_000
_TIMER_NS: Final = NS_PER_MS


@dataclass(frozen=True, slots=True)
class Lateness:
    """How far behind their due times things happened."""

    p50_ns: int
    p99_ns: int
    max_ns: int


@dataclass(frozen=True, slots=True)
class Capacity:
    """What came of it.

    Attributes:
        requests_per_second: As fast as 64 users without pauses send.
        cpu_share: The processors that the workers had of it, as a share of one; 0 when unknown.
        rate: Of arrivals a second that were then asked for, about half as many.
        arrivals: What became of them.
        timer: Of an empty loop's timers: what the machine itself is late.
    """

    workers: int
    requests_per_second: float
    cpu_share: float
    rate: int
    arrivals: PhaseLoad
    timer: Lateness


async def measure_capacity(seconds: int, workers: int) -> Capacity:
    """Send as fast as it goes, then at half that rate, each for `seconds`.

    Raises:
        CannotRun: The server or a worker can't be started, or requests fail.
    """
    clock = MonotonicClock()
    timer = await _timer_lateness(clock)
    async with _null_server() as port:
        closed = await _send(f"{{users: {_USERS}, hold: {seconds}s}}", port, workers)
        totals = closed.totals
        if not totals.total_requests:
            raise CannotRun(
                f"the null server answered nothing within {seconds} s",
                hint="other processes keep this machine busy: see what runs, or raise --seconds",
            )
        if totals.failed_requests:
            raise CannotRun(
                f"{totals.failed_requests:,} of {totals.total_requests:,} requests to the null "
                "server failed"
            )
        rate = min(_MOST_RATE, _round_down(totals.requests_per_second / 2))
        load = f"{{rate: {rate}/s, hold: {seconds}s}}"
        opened = await _send(load, port, workers)
    return Capacity(
        workers,
        totals.requests_per_second,
        closed.generator.cpu_share,
        rate,
        opened.loads[0],
        timer,
    )


def _round_down(number: float) -> int:
    """Return the number with two digits that mean something, and at least 10."""
    digits: int = 10 ** max(len(str(int(number))) - 2, 0)
    return max(int(number) // digits * digits, 10)


async def _timer_lateness(clock: Clock) -> Lateness:
    late = Histogram()
    due_ns = clock.now_ns()
    for _ in range(NS_PER_S // _TIMER_NS):
        due_ns = max(due_ns + _TIMER_NS, clock.now_ns())
        await clock.sleep_until(due_ns)
        late.record(clock.now_ns() - due_ns)
    p50_ns, p99_ns = late.percentiles((50, 99))
    return Lateness(p50_ns, p99_ns, late.max)


@asynccontextmanager
async def _null_server() -> AsyncIterator[int]:
    process = await asyncio.create_subprocess_exec(
        *command_of("planrunner.cli.machine.null_server"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        port = (await process.stdout.readline()).strip()
        if not port:
            raise CannotRun("the null server did not start")
        yield int(port)
    finally:
        process.stdin.close()
        await process.wait()


async def _send(load: str, port: int, workers: int) -> RunResult:
    text = _PLAN.format(port=port, load=load)
    plan = load_bundle(Bundle("doctor.yaml", {"doctor.yaml": text}), ParamSources())
    with TemporaryDirectory() as directory:
        request = RunRequest(plan, directory=Path(directory), formats=(), workers=workers)
        return await run(request)

"""A coordinator with so many workers that others only play: WORKERS SERIES SECONDS.

Time is virtual, so it takes the coordinator's processor time and no other. Workers send the bytes
that real ones send, each second; what it takes to make these is left out. Prints a JSON object.
"""

from __future__ import annotations

import asyncio
import json
import random
import resource
import sys
import time
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from planrunner.compiler import compile_plan
from planrunner.engine.coordinator.coordinator import run
from planrunner.engine.coordinator.events import Event, RunEnded, RunStarted, Tick
from planrunner.engine.coordinator.outcome import RunOutcome
from planrunner.engine.recording.counters import Counters
from planrunner.engine.recording.gc_tuning import keep_collections_short
from planrunner.engine.recording.generator_health import Health
from planrunner.engine.steps.step_services import LogSink
from planrunner.engine.workers.codec import MessageCodec
from planrunner.engine.workers.local import Drained
from planrunner.engine.workers.messages import Begin, Ended, Ready, Start, WorkerSecond, fingerprint
from planrunner.engine.workers.worker_state import ClockFacts
from planrunner.graph.run_graph import RunGraph
from planrunner.metrics.book import SeriesBook
from planrunner.metrics.series import Labels
from planrunner.plan.loader import load
from planrunner.units import NS_PER_MS, NS_PER_S
from tests.support.virtual_time import VirtualClock, run_virtual

PLAN: Final = Path(__file__).resolve().parent / "plans" / "throughput.yaml"
STATUSES: Final = (200, 201, 404, 429, 503)
SAMPLES: Final = 20
"""Of each series in a second of each worker: one that sends 10,000 requests a second."""

LOOK_S: Final = 100
"""How often it is looked at how much memory there was at most."""

DIFFERENT: Final = 8
"""Workers that have latencies of their own; every eighth sends the same, which is no less work."""


class Play:
    """What workers have in common.

    Attributes:
        took_ns: What it took to play them.
        sent: How many requests they have reported.
        said_bytes: Of the last second of one of them, whose labels were told before.
    """

    def __init__(self, series: int) -> None:
        self.took_ns = self.sent = self.said_bytes = 0
        self._rand = random.Random(7)
        self._said: dict[tuple[int, int], bytes] = {}
        self._writers = [MessageCodec() for _ in range(DIFFERENT)]
        self._labels = [
            Labels(
                f"GET /items/{n // len(STATUSES)}",
                *("GET", "main", "hold", "Client", "GET /kv/:key"),
                status=STATUSES[n % len(STATUSES)],
                protocol="http",
            )
            for n in range(series)
        ]

    def second(self, number: int, worker: int, end_ns: int) -> bytes:
        """Return what a worker says of a second."""
        began_ns = time.process_time_ns()
        kind = worker % DIFFERENT
        key = number, kind
        if key not in self._said:
            self._said = {one: said for one, said in self._said.items() if one[0] == number}
            self._said[key] = self._writers[kind].dumps(self._said_of(number, end_ns))
        self.sent += len(self._labels) * SAMPLES
        self.said_bytes = len(self._said[key])
        self.took_ns += time.process_time_ns() - began_ns
        return self._said[key]

    def _said_of(self, number: int, end_ns: int) -> WorkerSecond:
        book = SeriesBook(end_ns - NS_PER_S)
        for labels in self._labels:
            series = book.series(labels)
            series.same_ns = [round(self._rand.lognormvariate(17, 0.5)) for _ in range(SAMPLES)]
            series.received = 51 * SAMPLES
        counters = Counters(
            started=Counter({("main", "Client"): 1}),
            picks=Counter({("main", "Client", "GET /kv/:key"): number * len(self._labels)}),
        )
        drained = Drained(book.drain(end_ns, {"Client": 1}), counters, Health(0, 0.5), LogSink())
        return WorkerSecond(number, drained, {"main": end_ns + NS_PER_S})


class PlayedWorker:
    """A worker as the coordinator reaches it, and both ends of the way to it."""

    def __init__(self, number: int, play: Play, graph: RunGraph, seconds: int) -> None:
        self.name, self.host = f"worker {number}", f"host {number // 4}"
        self.clock, self.transport = ClockFacts(), self
        self._play = play
        self._number = number
        self._seconds = seconds
        self._started_ns = 0
        self._reader = MessageCodec()
        self._inbox: asyncio.Queue[bytes] = asyncio.Queue()
        self._say(Ready(fingerprint(graph)))
        self._task: asyncio.Task[None] | None = None

    def _say(self, message: object) -> None:
        self._inbox.put_nowait(MessageCodec().dumps(message))

    def send(self, message: object) -> None:
        if isinstance(message, Start):
            self._started_ns = message.started_ns
        elif isinstance(message, Begin):
            self._task = asyncio.get_running_loop().create_task(self._live(message.begin_ns))

    async def _live(self, begin_ns: int) -> None:
        clock = VirtualClock()
        for number in range(1, self._seconds + 1):
            end_ns = self._started_ns + number * NS_PER_S
            await clock.sleep_until(end_ns + NS_PER_MS)
            self._inbox.put_nowait(self._play.second(number, self._number, end_ns))
        await clock.sleep_until(end_ns + NS_PER_S // 2)
        self._say(Ended("main", begin_ns))

    async def receive(self) -> object:
        return self._reader.loads(await self._inbox.get())

    async def fate(self) -> str:
        return "has ended"

    def kill(self) -> None:
        """It ends by itself."""

    async def close(self) -> None:
        if self._task is not None:
            await self._task


def simulate(workers: int, series: int, seconds: int) -> dict[str, Any]:
    """Run so long with so many workers; return what it took and whether anything is missing."""
    graph = compile_plan(load(PLAN, overrides={"hold": f"{seconds}s"}, environ={}), seed=7)
    play = Play(series)
    ticks: list[int] = []
    cpu_ns: list[int] = []
    peaks_mb: list[float] = []

    def own_ns() -> int:
        return time.process_time_ns() - play.took_ns

    def listen(event: Event) -> None:
        if isinstance(event, RunStarted | Tick | RunEnded):
            cpu_ns.append(own_ns())
        if isinstance(event, Tick):
            ticks.append(event.second)
            if event.second % LOOK_S == 0:
                peaks_mb.append(_peak_mb())

    async def main() -> RunOutcome:
        handles = [PlayedWorker(number, play, graph, seconds) for number in range(workers)]
        return await run(graph, clients={}, clock=VirtualClock(), listener=listen, handles=handles)

    outcome = run_virtual(main())
    counted = sum(total.count for total in outcome.total.totals.values())
    return {
        "workers": workers,
        "series": series,
        "cpu_ms": [round((after - before) / NS_PER_MS, 2) for before, after in pairwise(cpu_ns)],
        "seconds": len(ticks),
        "peak_mb": _peak_mb(),
        "peaks_mb": peaks_mb,
        "sent": play.sent,
        "kb": play.said_bytes / 1000,
        "lost": play.sent - counted,
    }


def _peak_mb() -> float:
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)


if __name__ == "__main__":
    keep_collections_short()
    print(json.dumps(simulate(*map(int, sys.argv[1:]))))

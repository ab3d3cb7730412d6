"""A bare open-loop probe: PORT RATE SECONDS; with port 0 an empty timer loop. Prints JSON.

Nothing but due times, one connection per request in flight, and a clock: what a load generator
could measure at best on this machine. With a port it waits as planrunner does, because a loop that
turns is preempted for it and measures that; the empty timer loop has the loop's own timers.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import Any

from planrunner.clock import MonotonicClock

NOW = time.perf_counter_ns


class Connection(asyncio.Protocol):
    """Sends a request, and notes when the last byte of its reply was there."""

    def __init__(self, idle: list[Connection], found: list[int]) -> None:
        self.idle, self.found = idle, found
        self.due_ns = 0

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.found.append(NOW() - self.due_ns)  # replies are short: they come in one piece
        self.idle.append(self)


async def main(port: int, rate: int, seconds: int) -> dict[str, object]:
    loop = asyncio.get_running_loop()
    request = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    idle: list[Connection] = []
    found: list[int] = []
    lateness: list[int] = []
    for _ in range(200 if port else 0):
        _, made = await loop.create_connection(lambda: Connection(idle, found), "127.0.0.1", port)
        idle.append(made)
    clock = MonotonicClock()
    begin_ns = NOW()
    for n in range(rate * seconds):
        due_ns = begin_ns + n * 1_000_000_000 // rate
        while (now_ns := NOW()) < due_ns:
            if port:
                await clock.sleep_until(due_ns)
            else:
                await asyncio.sleep((due_ns - now_ns) / 1e9)
        lateness.append(now_ns - due_ns)
        if port:
            while not idle:  # noqa: ASYNC110 - as simple as can be
                await asyncio.sleep(0.001)
            connection = idle.pop()
            connection.due_ns = due_ns
            connection.transport.write(request)
    await asyncio.sleep(1.5)
    return {
        "requests": len(found),
        "late_p99_ms": _percentile(lateness, 99),
        **{f"p{p}_ms": _percentile(found, p) for p in (50, 95, 99) if found},
    }


def _percentile(values: list[int], percent: float) -> float:
    ordered = sorted(values)
    return ordered[max(0, int(-(-len(ordered) * percent // 100)) - 1)] / 1e6


if __name__ == "__main__":
    try:
        import uvloop

        runner: Any = uvloop.run
    except ImportError:
        runner = asyncio.run
    print(json.dumps(runner(main(*map(int, sys.argv[1:4])))))

"""Where time comes from: everything that waits or measures takes a `Clock`."""

from __future__ import annotations

import asyncio
import time
from typing import Protocol

from planrunner.units import NS_PER_S

__all__ = ["Clock", "MonotonicClock"]


class Clock(Protocol):
    """A monotonic clock in integer nanoseconds; its zero has no meaning."""

    def now_ns(self) -> int: ...

    async def sleep_until(self, due_ns: int) -> None:
        """Return at or after `due_ns`, never before; at once if it has passed."""


class MonotonicClock:
    """Real time. Reads `perf_counter_ns`, not `loop.time()`: uvloop's ticks once a millisecond."""

    # A plain function as attribute: one call less on the hot path than a method would cost.
    now_ns = staticmethod(time.perf_counter_ns)

    async def sleep_until(self, due_ns: int) -> None:
        # Timers may fire early (uvloop rounds to 1 ms), so wake and look again.
        while (wait_ns := due_ns - self.now_ns()) > 0:
            await asyncio.sleep(wait_ns / NS_PER_S)

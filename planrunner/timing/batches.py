"""Calls in batches: as many as make a millisecond, found by trying before anything is measured."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from time import perf_counter_ns
from typing import Final

from planrunner.units import NS_PER_MS

__all__ = ["BATCH_NS", "MOST_CALLS", "SLOW_NS", "Calibration", "time_awaits", "time_calls"]

BATCH_NS: Final = NS_PER_MS
"""What a batch takes at least. Reading the clock twice costs some 100 ns, which is 0.01 % of it.

Source: pyperf's `--min-time` of a raw value is 100 ms for its 3 values in each of 20 processes, and
it warns below 1 ms ("shortest raw value"). Samples of 1 ms give a thousand of them in a second.
"""

MOST_CALLS: Final = 10_000_000
SLOW_NS: Final = 100 * NS_PER_MS
"""A call that takes so long is not repeated to find out how many calls make a batch."""

_ATTEMPTS: Final = 3
_HEADROOM: Final = 1.1
_STEEPEST: Final = 10


class Calibration:
    """Finds how many calls make a batch.

    Whoever times the calls asks for `calls`, times a batch of so many and adds what it took, until
    `is_done`. The fastest of three batches counts, so a disturbance doesn't make batches short; one
    that takes `SLOW_NS` isn't repeated for that.

    Args:
        batch_ns: What a batch must take.

    Attributes:
        calls: How many calls to time next, and in each batch once it is done.
        is_done: Whether `calls` is the answer.
    """

    __slots__ = ("_attempts", "_batch_ns", "_fastest_ns", "_spent_ns", "calls", "is_done")

    def __init__(self, batch_ns: int = BATCH_NS) -> None:
        self._batch_ns = batch_ns
        self.calls = 1
        self.is_done = False
        self._attempts = self._fastest_ns = self._spent_ns = 0

    def add(self, took_ns: int) -> None:
        """Take what `calls` calls took."""
        self._attempts += 1
        self._spent_ns += took_ns
        self._fastest_ns = min(self._fastest_ns, took_ns) if self._attempts > 1 else took_ns
        if self._attempts < _ATTEMPTS and self._spent_ns < SLOW_NS:
            return
        if self._fastest_ns >= self._batch_ns or self.calls >= MOST_CALLS:
            self.is_done = True
        else:
            self._begin(self._more())

    def _begin(self, calls: int) -> None:
        self.calls = calls
        self._attempts = self._fastest_ns = self._spent_ns = 0

    def _more(self) -> int:
        """Return a greater number: at most ten times as many, as short batches are imprecise."""
        exact = self.calls * self._batch_ns / max(self._fastest_ns, 1) * _HEADROOM
        return min(max(int(exact), self.calls + 1), self.calls * _STEEPEST, MOST_CALLS)


def time_calls(call: Callable[[], object], calls: int) -> int:
    """Return what so many calls took together, in nanoseconds, the loop around them included.

    Source: the loop of pyperf's `bench_func` and of pytest-benchmark, so that figures agree.
    """
    numbers = range(calls)
    now_ns = perf_counter_ns
    began_ns = now_ns()
    for _ in numbers:
        call()
    return now_ns() - began_ns


async def time_awaits(call: Callable[[], Awaitable[object]], calls: int) -> int:
    """Return what so many calls took, each awaited before the next one, in nanoseconds."""
    numbers = range(calls)
    now_ns = perf_counter_ns
    began_ns = now_ns()
    for _ in numbers:
        await call()
    return now_ns() - began_ns

"""What a call costs that does nothing: shown beside figures, and never subtracted from them."""

from __future__ import annotations

from collections.abc import Coroutine
from enum import StrEnum
from functools import cache
from typing import Final

from planrunner.errors import Misuse
from planrunner.timing.batches import Calibration, time_awaits, time_calls
from planrunner.timing.spread import median

__all__ = ["CallKind", "empty_call", "empty_call_ns", "empty_coroutine"]

_BATCHES: Final = 15


class CallKind(StrEnum):
    """How a function is called."""

    PLAIN = "def"
    COROUTINE = "async def"


def empty_call() -> None:
    """Do nothing."""


async def empty_coroutine() -> None:
    """Do nothing, and wait for nothing."""


@cache
def empty_call_ns(kind: CallKind) -> float:
    """Return what an empty function of a kind costs a call, in nanoseconds.

    It is the median of 15 batches, measured once in a process: some 30 ms, so ask before the load.
    """
    timed = _timed_awaits if kind is CallKind.COROUTINE else _timed_calls
    calibration = Calibration()
    while not calibration.is_done:
        calibration.add(timed(calibration.calls))
    calls = calibration.calls
    return median([timed(calls) / calls for _ in range(_BATCHES)])


def _timed_calls(calls: int) -> int:
    return time_calls(empty_call, calls)


def _timed_awaits(calls: int) -> int:
    return _without_a_loop(time_awaits(empty_coroutine, calls))


def _without_a_loop(never_waits: Coroutine[object, None, int]) -> int:
    """Run a coroutine that waits for nothing, whether or not an event loop runs here."""
    try:
        never_waits.send(None)
    except StopIteration as end:
        taken: int = end.value
        return taken
    raise Misuse("an empty coroutine waits")

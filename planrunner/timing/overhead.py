"""What a call costs that does nothing: shown beside figures, and never subtracted from them."""

from __future__ import annotations

from collections.abc import Coroutine
from enum import StrEnum
from functools import cache, partial
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
def empty_call_ns(kind: CallKind, *, with_arguments: bool = False) -> float:
    """Return what an empty function of a kind costs a call, in nanoseconds.

    It is the median of 15 batches, measured once in a process: some 30 ms, so ask before the load.

    Args:
        kind: How it is called.
        with_arguments: Whether a `functools.partial` gives it an argument.
    """
    timed = partial(_TIMED[kind], with_arguments=with_arguments)
    calibration = Calibration()
    while not calibration.is_done:
        calibration.add(timed(calibration.calls))
    calls = calibration.calls
    return median([timed(calls) / calls for _ in range(_BATCHES)])


def _timed_calls(calls: int, *, with_arguments: bool) -> int:
    return time_calls(partial(_take, None) if with_arguments else empty_call, calls)


def _timed_awaits(calls: int, *, with_arguments: bool) -> int:
    call = partial(_take_later, None) if with_arguments else empty_coroutine
    return _without_a_loop(time_awaits(call, calls))


_TIMED: Final = {CallKind.PLAIN: _timed_calls, CallKind.COROUTINE: _timed_awaits}


def _take(_argument: object) -> None:
    """Do nothing with an argument."""


async def _take_later(_argument: object) -> None:
    """Do nothing with an argument."""


def _without_a_loop(never_waits: Coroutine[object, None, int]) -> int:
    """Run a coroutine that waits for nothing, whether or not an event loop runs here."""
    try:
        never_waits.send(None)
    except StopIteration as end:
        taken: int = end.value
        return taken
    raise Misuse("an empty coroutine waits")

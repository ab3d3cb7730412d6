"""Where time comes from: everything that waits or measures takes a `Clock`."""

from __future__ import annotations

import asyncio
import heapq
import os
import sys
import time
import weakref
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from itertools import count
from typing import Any, Final, Protocol

from planrunner.units import NS_PER_MS, NS_PER_S, NS_PER_US

__all__ = ["SLEW_PPM", "Clock", "MonotonicClock", "ShiftedClock", "Wakeable"]

SLEW_PPM: Final = 500
"""How much faster or slower than time itself a clock goes that follows another one.

As fast as clocks of hosts drift apart at most: crystals are within 100 ppm, and what corrects them
may add this much. Source: `adjtime(3)`, and `MAXFREQ` of Linux's ntp.c. A latency is 0.05 % wrong
then, where a histogram rounds it to 0.4 %.
"""

_STEP_NS: Final = 2 * NS_PER_MS
"""Between two steps of such a clock, of 1 µs each: what few figures of a run resolve."""

_STEP_MOST_NS: Final = 10 * NS_PER_US
"""Of a step that comes late."""

_SPACING_NS: Final = 20 * NS_PER_US
"""Between two wakings at least: what is due in between has to wait, or the loop would spin."""

_LEAST_STALE: Final = 256
"""Entries to keep without looking for those whose sleeper has gone."""

_COARSE_NS: Final = NS_PER_MS
_MONOTONIC: Final = 1  # CLOCK_MONOTONIC of Linux
_FLAGS: Final = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)


_SetTimer = Callable[[int], object]
"""Ring after so many nanoseconds, and not as set before; never, for 0."""


class Wakeable(Protocol):
    """Whom a clock wakes: a future, or who has what a clock asks of one."""

    def done(self) -> bool: ...

    def set_result(self, result: None, /) -> None: ...

    def get_loop(self) -> asyncio.AbstractEventLoop: ...


class Clock(Protocol):
    """A monotonic clock in integer nanoseconds; its zero has no meaning."""

    def now_ns(self) -> int: ...

    async def sleep_until(self, due_ns: int) -> None:
        """Return at or after `due_ns`, never before; at once if it has passed."""

    def wake(self, waiter: Wakeable, due_ns: int) -> None:
        """Complete `waiter` at or after `due_ns`, never before, unless it is done by then."""


class MonotonicClock:
    """Real time. Reads `perf_counter_ns`, not `loop.time()`: uvloop's ticks once a millisecond."""

    # A plain function as attribute: one call less on the hot path than a method would cost.
    now_ns = staticmethod(time.perf_counter_ns)

    def __init__(self) -> None:
        self._alarm: _Alarm | None = None
        _timer_functions()  # loaded here, not when the first user waits

    async def sleep_until(self, due_ns: int) -> None:
        if due_ns > self.now_ns():
            waiter = asyncio.get_running_loop().create_future()
            self.wake(waiter, due_ns)
            await waiter

    def wake(self, waiter: Wakeable, due_ns: int) -> None:
        loop = waiter.get_loop()
        alarm = self._alarm
        if alarm is None or alarm.loop is not loop:
            alarm = self._alarm = _Alarm(loop, self.now_ns)
        alarm.add(waiter, due_ns)


class ShiftedClock(MonotonicClock):
    """The time of another host: this one's, and how far the other one is ahead.

    It goes at the pace of this host's clock, and follows the other one in steps: a pace of its own
    would cost a multiplication whenever it is read. Who reads it never reads less than before.

    Args:
        offset_ns: The other host's time, less this one's.
        local_ns: This host's time.
    """

    def __init__(
        self, offset_ns: int, *, local_ns: Callable[[], int] = time.perf_counter_ns
    ) -> None:
        super().__init__()
        self._local_ns = local_ns
        self.now_ns, self._move = _shifted(offset_ns, local_ns)
        self._left_ns = 0
        self._offset_ns = offset_ns
        self._is_moving = False

    def follow(self, offset_ns: int) -> None:
        """Go over to another offset by and by: at most `SLEW_PPM` faster or slower than time."""
        self._left_ns = offset_ns - self._offset_ns
        if not self._is_moving:
            self._step_later()

    def _step_later(self) -> None:
        self._is_moving = self._left_ns != 0
        if self._is_moving:
            loop = asyncio.get_running_loop()
            loop.call_later(_STEP_NS / NS_PER_S, self._step, self._local_ns())

    def _step(self, since_ns: int) -> None:
        most_ns = min((self._local_ns() - since_ns) * SLEW_PPM // 1_000_000, _STEP_MOST_NS)
        step_ns = max(-most_ns, min(self._left_ns, most_ns))
        self._move(step_ns)
        self._offset_ns += step_ns
        self._left_ns -= step_ns
        if self._alarm is not None:
            self._alarm.moved()
        self._step_later()


def _shifted(
    offset_ns: int, local_ns: Callable[[], int]
) -> tuple[Callable[[], int], Callable[[int], None]]:
    """Return what reads a clock, as cheaply as can be, and what moves it."""

    def now_ns() -> int:
        return offset_ns + local_ns()  # in this order, a thread can't read one without the other

    def move(step_ns: int) -> None:
        nonlocal offset_ns
        read_ns = local_ns()
        while local_ns() + step_ns < read_ns:  # a step back waits until it shows no more
            pass
        offset_ns += step_ns

    return now_ns, move


class _Alarm:
    """All sleepers of one event loop, behind one timer that is set for the first of them.

    The loop's own timers are of no use for this: uvloop's fire up to a millisecond early or late,
    and turn the loop without a pause for what is due in less than half of one.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, now_ns: Callable[[], int]) -> None:
        self.loop = loop
        self._now_ns = now_ns
        self._sleepers: list[tuple[int, int, Wakeable]] = []
        self._number: Callable[[], int] = count().__next__  # waiters can't be compared
        self._set_for_ns = 0  # 0 when it is not set
        self._many = _LEAST_STALE
        self._set = self._fine_timer() or _coarse_timer(loop, self._ring)

    def _fine_timer(self) -> _SetTimer | None:
        """Make a timer of the kernel that the loop waits for as it does for a socket."""
        made = _kernel_timer()
        if made is None:
            return None
        descriptor, set_timer = made
        weakref.finalize(self, os.close, descriptor)
        try:
            # Setting it again takes back that it has rung, so reading from it is not needed.
            self.loop.add_reader(descriptor, self._ring)
        except NotImplementedError:
            return None
        return set_timer

    def add(self, waiter: Wakeable, due_ns: int) -> None:
        sleepers = self._sleepers
        if len(sleepers) >= self._many:
            self._forget_gone()
        heapq.heappush(sleepers, (due_ns, self._number(), waiter))
        if not self._set_for_ns or due_ns < self._set_for_ns:
            self._set_for(due_ns, self._now_ns())

    def moved(self) -> None:
        """The clock has made a step: what is far away comes sooner now, or later."""
        now_ns = self._now_ns()
        if self._sleepers and self._sleepers[0][0] > now_ns + _STEP_NS:
            self._set_for(self._sleepers[0][0], now_ns)

    def _set_for(self, due_ns: int, now_ns: int) -> None:
        wait_ns = max(due_ns - now_ns, _SPACING_NS)
        self._set_for_ns = now_ns + wait_ns
        self._set(wait_ns)

    def _ring(self) -> None:
        sleepers, now_ns = self._sleepers, self._now_ns()
        while sleepers and (sleepers[0][0] <= now_ns or sleepers[0][2].done()):
            waiter = heapq.heappop(sleepers)[2]
            if not waiter.done():
                waiter.set_result(None)
        if sleepers:  # read anew, as waiters may have done their work at once
            self._set_for(sleepers[0][0], self._now_ns())
        else:
            self._set_for_ns = 0
            self._set(0)

    def _forget_gone(self) -> None:
        """Drop the entries of sleepers that were woken or cancelled before their time."""
        self._sleepers[:] = [entry for entry in self._sleepers if not entry[2].done()]
        heapq.heapify(self._sleepers)
        self._many = max(_LEAST_STALE, 2 * len(self._sleepers))


def _coarse_timer(loop: asyncio.AbstractEventLoop, ring: Callable[[], None]) -> _SetTimer:
    """Make a timer of the loop's own, which may ring early but is set again then."""
    timer: asyncio.TimerHandle | None = None

    def set_timer(wait_ns: int) -> None:
        nonlocal timer
        if timer is not None:
            timer.cancel()
        timer = loop.call_later(max(wait_ns, _COARSE_NS) / NS_PER_S, ring) if wait_ns else None

    return set_timer


def _kernel_timer() -> tuple[int, _SetTimer] | None:
    """Return a descriptor that becomes readable when time is up; None where there are none."""
    functions = _timer_functions()
    if functions is None:
        return None
    create, settime = functions
    descriptor = create()
    return None if descriptor < 0 else (descriptor, lambda wait_ns: settime(descriptor, wait_ns))


@cache
def _timer_functions() -> tuple[Callable[[], int], Callable[[int, int], object]] | None:
    """Find what makes such a timer (negative: it can't), and what sets one."""
    if sys.platform != "linux":
        return None
    return _of_python() if hasattr(os, "timerfd_create") else _of_libc()


def _of_python() -> tuple[Callable[[], int], Callable[[int, int], object]]:
    """Python has them from 3.13 on."""
    module: Any = os

    def create() -> int:
        with suppress(OSError):
            return int(module.timerfd_create(_MONOTONIC, flags=_FLAGS))
        return -1

    def settime(descriptor: int, wait_ns: int) -> object:
        return module.timerfd_settime_ns(descriptor, initial=wait_ns)

    return create, settime


def _of_libc() -> tuple[Callable[[], int], Callable[[int, int], object]] | None:
    import ctypes  # noqa: PLC0415 - takes milliseconds that only runs need

    class Itimerspec(ctypes.Structure):
        _fields_ = tuple(
            (name, ctypes.c_long) for name in ("interval_s", "interval_ns", "wait_s", "wait_ns")
        )

    try:
        libc = ctypes.CDLL(None)
        timerfd_create, timerfd_settime = libc.timerfd_create, libc.timerfd_settime
    except (AttributeError, OSError):
        return None
    timerfd_settime.argtypes = (ctypes.c_int, ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)
    spec = Itimerspec()
    address = ctypes.byref(spec)

    def create() -> int:
        return int(timerfd_create(_MONOTONIC, _FLAGS))

    def settime(descriptor: int, wait_ns: int) -> object:
        spec.wait_s, spec.wait_ns = divmod(wait_ns, NS_PER_S)
        return timerfd_settime(descriptor, 0, address, None)

    return create, settime

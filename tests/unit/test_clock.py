"""Real time: never early, whatever the loop; cheap to wait in; nothing is left behind."""

from __future__ import annotations

import asyncio
import gc
import itertools
import sys
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planrunner import clock as clock_module
from planrunner.clock import SLEW_PPM, MonotonicClock, ShiftedClock
from planrunner.units import NS_PER_MS, NS_PER_S, NS_PER_US
from tests.support.virtual_time import VirtualTimeLoop

T = TypeVar("T")
Loops = Callable[[], asyncio.AbstractEventLoop]


def loops() -> list[Loops]:
    found: list[Loops] = [asyncio.new_event_loop]
    try:
        import uvloop  # noqa: PLC0415 - not everywhere
    except ImportError:
        return found
    return [*found, uvloop.new_event_loop]


def run(main: Coroutine[Any, Any, T], new_loop: Loops = asyncio.new_event_loop) -> T:
    with asyncio.Runner(loop_factory=new_loop) as runner:
        return runner.run(main)


@pytest.fixture(params=["fine", "coarse"])
def timer(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """The kernel's timer, where there is one, and the loop's."""
    if request.param == "coarse":
        monkeypatch.setattr(clock_module, "_timer_functions", lambda: None)
    return str(request.param)


@pytest.mark.parametrize("ahead_ns", [None, 0, -NS_PER_S, 10**15])
@pytest.mark.parametrize("new_loop", loops())
def test_nobody_is_woken_before_the_due_time(
    timer: str, new_loop: Loops, ahead_ns: int | None
) -> None:
    """Also not for waits far below a millisecond, nor by the time of another host as it moves."""
    clock = MonotonicClock() if ahead_ns is None else ShiftedClock(ahead_ns)

    async def early(due_ns: int) -> int:
        await clock.sleep_until(due_ns)
        return due_ns - clock.now_ns()

    async def main() -> list[int]:
        if isinstance(clock, ShiftedClock) and ahead_ns is not None:
            clock.follow(ahead_ns - NS_PER_MS)
        begin_ns = clock.now_ns()
        dues = [begin_ns + n * 70 * NS_PER_US for n in (-3, 0, 1, 1, 2, 9, 150, 40, 3)]
        return await asyncio.gather(*map(early, dues))

    assert max(run(main(), new_loop)) <= 0


def test_sleepers_wake_in_the_order_of_their_due_times(timer: str) -> None:
    """Whoever is due first is woken first, whenever it lay down."""
    clock = MonotonicClock()
    woken: list[int] = []

    async def sleep(number: int, due_ns: int) -> None:
        await clock.sleep_until(due_ns)
        woken.append(number)

    async def main() -> None:
        begin_ns = clock.now_ns() + 100 * NS_PER_MS  # all lie down before, on a busy machine too
        order = (5, 1, 4, 2, 3)
        await asyncio.gather(*(sleep(n, begin_ns + n * NS_PER_MS) for n in order))

    run(main())
    assert woken == [1, 2, 3, 4, 5]


def test_who_is_woken_by_another_does_not_hold_up_the_rest(timer: str) -> None:
    """A cancelled sleeper is passed over, and those behind it wake."""
    clock = MonotonicClock()

    async def main() -> str:
        now_ns = clock.now_ns()
        first = asyncio.create_task(clock.sleep_until(now_ns + 90 * NS_PER_MS))
        second = asyncio.create_task(clock.sleep_until(now_ns + 91 * NS_PER_MS))
        await asyncio.sleep(0)
        first.cancel()
        await second
        return "cancelled" if first.cancelled() else "woken"

    assert run(main()) == "cancelled"


def test_sleepers_that_have_gone_are_forgotten() -> None:
    """A timeout that cuts a long pause again and again leaves no entry for each."""
    clock = MonotonicClock()

    async def main() -> int:
        loop = asyncio.get_running_loop()
        for _ in range(5_000):
            waiter = loop.create_future()
            clock.wake(waiter, clock.now_ns() + 3_600_000 * NS_PER_MS)
            waiter.cancel()
        alarm = clock._alarm
        assert alarm is not None
        return len(alarm._sleepers)

    assert run(main()) <= 256


def test_one_clock_serves_one_loop_after_the_other() -> None:
    """Nothing of the first loop is asked for by the second."""
    clock = MonotonicClock()
    for _ in range(2):
        run(clock.sleep_until(clock.now_ns() + NS_PER_MS))


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="counts descriptors in /proc")
@pytest.mark.parametrize("new_loop", loops())
def test_no_descriptor_is_left_open(new_loop: Loops) -> None:
    """Each loop's timer is closed once the loop has gone."""

    def sleep() -> None:
        clock = MonotonicClock()
        run(clock.sleep_until(clock.now_ns() + 100 * NS_PER_US), new_loop)

    sleep()
    gc.collect()
    before = open_files()
    for _ in range(10):
        sleep()
    gc.collect()
    assert open_files() <= before


@pytest.mark.slow
@pytest.mark.parametrize("new_loop", loops())
def test_short_waits_leave_the_processor_to_others(new_loop: Loops) -> None:
    """A thousand waits of 0.3 ms are slept: turning the loop would take all of the time."""
    clock = MonotonicClock()

    async def main() -> float:
        begin_ns, began_s = clock.now_ns(), time.process_time()
        for n in range(1_000):
            await clock.sleep_until(begin_ns + n * 300 * NS_PER_US)
        return (time.process_time() - began_s) * 1e9 / (clock.now_ns() - begin_ns)

    assert run(main(), new_loop) < 0.7


class Shifted:
    """A `ShiftedClock` in virtual time, in which each reading of the host's takes 50 ns."""

    def __init__(self, offset_ns: int) -> None:
        self._loop = asyncio.get_running_loop()
        self.clock = ShiftedClock(offset_ns, local_ns=self.local_ns)

    def local_ns(self) -> int:
        assert isinstance(self._loop, VirtualTimeLoop)
        self._loop.stall(50)
        return self._loop.now_ns()


def run_shifted(main: Coroutine[Any, Any, T]) -> T:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clock_module, "_timer_functions", lambda: None)
        return run(main, VirtualTimeLoop)


@settings(max_examples=12)
@given(
    st.integers(-(10**15), 10**15),
    st.lists(st.tuples(st.integers(0, 60), st.integers(-25_000, 25_000)), min_size=1, max_size=5),
    st.lists(st.integers(-1, 200 * NS_PER_MS), max_size=5),
)
def test_a_clock_follows_another_one(
    offset_ns: int, moves: list[tuple[int, int]], waits_ns: list[int]
) -> None:
    """It never goes back, nor faster than it may; nobody wakes early; in the end both agree."""

    async def main() -> tuple[int, list[tuple[int, int]], list[int]]:
        shifted = Shifted(offset_ns)
        clock = shifted.clock

        async def early(wait_ns: int) -> int:
            due_ns = clock.now_ns() + wait_ns
            await clock.sleep_until(due_ns)
            return due_ns - clock.now_ns()

        async def follow() -> None:
            for wait_ms, by_ns in moves:
                await asyncio.sleep(wait_ms / 1000)
                clock.follow(offset_ns + by_ns)

        async def read() -> list[tuple[int, int]]:
            found = []
            for _ in range(100):
                found.append((shifted.local_ns(), clock.now_ns()))
                await asyncio.sleep(0.0041)
            return found

        found, _, *earlier = await asyncio.gather(read(), follow(), *map(early, waits_ns))
        return clock.now_ns() - shifted.local_ns(), found, earlier

    apart_ns, found, earlier = run_shifted(main())

    assert apart_ns == pytest.approx(offset_ns + moves[-1][1], abs=51)
    assert max(earlier, default=0) <= 0
    for (before, was_ns), (after, is_ns) in itertools.pairwise(found):
        took_ns = after - before
        assert is_ns > was_ns
        assert abs(is_ns - was_ns - took_ns) <= 2 * took_ns * SLEW_PPM // 10**6 + 100


@pytest.mark.parametrize("step_ns", [-7_000, -1, 0, 3_000])
def test_no_step_is_seen_as_time_that_goes_back(step_ns: int) -> None:
    """Who reads the clock right before and after it."""
    clock = ShiftedClock(NS_PER_S)

    before = clock.now_ns()
    clock._move(step_ns)

    assert clock.now_ns() >= before


def test_a_long_sleep_ends_when_the_other_clock_says_so() -> None:
    """A timer that was set before the clock went on would be two milliseconds late here."""

    async def main() -> int:
        clock = Shifted(0).clock
        due_ns = clock.now_ns() + 4 * NS_PER_S
        clock.follow(2 * NS_PER_MS)
        await clock.sleep_until(due_ns)
        return clock.now_ns() - due_ns

    assert 0 <= run_shifted(main()) <= NS_PER_MS

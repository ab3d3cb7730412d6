"""What exchanges say of another host's clock is true, whatever the network does to them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planrunner import clock as clock_module
from planrunner.clock import ShiftedClock
from planrunner.cluster.clock_offsets import (
    EXCHANGE_EVERY_NS,
    FIRST_EXCHANGES,
    KNOWN_WITHIN_NS,
    ClockEstimate,
    ClockExchange,
)
from planrunner.units import NS_PER_MS, NS_PER_S, NS_PER_US
from tests.support.virtual_time import VirtualClock, VirtualTimeLoop, run_virtual


class Host:
    """A host with a clock of its own, asked over a network that takes what time it likes."""

    def __init__(self, offset_ns: int, drift_ppm: int = 0) -> None:
        self.now_ns = 10**12
        self.offset_ns = offset_ns
        self.drift_ppm = drift_ppm

    def wait(self, for_ns: int) -> None:
        self.now_ns += for_ns
        self.offset_ns += for_ns * self.drift_ppm // 10**6

    def exchange(self, out_ns: int, back_ns: int) -> ClockExchange:
        sent_ns = self.now_ns
        self.wait(out_ns)
        there_ns = self.now_ns - self.offset_ns
        self.wait(back_ns)
        return ClockExchange(sent_ns, there_ns, self.now_ns)

    def known_after(self, delays: Iterator[tuple[int, int]]) -> ClockEstimate:
        estimate = ClockEstimate()
        for number, (out_ns, back_ns) in enumerate(delays):
            if number >= FIRST_EXCHANGES:
                self.wait(EXCHANGE_EVERY_NS)
            estimate.add(self.exchange(out_ns, back_ns))
        return estimate


DELAYS = st.one_of(st.integers(0, 300 * NS_PER_US), st.integers(0, 900 * NS_PER_MS))
STEPS = st.tuples(DELAYS, DELAYS, st.integers(0, 3 * NS_PER_S), st.integers(-200, 200))


@pytest.mark.slow
@settings(max_examples=40)
@given(st.integers(-(10**17), 10**17), st.lists(STEPS, min_size=1, max_size=30))
def test_an_offset_is_never_more_wrong_than_said(
    offset_ns: int, steps: list[tuple[int, int, int, int]]
) -> None:
    """Whichever way takes how long, while the clocks drift apart now faster and now slower."""
    host, estimate = Host(offset_ns), ClockEstimate()

    for out_ns, back_ns, wait_ns, host.drift_ppm in steps:
        estimate.add(host.exchange(out_ns, back_ns))
        assert abs(host.offset_ns - estimate.offset_ns) <= estimate.error_ns(host.now_ns)
        host.wait(wait_ns)
        assert abs(host.offset_ns - estimate.offset_ns) <= estimate.error_ns(host.now_ns)


def test_nothing_is_known_before_the_first_exchange() -> None:
    """And not much after it, if it was slow."""
    estimate = ClockEstimate()
    assert estimate.error_ns(0) > KNOWN_WITHIN_NS

    estimate.add(Host(7).exchange(NS_PER_S, NS_PER_S))
    assert estimate.error_ns(10**12) > KNOWN_WITHIN_NS


@pytest.mark.parametrize("drift_ppm", [-200, 0, 30, 200])
def test_a_clock_that_drifts_is_followed_within_its_error(drift_ppm: int) -> None:
    """On a fast network to half a millisecond for certain, whatever is queued now and then."""
    draw, host = Random(1), Host(-(10**15), drift_ppm)

    def delays() -> Iterator[tuple[int, int]]:
        for number in range(FIRST_EXCHANGES + 120):
            out_ns = 400 * NS_PER_MS if number % 5 == 4 else draw.randint(40, 90) * NS_PER_US
            yield out_ns, draw.randint(40, 400) * NS_PER_US

    estimate = host.known_after(delays())

    assert abs(host.offset_ns - estimate.offset_ns) < 250 * NS_PER_US
    assert estimate.error_ns(host.now_ns) < 500 * NS_PER_US
    assert estimate.worst_error_ns < NS_PER_MS


def test_an_offset_that_may_be_right_is_hardly_moved() -> None:
    """Or each worker's clock would go now faster and now slower, after nothing but the network."""
    draw, host = Random(1), Host(10**15)

    def delays() -> Iterator[tuple[int, int]]:
        for _ in range(FIRST_EXCHANGES):
            yield 100_000, 100_000
        for _ in range(100):
            yield draw.randint(100_000, 900_000), draw.randint(100_000, 900_000)

    assert abs(host.known_after(delays()).offset_ns - 10**15) < 50 * NS_PER_US


def test_a_clock_that_stood_still_is_not_known_until_workers_have_caught_up() -> None:
    """A virtual machine that was suspended: its workers follow, at their pace."""
    host = Host(0)
    estimate = host.known_after(iter([(50_000, 50_000)] * 30))

    host.offset_ns += 70 * NS_PER_MS
    seconds = 0.0
    while True:
        host.wait(EXCHANGE_EVERY_NS)
        estimate.add(host.exchange(50_000, 50_000))
        assert abs(host.offset_ns - estimate.offset_ns) <= estimate.error_ns(host.now_ns)
        seconds += 0.5
        if estimate.error_ns(host.now_ns) < KNOWN_WITHIN_NS:
            break

    assert 40 < seconds < 45
    assert estimate.facts(host.now_ns).error_ns >= 70 * NS_PER_MS


class FarHost:
    """A host in virtual time whose clock is asked by messages; each reading takes 50 ns."""

    def __init__(self, offset_ns: int, drift_ppm: int, draw: Random) -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualTimeLoop)
        self._loop, self._draw = loop, draw
        self._offset_ns, self._drift_ppm = offset_ns, drift_ppm

    def local_ns(self) -> int:
        self._loop.stall(50)
        now_ns = self._loop.now_ns()
        return now_ns - now_ns * self._drift_ppm // 10**6 - self._offset_ns

    async def exchange(self) -> ClockExchange:
        sent_ns = self._loop.now_ns()
        await self._travel()
        there_ns = self.local_ns()
        await self._travel()
        return ClockExchange(sent_ns, there_ns, self._loop.now_ns())

    async def _travel(self) -> None:
        await asyncio.sleep(self._draw.choice([0.0001, 0.0001, 0.0003, 0.02]) * self._draw.random())


@pytest.mark.slow
@settings(max_examples=5)
@given(st.integers(-(10**15), 10**15), st.integers(-200, 200), st.integers(0, 2**32))
def test_a_worker_that_follows_has_the_coordinators_time(
    offset_ns: int, drift_ppm: int, seed: int
) -> None:
    """At every moment, within what is said to be the error."""
    draw = Random(seed)

    async def main() -> list[tuple[int, int]]:
        host = FarHost(offset_ns, drift_ppm, draw)
        estimate, found = ClockEstimate(), []
        for _ in range(FIRST_EXCHANGES):
            estimate.add(await host.exchange())
        clock = ShiftedClock(estimate.offset_ns, local_ns=host.local_ns)
        for moment in range(50):
            await asyncio.sleep(0.1 * draw.random())
            if moment % 10 == 0:
                estimate.add(await host.exchange())
                clock.follow(estimate.offset_ns)
            now_ns = VirtualClock().now_ns()
            found.append((abs(clock.now_ns() - now_ns), estimate.error_ns(now_ns)))
        return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clock_module, "_timer_functions", lambda: None)
        found = run_virtual(main())

    assert [(apart, error) for apart, error in found if apart > error + 100] == []

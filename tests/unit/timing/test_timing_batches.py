"""Batches are calibrated before measuring, and what an empty call costs is known."""

from __future__ import annotations

import asyncio
import gc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planrunner.timing.batches import MOST_CALLS, Calibration, time_awaits, time_calls
from planrunner.timing.garbage import GarbageWatch
from planrunner.timing.overhead import CallKind, empty_call_ns, empty_coroutine
from planrunner.units import NS_PER_MS, NS_PER_S


def calibrated(cost_ns: float, *, disturbed: tuple[int, ...] = ()) -> tuple[int, int]:
    """Return the batch for calls of a known cost, and the calls made to find it.

    Args:
        cost_ns: Of each call.
        disturbed: Batches, by number, that take 20 ms longer.
    """
    calibration, made, batches = Calibration(), 0, 0
    while not calibration.is_done:
        made += calibration.calls
        extra_ns = 20 * NS_PER_MS if batches in disturbed else 0
        calibration.add(round(cost_ns * calibration.calls) + extra_ns)
        batches += 1
    return calibration.calls, made


@given(st.floats(min_value=1, max_value=float(NS_PER_S)))
def test_a_batch_takes_a_millisecond_and_not_much_more(cost_ns: float) -> None:
    calls, made = calibrated(cost_ns)

    assert calls * cost_ns >= NS_PER_MS - calls
    assert calls == 1 or calls * cost_ns <= 1.2 * NS_PER_MS + 2 * cost_ns
    assert made * cost_ns <= max(3.1 * cost_ns, 16 * NS_PER_MS)


@given(st.integers(1, 100_000), st.integers(0, 20))
def test_one_disturbance_changes_no_batch(cost_ns: int, number: int) -> None:
    """The fastest of three batches counts."""
    assert calibrated(cost_ns, disturbed=(number,))[0] == calibrated(cost_ns)[0]


def test_a_call_of_a_tenth_of_a_second_is_made_once() -> None:
    assert calibrated(NS_PER_S / 10) == (1, 1)


def test_a_clock_that_stands_still_ends_the_search() -> None:
    assert calibrated(0)[0] == MOST_CALLS


def test_calls_are_made_as_often_as_asked() -> None:
    made = []

    assert time_calls(lambda: made.append(1), 7) > 0
    assert len(made) == 7


def test_awaited_calls_follow_each_other() -> None:
    events = []

    async def call() -> None:
        events.append("begins")
        await asyncio.sleep(0)
        events.append("ends")

    assert asyncio.run(time_awaits(call, 3)) > 0
    assert events == ["begins", "ends"] * 3


@pytest.mark.parametrize("kind", list(CallKind))
def test_an_empty_call_costs_something_and_is_measured_once(kind: CallKind) -> None:
    first = empty_call_ns(kind)

    assert 1 < first < 100_000
    assert empty_call_ns(kind) == first


def test_an_empty_call_is_measured_inside_a_running_loop_too() -> None:
    async def ask() -> float:
        await empty_coroutine()
        return empty_call_ns.__wrapped__(CallKind.COROUTINE)

    assert asyncio.run(ask()) > 1


def test_collections_are_counted_while_watched() -> None:
    with GarbageWatch() as outer:
        gc.collect(0)
        with GarbageWatch() as inner:
            gc.collect(0)
    gc.collect(0)

    assert inner.collections >= 1
    assert outer.collections == inner.collections + 1
    assert outer.took_ns > inner.took_ns > 0


def test_a_collection_that_had_begun_is_not_counted() -> None:
    watch = GarbageWatch()
    with watch:
        watch._on_collection("stop", {})
        counted = watch.collections

    assert counted == 0
    assert watch._on_collection not in gc.callbacks

"""Durations of results: exact, comparable, and no bare numbers."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planrunner import Elapsed, UsageError
from planrunner.python.results.elapsed import nanoseconds

NS = st.integers(0, 10**15)


@given(NS, NS)
def test_sums_and_order_are_those_of_nanoseconds(one: int, other: int) -> None:
    """However they are combined."""
    first, second = Elapsed(one), Elapsed(other)

    assert (first + second).ns == one + other
    assert (first - second).ns == one - other
    assert (first < second) == (one < other)
    assert (first >= second) == (one >= other)
    assert (first == second) == (one == other)


@given(st.integers(0, 10**12))
def test_equals_a_timedelta_of_the_same_length(us: int) -> None:
    """With the same hash, so that sets and dictionaries agree."""
    ours, theirs = Elapsed(us * 1000), timedelta(microseconds=us)

    assert ours == theirs
    assert hash(ours) == hash(theirs)
    assert ours.to_timedelta() == theirs
    assert ours.total_seconds() == pytest.approx(theirs.total_seconds())


def test_mixes_with_timedelta_and_factors() -> None:
    """As a `timedelta` does."""
    half = Elapsed(500_000_000)

    assert half < timedelta(seconds=1) <= half * 2
    assert timedelta(seconds=1) - half == half
    assert timedelta(seconds=1) + half == 3 * half
    assert half / timedelta(seconds=2) == 0.25
    assert (half.s, half.ms, half.us) == (0.5, 500, 500_000)
    assert str(half) == "500 ms"
    assert not Elapsed(0)


def test_a_bare_number_has_no_unit() -> None:
    """So comparing with one is an error, and not a guess."""
    assert Elapsed(1) != 1
    with pytest.raises(TypeError):
        _ = Elapsed(1) < 0.5  # type: ignore[operator]
    with pytest.raises(TypeError):
        _ = Elapsed(1) + 1  # type: ignore[operator]


@pytest.mark.parametrize(
    ("given_value", "ns"),
    [
        (60, 60_000_000_000),
        (0.15, 150_000_000),
        ("1m30s", 90_000_000_000),
        (timedelta(milliseconds=2), 2_000_000),
        (Elapsed(7), 7),
    ],
)
def test_an_argument_may_be_seconds_a_text_or_a_timedelta(given_value: object, ns: int) -> None:
    """Numbers are seconds everywhere."""
    assert nanoseconds(given_value, "duration") == ns


@pytest.mark.parametrize(
    ("given_value", "message"),
    [
        (-1, "duration: `-1` is negative"),
        ("fast", "duration: `fast` is not a duration"),
        (True, "duration: `True` is not a duration"),
        (None, "duration: `None` is not a duration"),
        (float("nan"), "duration: `nan` is not a number of seconds"),
        (timedelta(seconds=-1), "duration: `-1 day, 23:59:59` is negative"),
    ],
)
def test_what_is_no_duration_names_the_argument(given_value: object, message: str) -> None:
    """With what to give instead."""
    with pytest.raises(UsageError) as failed:
        nanoseconds(given_value, "duration")

    assert failed.value.message == message

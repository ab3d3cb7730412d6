"""What noise is: the arithmetic of rounds."""

from __future__ import annotations

from itertools import chain

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planrunner.cross_check.judgement import judge, spread_of
from planrunner.cross_check.rounds import in_turn

SOME = settings(max_examples=30)
ROUNDS = st.lists(st.integers(0, 10**9).map(float), min_size=2, max_size=9)
THREE = st.lists(st.integers(0, 10**9).map(float), min_size=3, max_size=3)


@SOME
@given(THREE, THREE)
def test_with_three_rounds_noise_is_both_ranges(ours: list[float], theirs: list[float]) -> None:
    """So no round of the one lies among those of the other when they differ."""
    judged = judge(ours, theirs)

    ranges = max(ours) - min(ours) + max(theirs) - min(theirs)
    assert judged.noise == pytest.approx(ranges)
    if judged.is_beyond and judged.noise:
        assert max(ours) <= min(theirs) or max(theirs) <= min(ours)


@SOME
@given(ROUNDS, ROUNDS)
def test_both_ways_are_one(ours: list[float], theirs: list[float]) -> None:
    """It doesn't matter which of two is planrunner."""
    one, other = judge(ours, theirs), judge(theirs, ours)

    assert one.noise == other.noise
    assert one.is_beyond == other.is_beyond
    assert not judge(ours, ours).is_beyond


@SOME
@given(ROUNDS, st.integers(1, 1_000))
def test_units_change_nothing(rounds: list[float], unit: int) -> None:
    """Spreads are in the unit of the figure."""
    scaled = [value * unit for value in rounds]

    assert spread_of(scaled) == pytest.approx(spread_of(rounds) * unit)
    assert spread_of([value + 7.0 for value in rounds]) == pytest.approx(spread_of(rounds))


def test_more_rounds_make_less_noise() -> None:
    """As the medians of many rounds move less."""
    few, many = judge([1.0, 2.0, 3.0], [2.0, 3.0, 4.0]), judge([1.0, 2.0, 3.0] * 3, [3.0] * 9)

    assert few.noise == pytest.approx(4.0)
    assert many.noise == pytest.approx(3 * (1 / 3) ** 0.5 * 2 / 3)


@pytest.mark.parametrize(
    ("ours", "theirs", "step", "least", "found"),
    [
        ([10.0], [99.0], 0.0, 0.0, ""),
        ([10.0, 10.0], [99.0, 99.0], 0.0, 0.0, "beyond"),
        ([10.0, 10.0], [10.05, 10.05], 0.0, 0.1, ""),
        ([1.4, 1.4], [2.0, 2.0], 1.0, 0.0, "rounding"),
        ([1.4, 1.4], [3.0, 3.0], 1.0, 0.0, "beyond"),
    ],
)
def test_what_is_called_a_difference(
    ours: list[float], theirs: list[float], step: float, least: float, found: str
) -> None:
    """One round shows no noise; too little is nothing; less than a step is rounding."""
    judged = judge(ours, theirs, least=least, step=step)

    assert (judged.is_beyond, judged.is_rounding) == (found == "beyond", found == "rounding")


@SOME
@given(st.integers(1, 9), st.integers(0, 50))
def test_each_tool_begins_as_often_as_any(count: int, first: int) -> None:
    """In as many rounds as there are tools, each has had each place once."""
    orders = [in_turn(count, first + number) for number in range(count)]

    assert all(sorted(order) == [*range(count)] for order in orders)
    assert all(len({order[place] for order in orders}) == count for place in range(count))
    assert sorted(chain(*orders)) == sorted([*range(count)] * count)

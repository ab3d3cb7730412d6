"""Which levels a search tries."""

from __future__ import annotations

from fractions import Fraction
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planrunner.schedule.search import (
    FoundLevel,
    LevelOutcome,
    SearchSteps,
    grain_of,
    levels_to_try,
)


def steps(first: int, last: int, **more: float) -> SearchSteps:
    exact = {
        key: Fraction(str(value)) if key in ("plus", "times", "grain") else value
        for key, value in more.items()
    }
    return SearchSteps(Fraction(first), Fraction(last), **exact)


SIGNS = {LevelOutcome.HELD: "+", LevelOutcome.BROKEN: "-", LevelOutcome.LIMITED: "?"}


def search(
    found: SearchSteps,
    capacity: float,
    fails: tuple[int, ...] = (),
    most: float = inf,
    hiccups: tuple[int, ...] = (),
) -> tuple:
    """Run a search where levels up to `capacity` hold, but for the trials numbered in `fails`.

    The generator can send `most`, but for the trials numbered in `hiccups`.
    """
    tried: list[str] = []
    generator = levels_to_try(found)
    trial = next(generator)
    while True:
        held = trial.level <= capacity and len(tried) not in fails
        outcome = LevelOutcome.HELD if held else LevelOutcome.BROKEN
        if trial.level > most or len(tried) in hiccups:
            outcome = LevelOutcome.LIMITED
        tried.append(f"{trial.purpose[0]}{float(trial.level):g}{SIGNS[outcome]}")
        try:
            trial = generator.send(outcome)
        except StopIteration as end:
            return tried, end.value


def test_levels_rise_by_an_amount_until_one_breaks() -> None:
    """The last good level is the result, the next one broke."""
    tried, found = search(steps(20, 500, plus=20), 70)

    assert tried == ["c20+", "c40+", "c60+", "c80-"]
    assert found == FoundLevel(Fraction(60), Fraction(80))


def test_levels_rise_by_a_factor_in_whole_grains() -> None:
    """20 × 1.5 is 30, then 45, then 67 (not 67.5) and 100."""
    tried, _ = search(steps(20, 5000, times=1.5), 99)

    assert tried == ["c20+", "c30+", "c45+", "c67+", "c100-"]


def test_a_small_factor_still_rises() -> None:
    """A step is at least one grain."""
    tried, _ = search(steps(2, 5, times=1.1), 99)

    assert tried == ["c2+", "c3+", "c4+", "c5+"]


def test_refining_halves_the_gap() -> None:
    """Between the best good level and the lowest bad one, as often as asked for."""
    tried, found = search(steps(100, 900, plus=400, refine=3), 430)

    assert tried == ["c100+", "c500-", "r300+", "r400+", "r450-"]
    assert found == FoundLevel(Fraction(400), Fraction(450))


def test_refining_ends_when_nothing_lies_between() -> None:
    """Levels are whole: between 3 and 4 there is none."""
    tried, found = search(steps(2, 9, plus=2, refine=9), 3)

    assert tried == ["c2+", "c4-", "r3+"]
    assert found == FoundLevel(Fraction(3), Fraction(4))


def test_the_best_level_is_confirmed() -> None:
    """As often as asked for; the result is the level itself."""
    tried, found = search(steps(1, 3, plus=1, confirm=2), 2)

    assert tried == ["c1+", "c2+", "c3-", "c2+", "c2+"]
    assert found == FoundLevel(Fraction(2), Fraction(3))


def test_a_confirmation_that_fails_once_is_tried_again() -> None:
    """One bad moment of the target does not cost a step."""
    tried, found = search(steps(1, 9, plus=1, confirm=1), 3, fails=(4,))

    assert tried == ["c1+", "c2+", "c3+", "c4-", "c3-", "c3+"]
    assert found == FoundLevel(Fraction(3), Fraction(4))


def test_a_confirmation_that_fails_twice_falls_back_one_step() -> None:
    """The level below is confirmed instead, and the failed one is what broke."""
    tried, found = search(steps(1, 9, plus=1, confirm=1), 3, fails=(4, 5))

    assert tried == ["c1+", "c2+", "c3+", "c4-", "c3-", "c3-", "c2+"]
    assert found == FoundLevel(Fraction(2), Fraction(3))


def test_a_large_step_is_halved_where_its_end_fails_to_be_confirmed() -> None:
    """Between the step that held and the one that did not there may be much that holds."""
    tried, found = search(steps(10, 90, plus=40, confirm=1, refine=2), 50, fails=(5, 6))

    assert tried[-3:] == ["r30+", "r40+", "c40+"]
    assert found == FoundLevel(Fraction(40), Fraction(50))


def test_no_level_that_holds_gives_zero() -> None:
    """Nothing lies below the first level."""
    tried, found = search(steps(10, 90, plus=10, refine=3, confirm=1), 5)

    assert tried == ["c10-"]
    assert found == FoundLevel(Fraction(0), Fraction(10))


def test_all_levels_hold() -> None:
    """The last level is tried even when the step passes over it, and nothing broke."""
    tried, found = search(steps(10, 35, plus=10, refine=3), 1_000)

    assert tried == ["c10+", "c20+", "c30+", "c35+"]
    assert found == FoundLevel(Fraction(35), None)


@pytest.mark.parametrize(
    ("first", "grain"), [(20, 1), (10, 1), (5, 0.1), (0.5, 0.01), (0.1, 0.01), (400, 1)]
)
def test_rates_are_told_apart_to_two_digits_of_the_first(first: float, grain: float) -> None:
    """And never finer than needed: whole arrivals a second from 10/s."""
    assert grain_of(Fraction(str(first))) == Fraction(str(grain))


@given(
    st.integers(1, 50),
    st.integers(0, 400),
    st.sampled_from([{"plus": 7}, {"plus": 1}, {"times": 1.5}, {"times": 1.01}, {"times": 4}]),
    st.integers(0, 8),
    st.integers(0, 2),
    st.integers(0, 500),
)
def test_a_search_ends_between_what_holds_and_what_does_not(
    first: int, more: int, step: dict, refine: int, confirm: int, capacity: int
) -> None:
    """With a target that holds up to a level and breaks above, the result is never above it."""
    found = steps(first, first + more, **step, refine=refine, confirm=confirm)

    tried, result = search(found, capacity)

    assert result.level <= max(capacity, 0)
    assert result.broken is None or result.level < result.broken > capacity
    assert (result.broken is None) == (result.level == first + more)
    assert len(tried) <= more + 2 + refine + confirm


def test_what_the_generator_cannot_send_ends_the_way_up() -> None:
    """Nothing is refined towards it, and the best good level is confirmed."""
    tried, found = search(steps(20, 500, plus=20, refine=3, confirm=1), 900, most=70)

    assert tried == ["c20+", "c40+", "c60+", "c80?", "c80?", "c60+"]
    assert found == FoundLevel(Fraction(60), Fraction(80), is_limited=True)


def test_a_hiccup_of_the_generator_does_not_end_a_search() -> None:
    """The level is run again, on the way up, while refining and when it is confirmed."""
    found = steps(20, 500, plus=40, refine=1, confirm=1)
    tried, found = search(found, 85, hiccups=(1, 4, 6))

    assert tried == ["c20+", "c60?", "c60+", "c100-", "r80?", "r80+", "c80?", "c80+"]
    assert found == FoundLevel(Fraction(80), Fraction(100))


def test_the_generator_can_be_the_limit_at_the_first_level() -> None:
    """Then nothing is known."""
    assert search(steps(20, 500, plus=20), 900, most=10)[1] == FoundLevel(
        Fraction(0), Fraction(20), is_limited=True
    )

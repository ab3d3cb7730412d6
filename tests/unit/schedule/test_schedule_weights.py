"""Weighted picks: right on average at random, right at every moment in balance."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planrunner.schedule.weights import balanced_picker, random_picker

weights = st.lists(st.integers(1, 50), min_size=1, max_size=6)


def test_random_picks_follow_the_weights() -> None:
    """10:3:1 comes out as 10:3:1 within the noise of 14,000 draws."""
    pick = random_picker([10, 3, 1], Random(11))

    found = Counter(pick() for _ in range(14_000))

    assert found[0] == pytest.approx(10_000, rel=0.02)
    assert found[1] == pytest.approx(3_000, rel=0.05)
    assert found[2] == pytest.approx(1_000, rel=0.1)


def test_random_pick_takes_one_number() -> None:
    """A lone task consumes as many random numbers as several do."""
    one, several = Random(5), Random(5)

    random_picker([7], one)()
    random_picker([7, 1, 2], several)()

    assert one.getstate() == several.getstate()


@given(weights, st.integers(0, 2**32))
def test_random_picks_stay_in_range(shares: list[int], seed: int) -> None:
    """Every position exists, so nothing needs checking on the way."""
    pick = random_picker(shares, Random(seed))

    assert {pick() for _ in range(50)} <= set(range(len(shares)))


@given(weights, st.integers(0, 2**32))
def test_balanced_rounds_are_exact(shares: list[int], seed: int) -> None:
    """After the first, begun part, every round deals each position its weight."""
    pick = balanced_picker(shares, Random(seed))
    found = [pick() for _ in range(3 * sum(shares))]

    exact = dict(enumerate(shares))

    # Somewhere in the first round lies the boundary; from there on all is exact.
    assert any(
        Counter(found[begin : begin + sum(shares)]) == exact
        and Counter(found[begin + sum(shares) : begin + 2 * sum(shares)]) == exact
        for begin in range(sum(shares) + 1)
    )


@given(weights, st.integers(0, 2**32))
def test_balanced_picks_are_never_far_from_the_shares(shares: list[int], seed: int) -> None:
    """At every moment each position has had its share to within two picks and a bit."""
    pick = balanced_picker(shares, Random(seed))
    found: Counter[int] = Counter()

    for n in range(1, 2 * sum(shares)):
        found[pick()] += 1
        for position, weight in enumerate(shares):
            assert abs(found[position] - n * weight / sum(shares)) < len(shares) + 1


def test_balanced_users_begin_at_different_places() -> None:
    """Users that start together don't all begin with the heaviest task."""
    first = Counter(balanced_picker([1, 1], Random(seed))() for seed in range(400))

    assert first[0] == pytest.approx(200, rel=0.2)

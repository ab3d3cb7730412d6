"""Shares of picks that depend on the last one, in the long run."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planrunner.schedule.chains import MOST_STATES, long_run_shares

CHAINS = st.integers(1, 6).flatmap(
    lambda size: st.tuples(
        st.lists(st.integers(1, 9), min_size=size, max_size=size),
        st.lists(
            st.lists(st.integers(0, 9), min_size=size, max_size=size),
            min_size=size,
            max_size=size,
        ),
    )
)


def rows_of(first, following):
    rows = [weights if any(weights) else first for weights in following]
    return [[weight / sum(row) for weight in row] for row in rows]


@given(CHAINS)
def test_a_pick_more_changes_no_share(chain):
    """What comes out is stationary, and is a share."""
    first, following = chain

    shares = long_run_shares(first, following)

    rows = rows_of(first, following)
    again = [
        sum(share * row[i] for share, row in zip(shares, rows, strict=True))
        for i in range(len(first))
    ]
    assert shares == pytest.approx(again, abs=1e-6)
    assert sum(shares) == pytest.approx(1)


@settings(max_examples=15, deadline=None)
@given(CHAINS, st.integers(0, 1000))
def test_a_long_walk_has_these_shares(chain, seed):
    """Averaged over users, who may end in different corners."""
    first, following = chain
    rng, rows = Random(seed), rows_of(first, following)
    seen = [0] * len(first)
    for _ in range(300):
        at = rng.choices(range(len(first)), first)[0]
        for _ in range(60):
            at = rng.choices(range(len(first)), rows[at])[0]
        for _ in range(30):
            seen[at] += 1
            at = rng.choices(range(len(first)), rows[at])[0]

    total = sum(seen)

    assert [one / total for one in seen] == pytest.approx(
        list(long_run_shares(first, following)), abs=0.12
    )


@pytest.mark.parametrize(
    ("first", "following", "shares"),
    [
        ([3, 1], [[0, 0], [0, 0]], [0.75, 0.25]),  # nothing follows anything
        ([1, 1], [[0, 1], [1, 0]], [0.5, 0.5]),  # to and fro
        ([1, 9], [[1, 0], [0, 1]], [0.1, 0.9]),  # for ever the same
        ([1, 1, 1], [[0, 1, 0], [0, 1, 0], [0, 0, 1]], [0, 2 / 3, 1 / 3]),
    ],
)
def test_shares_by_hand(first, following, shares):
    """Chains with a period, and with corners that nobody leaves, have them too."""
    assert long_run_shares(first, following) == pytest.approx(shares, abs=1e-6)


def test_very_many_things_have_the_shares_of_the_first_pick():
    """As computing others would take too long."""
    size = MOST_STATES + 1

    assert set(long_run_shares([1] * size, [[0] * size] * size)) == {1 / size}

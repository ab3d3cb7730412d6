"""The cap on requests."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planrunner.schedule.turns import Turns, shared_out
from planrunner.units import NS_PER_S, Rate

rates = st.builds(Rate, st.integers(1, 9_999), st.sampled_from([NS_PER_S, 60 * NS_PER_S, 7]))


def test_turns_that_are_wanted_at_once_are_evenly_spaced() -> None:
    """Three a second, all wanted at 0: each third of a second, up to the next ns."""
    turns = Turns(Rate(3, NS_PER_S))

    assert [turns.take(0) for _ in range(4)] == [0, 333_333_334, 666_666_667, NS_PER_S]


def test_a_lull_is_not_made_up_for() -> None:
    """Who comes late gets the next turn, not the ones that nobody took."""
    turns = Turns(Rate(10, NS_PER_S))
    turns.take(0)

    assert [turns.take(5 * NS_PER_S) for _ in range(3)] == [5e9, 5.1e9, 5.2e9]


@given(rates, st.lists(st.integers(0, 10**9), max_size=60))
def test_no_stretch_has_more_turns_than_its_rate(rate: Rate, waits: list[int]) -> None:
    """n turns after one another take (n - 1) / rate, whenever they are asked for."""
    turns, now_ns, found = Turns(rate), 0, []
    for wait_ns in waits:
        now_ns += wait_ns
        found.append(turns.take(now_ns))

    assert found == sorted(found)
    for first in range(len(found)):
        for last in range(first, len(found)):
            least_ns = (last - first) * rate.per_ns // rate.count
            assert found[last] - found[first] >= least_ns - 1


@pytest.mark.slow
def test_turns_do_not_drift() -> None:
    """After a million turns of 7/s the next is where the millionth belongs."""
    turns = Turns(Rate(7, NS_PER_S))
    for _ in range(1_000_000):
        turns.take(0)

    assert turns.take(0) == -(-1_000_000 * NS_PER_S // 7)


@given(rates, st.integers(1, 16))
def test_parts_of_a_cap_add_up(rate: Rate, workers: int) -> None:
    """Workers have exactly all of it together."""
    part = shared_out(rate, workers)

    assert part.count * workers * rate.per_ns == rate.count * part.per_ns

"""The closed model: who runs when, in exact integers."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planrunner.errors import Misuse
from planrunner.schedule.population import (
    SeatChange,
    Share,
    Stage,
    changes,
    exact_seats,
    level_at,
    peak,
    seats,
    users_at,
)
from planrunner.units import NS_PER_HOUR, NS_PER_MS, NS_PER_S

stages = st.lists(
    st.builds(
        Stage,
        name=st.just(""),
        duration_ns=st.one_of(st.just(0), st.integers(1, 50), st.integers(1, NS_PER_HOUR)),
        level=st.integers(0, 40),
    ),
    max_size=6,
)
weights = st.lists(st.integers(1, 100), min_size=1, max_size=6)


def ramp(*points: tuple[float, int]) -> tuple[Stage, ...]:
    return tuple(Stage("", int(seconds * NS_PER_S), level) for seconds, level in points)


def in_ms(found: list[SeatChange]) -> list[tuple[int, bool, int]]:
    return [(change.offset_ns // NS_PER_MS, change.starts, change.slot) for change in found]


def test_ramp_up_starts_user_k_at_k_over_the_spawn_rate() -> None:
    """Five users at 2/s start at 0, 0.5, 1, 1.5 and 2 s; the hold begins at 2.5 s."""
    found = list(changes(ramp((2.5, 5), (10, 5))))

    assert in_ms(found) == [(500 * k, True, k) for k in range(5)]


def test_without_a_ramp_all_start_at_once() -> None:
    """A stage of no length jumps to its level."""
    found = list(changes(ramp((0, 3), (10, 3))))

    assert in_ms(found) == [(0, True, 0), (0, True, 1), (0, True, 2)]


def test_ramp_down_stops_in_the_reverse_order() -> None:
    """The user who came last leaves first, and the last one as the stage ends."""
    found = list(changes(ramp((0, 4), (1, 4), (2, 0))))

    assert in_ms(found)[4:] == [
        (1500, False, 3),
        (2000, False, 2),
        (2500, False, 1),
        (3000, False, 0),
    ]


def test_jump_down_stops_all_at_once() -> None:
    """A stage of no length stops the users above its level at once, the last first."""
    found = list(changes(ramp((0, 3), (1, 3), (0, 1))))

    assert in_ms(found)[3:] == [(1000, False, 2), (1000, False, 1)]


def test_an_hours_ramp_does_not_drift() -> None:
    """The last of 30,000 users starts exactly where the spawn rate puts it."""
    last = list(changes([Stage("ramp", NS_PER_HOUR, 30_000)]))[-1]

    assert last.offset_ns == 29_999 * NS_PER_HOUR // 30_000


@given(stages)
def test_changes_keep_time_and_slots_in_order(plan: list[Stage]) -> None:
    """Time never runs back, and the users alive are always slots 0 to n - 1."""
    alive = before_ns = 0

    for change in changes(plan):
        assert change.offset_ns >= before_ns
        assert change.slot == (alive if change.starts else alive - 1)
        alive += 1 if change.starts else -1
        before_ns = change.offset_ns

    assert alive == (plan[-1].level if plan else 0)


@given(stages)
def test_the_level_at_the_end_of_a_stage_is_its_own(plan: list[Stage]) -> None:
    """No user of the next stage is in it, but for a jump at that moment."""
    ends_ns = 0
    for index, stage in enumerate(plan):
        ends_ns += stage.duration_ns
        if not any(later.duration_ns == 0 for later in plan[index + 1 : index + 2]):
            assert level_at(plan, ends_ns) == stage.level


@given(stages, st.integers(0, 3 * NS_PER_HOUR))
def test_users_are_never_fewer_than_the_level(plan: list[Stage], moment_ns: int) -> None:
    """Who starts at that moment is there, and the level has not got to them."""
    assert users_at(plan, moment_ns) >= level_at(plan, moment_ns)


@given(stages, st.integers(0, 3 * NS_PER_HOUR))
def test_users_at_counts_what_changed_until_then(plan: list[Stage], moment_ns: int) -> None:
    """The closed form and the sequence of changes agree at every moment."""
    found = [change for change in changes(plan) if change.offset_ns <= moment_ns]

    assert users_at(plan, moment_ns) == sum(1 if change.starts else -1 for change in found)


def test_peak_is_the_highest_level() -> None:
    """A spike counts, whatever follows it."""
    assert peak(ramp((1, 20), (1, 200), (1, 0))) == 200
    assert peak(()) == 0


def test_split_of_80_15_5_never_takes_a_user_away() -> None:
    """From 9 to 10 users largest remainder goes from 7/1/1 to 8/2/0: the third class loses one."""
    found = seats([Share("A", 80), Share("B", 15), Share("C", 5)], 20)

    assert Counter(found[:9]) == {0: 8, 1: 1}
    assert Counter(found[:10]) == {0: 8, 1: 2}
    assert Counter(found) == {0: 16, 1: 3, 2: 1}


def test_a_count_seats_no_more_than_there_are() -> None:
    """Whatever the plan writes: a count of a billion costs nothing."""
    assert seats([Share("A", 1, count=10**24), Share("B", 1)], 3) == (0, 0, 0)


@given(weights, st.integers(0, 60))
def test_split_only_ever_adds(shares: list[int], users: int) -> None:
    """The classes of n users are the first n of any larger population."""
    classes = [Share(str(n), weight) for n, weight in enumerate(shares)]

    assert seats(classes, users) == seats(classes, users + 25)[:users]


@given(weights, st.integers(1, 3))
def test_whole_quotas_are_exact(shares: list[int], times: int) -> None:
    """As many users as the weights' sum, or a multiple of it, split exactly by weight."""
    classes = [Share(str(n), weight) for n, weight in enumerate(shares)]

    found = Counter(seats(classes, times * sum(shares)))

    assert found == {n: times * weight for n, weight in enumerate(shares)}


def test_ties_go_to_the_class_written_first() -> None:
    """Equal weights take turns in the order of the file."""
    assert seats([Share("A"), Share("B"), Share("C")], 5) == (0, 1, 2, 0, 1)


def test_counts_are_filled_before_weights() -> None:
    """Classes with a count come first, in file order, wherever they stand."""
    found = seats([Share("A", 3), Share("B", count=2), Share("C", 1), Share("D", count=1)], 7)

    assert found == (1, 1, 3, 0, 0, 2, 0)


def test_fewer_users_than_counts_fill_in_file_order() -> None:
    """A level below the counts leaves the later classes without users."""
    assert seats([Share("A", count=2), Share("B", count=2)], 3) == (0, 0, 1)


def test_users_without_a_class_are_a_bug_of_the_caller() -> None:
    """Counts alone can't take more users than they name; the compiler has to see to it."""
    with pytest.raises(Misuse, match="no class takes `1` of `3` users"):
        seats([Share("A", count=2)], 3)


@given(st.lists(st.integers(0, 30), min_size=1, max_size=6))
def test_exact_counts_are_exact_at_the_full_level(counts: list[int]) -> None:
    """Every class gets the number the plan gives it, a class with 0 nobody."""
    assert Counter(exact_seats(counts)) == {n: c for n, c in enumerate(counts) if c}


def test_exact_counts_keep_their_proportion_on_the_way_up() -> None:
    """With `{A: 10, B: 3}` the fourth user is already of class B's share."""
    assert Counter(exact_seats([10, 3])[:4]) == {0: 3, 1: 1}

"""The open model's arithmetic: when arrivals are due."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from itertools import islice, pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planrunner.schedule.arrivals import ArrivalSchedule, RateStage, dealt_classes, merged
from planrunner.units import NS_PER_HOUR, NS_PER_MS, NS_PER_S, Rate

DAY_NS = 24 * NS_PER_HOUR


def steady(count: int, seconds: float, per_ns: int = NS_PER_S) -> ArrivalSchedule:
    rate = Rate(count, per_ns)
    return ArrivalSchedule(
        [RateStage("ramp", 0, rate), RateStage("hold", int(seconds * NS_PER_S), rate)]
    )


def to(rate: int, seconds: float) -> RateStage:
    return RateStage("", int(seconds * NS_PER_S), Rate(rate, NS_PER_S))


def test_a_constant_rate_spaces_arrivals_evenly_from_the_start() -> None:
    """Ten a second for two seconds are twenty, the first at 0."""
    found = list(steady(10, 2).offsets())

    assert found == [n * 100 * NS_PER_MS for n in range(20)]


@pytest.mark.parametrize("rate", [1, 3, 7, 30_000, 44_100])
def test_nothing_drifts_in_a_day(rate: int) -> None:
    """Arrival n is due at n / rate, to the nanosecond, after 24 hours as at the start."""
    arrivals = steady(rate, DAY_NS // NS_PER_S)
    last = rate * 24 * 3600 - 1

    assert arrivals.count() == last + 1
    assert arrivals.offset_ns(last) == last * NS_PER_S // rate


def test_a_rate_below_one_a_second_is_exact_too() -> None:
    """100 an hour over three hours are 300, 36 s apart."""
    arrivals = steady(100, 3 * 3600, per_ns=NS_PER_HOUR)

    assert arrivals.count() == 300
    assert arrivals.offset_ns(299) == 299 * 36 * NS_PER_S


def test_a_ramp_from_zero_follows_the_inverse_of_its_integral() -> None:
    """To 10/s in 10 s: N(t) = t² / 2, so arrival n is due at sqrt(2 n)."""
    arrivals = ArrivalSchedule([to(10, 10)])

    assert arrivals.count() == 50
    assert [arrivals.offset_ns(n) for n in (0, 2, 8, 32)] == [0, 2e9, 4e9, 8e9]


def test_a_ramp_down_mirrors_a_ramp_up() -> None:
    """From 10/s to 0 in 10 s: arrival n is due at 10 - sqrt(100 - 2 n)."""
    arrivals = ArrivalSchedule([to(10, 0), to(0, 10)])

    assert arrivals.count() == 50
    assert [arrivals.offset_ns(n) for n in (0, 18, 32, 42)] == [0, 2e9, 4e9, 6e9]


def test_nothing_arrives_while_the_rate_is_zero() -> None:
    """The arrival that a pause holds up is due when the rate rises again."""
    arrivals = ArrivalSchedule([to(10, 0), to(10, 1), to(0, 0), to(0, 5), to(10, 0), to(10, 1)])

    assert arrivals.count() == 20
    assert arrivals.offset_ns(9) == 900 * NS_PER_MS
    assert arrivals.offset_ns(10) == 6 * NS_PER_S
    assert ArrivalSchedule([to(0, 10)]).count() == 0
    assert list(ArrivalSchedule([]).offsets()) == []


def test_a_part_of_an_arrival_rounds_up() -> None:
    """The first is due at 0 however short the phase is."""
    assert steady(1, 0.001).count() == 1
    assert steady(3, 0.5).count() == 2


stages = st.lists(
    st.builds(
        lambda seconds, rate, per: RateStage("", int(seconds * NS_PER_S), Rate(rate, per)),
        st.sampled_from([0, 0.001, 0.25, 1, 3.7, 60]),
        st.integers(0, 400),
        st.sampled_from([NS_PER_S, 60 * NS_PER_S, 7 * NS_PER_S]),
    ),
    min_size=1,
    max_size=5,
)


def integral(found: list[RateStage], moment_ns: int) -> Fraction:
    """N(t) as the textbook has it: trapezoids."""
    total, begin, level = Fraction(0), 0, Fraction(0)
    for stage in found:
        end_level = Fraction(stage.rate.count, stage.rate.per_ns)
        length = min(stage.duration_ns, max(0, moment_ns - begin))
        if length:
            reached = level + (end_level - level) * Fraction(length, stage.duration_ns)
            total += (level + reached) / 2 * length
        begin, level = begin + stage.duration_ns, end_level
    return total


@given(stages, st.data())
def test_each_arrival_is_due_where_the_integral_reaches_its_number(
    found: list[RateStage], data: st.DataObject
) -> None:
    """N(due) <= n < N(due + 1 ns), whatever the stages: no rounding by the second or otherwise."""
    arrivals = ArrivalSchedule(found)
    if not arrivals.count():
        return
    number = data.draw(st.integers(0, arrivals.count() - 1))

    due_ns = arrivals.offset_ns(number)

    assert integral(found, due_ns) <= number < integral(found, due_ns + 1)
    assert arrivals.count_before(due_ns) <= number < arrivals.count_before(due_ns + 1)
    assert 0 <= due_ns < arrivals.duration_ns


@given(stages)
def test_iterating_gives_what_asking_for_each_gives(found: list[RateStage]) -> None:
    """The stream is the same arithmetic, in order."""
    arrivals = ArrivalSchedule(found)
    first = list(islice(arrivals.offsets(), 50))

    assert first == [arrivals.offset_ns(n) for n in range(len(first))]
    assert first == sorted(first)
    assert sum(1 for _ in islice(arrivals.offsets(), 3_000)) == min(3_000, arrivals.count())


@given(stages, st.integers(0, 200 * NS_PER_S))
def test_counting_agrees_with_the_integral(found: list[RateStage], moment_ns: int) -> None:
    """What is due before a moment is the integral, rounded up."""
    whole = integral(found, moment_ns)

    assert ArrivalSchedule(found).count_before(moment_ns) == -(
        -whole.numerator // whole.denominator
    )


def test_poisson_arrivals_keep_the_rate_and_vary_like_independent_people() -> None:
    """Of 100/s in 1,000 s, the counts by second have a variance equal to their mean."""
    found = list(steady(100, 1_000).poisson_offsets(Random(1)))
    by_second = Counter(offset // NS_PER_S for offset in found)
    counts = [by_second[second] for second in range(1_000)]
    mean = sum(counts) / 1_000
    variance = sum((count - mean) ** 2 for count in counts) / 1_000

    assert abs(len(found) - 100_000) < 5 * 316
    assert 0.85 < variance / mean < 1.15
    assert all(a <= b for a, b in pairwise(found))
    assert found[-1] < 1_000 * NS_PER_S


def test_poisson_arrivals_follow_a_ramp() -> None:
    """On a ramp from zero, half of the time has a quarter of the arrivals."""
    found = list(ArrivalSchedule([to(200, 100)]).poisson_offsets(Random(2)))
    early = sum(offset < 50 * NS_PER_S for offset in found)

    assert abs(len(found) - 10_000) < 500
    assert abs(early / len(found) - 0.25) < 0.02


def test_poisson_arrivals_repeat_with_the_seed() -> None:
    """The same stream of random numbers gives the same arrivals."""
    again = [list(steady(50, 10).poisson_offsets(Random(seed))) for seed in (3, 3, 4)]

    assert again[0] == again[1] != again[2]


@given(st.lists(st.integers(1, 50), min_size=1, max_size=6))
def test_classes_have_exact_shares_of_each_round(weights: list[int]) -> None:
    """After as many arrivals as the weights' sum, and after twice as many, shares are exact."""
    total = sum(weights)
    found = list(islice(dealt_classes(weights), 2 * total))

    for part in (found[:total], found):
        rounds = len(part) // total
        assert [part.count(n) for n in range(len(weights))] == [w * rounds for w in weights]


def test_classes_with_great_weights_are_dealt_one_by_one() -> None:
    """A cycle that would be too long to keep isn't kept."""
    found = Counter(islice(dealt_classes([10_007, 20_011]), 3_000))

    assert abs(found[0] - 1_000) <= 1


def test_schedules_of_classes_are_merged_in_order_of_time() -> None:
    """Each class keeps its own exact schedule."""
    found = list(merged([steady(2, 1).offsets(), steady(3, 1).offsets()]))

    assert [(offset // NS_PER_MS, number) for offset, number in found] == [
        (0, 0),
        (0, 1),
        (333, 1),
        (500, 0),
        (666, 1),
    ]

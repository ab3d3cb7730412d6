"""A median is stable when measuring again would give the same, and otherwise a reason says why."""

from __future__ import annotations

import random
from math import comb
from statistics import median as exact_median

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planrunner.errors import Misuse
from planrunner.timing.machine import Conditions
from planrunner.timing.spread import FEWEST, median, median_ranks, spread_of
from planrunner.timing.stability import Stability, judge_stability
from planrunner.units import NS_PER_S

SAMPLES = st.lists(st.floats(1, 1e9), min_size=1, max_size=50)
QUIET = Conditions(NS_PER_S, 2, 0.1, 0, 0, None, "")


def noise(count: int, deviation: float, *, seed: int = 1) -> list[float]:
    """Return normally distributed samples around 1,000 ns."""
    drawn = random.Random(seed)
    return [drawn.gauss(1000, 1000 * deviation) for _ in range(count)]


def judged(samples: list[float], machine: Conditions | None = None) -> Stability:
    return judge_stability(spread_of(samples), machine)


# -- the arithmetic --------------------------------------------------------------------------


@settings(max_examples=50)
@given(SAMPLES)
def test_median_and_mad_are_those_of_the_definition(samples: list[float]) -> None:
    found = spread_of(samples)

    assert found.median == median(samples) == exact_median(samples)
    assert found.mad == exact_median([abs(sample - found.median) for sample in samples])
    assert found.interval[0] <= found.median <= found.interval[1]


@settings(max_examples=50)
@given(SAMPLES, st.integers(0, 12))
def test_the_unit_of_the_samples_makes_no_difference(samples: list[float], power: int) -> None:
    """Powers of two scale floats exactly."""
    scaled = [sample * 2**power for sample in samples]

    assert judged(scaled) == judged(samples)


@settings(max_examples=50)
@given(st.integers(FEWEST, 300))
def test_two_ranks_enclose_the_median_with_95_percent(count: int) -> None:
    """By the binomial distribution: whether each sample is above the median is a coin's toss."""
    low, high = median_ranks(count)

    assert 20 * sum(comb(count, below) for below in range(low, high)) >= 19 * 2**count


def test_fewer_samples_enclose_nothing() -> None:
    few = FEWEST - 1

    assert 20 * sum(comb(few, below) for below in range(1, few)) < 19 * 2**few


def test_no_samples_have_no_spread() -> None:
    with pytest.raises(Misuse, match="no samples"):
        spread_of([])


# -- the rule ----------------------------------------------------------------------------------


@settings(max_examples=20)
@given(st.integers(200, 400), st.floats(0, 0.03), st.integers(0, 1000))
def test_many_samples_that_are_much_alike_are_stable(
    count: int, deviation: float, seed: int
) -> None:
    assert judged(noise(count, deviation, seed=seed), QUIET).words == "stable"


@settings(max_examples=20)
@given(st.floats(0.2, 0.3), st.integers(0, 1000))
def test_samples_that_scatter_are_noisy_however_many(deviation: float, seed: int) -> None:
    found = judged(noise(400, deviation, seed=seed))

    assert any("% from the median" in reason for reason in found.reasons)


def test_few_samples_say_how_many_would_do() -> None:
    """The interval of a median shrinks with the square root of the number of samples."""
    few = judged(noise(30, 0.08))
    enough = judged(noise(few.needed, 0.08))

    assert few.words.startswith(f"noisy: run again with more iterations ({few.needed:,} or more): ")
    assert "the median is known to ± " in few.words
    assert enough.is_stable


@settings(max_examples=50)
@given(st.lists(st.floats(1, 10), min_size=1, max_size=FEWEST - 1))
def test_a_handful_is_never_stable(samples: list[float]) -> None:
    found = judged(samples)

    assert f"{len(samples)} samples are too few" in found.reasons[0]
    assert found.needed == FEWEST


@pytest.mark.parametrize(("factor", "word"), [(1.2, "longer"), (0.8, "less")])
def test_samples_that_drift_are_noisy(factor: float, word: str) -> None:
    samples = [*noise(100, 0.01), *(sample * factor for sample in noise(100, 0.01))]

    (reason,) = [reason for reason in judged(samples).reasons if "second half" in reason]

    assert word in reason


def test_scatter_is_no_drift() -> None:
    """Halves differ by chance where the medians' intervals overlap."""
    assert spread_of(noise(20, 0.2)).drift == 0.0


def test_a_second_mode_is_noisy() -> None:
    samples = noise(100, 0.005)
    samples[::7] = [2 * sample for sample in samples[::7]]

    assert judged(samples).reasons == ("15 % of the samples are far from the median",)


def test_a_median_that_is_hardly_known_is_in_whole_percents() -> None:
    found = judged([100.0] * 4 + [3000.0] * 3)

    assert "the median is known to ± 2,900 % only" in found.reasons


def test_strange_samples_among_equal_ones_do_no_harm() -> None:
    """A MAD of 0 makes everything an outlier that isn't equal, were it not for the 5 %."""
    assert judged([100.0] * 60 + [101.0, 104.0] * 20).is_stable


def test_nothing_is_not_stable() -> None:
    assert judged([0.0] * 100).reasons == ("it is too short to be measured",)


@pytest.mark.parametrize(
    ("machine", "reason"),
    [
        (
            Conditions(NS_PER_S, 2, 0.0, NS_PER_S // 10, 0, None, ""),
            "it waited for a processor 10 % of the time",
        ),
        (
            Conditions(NS_PER_S, 2, 0.0, None, NS_PER_S // 8, None, ""),
            "the hypervisor took 12.5 % of the time",
        ),
        (
            Conditions(NS_PER_S, 2, 2.5, 0, 0, None, ""),
            "other work keeps 2.5 of 2 processors busy",
        ),
        (
            Conditions(NS_PER_S, 2, 0.0, 0, 0, (2_100_000, 3_400_000), "powersave"),
            "the processor's frequency moved from 2.10 GHz to 3.40 GHz, governor powersave",
        ),
        (
            Conditions(NS_PER_S, 2, 0.0, 0, 0, None, "", tracer="coverage"),
            "`coverage` traces the code, which makes it slower",
        ),
    ],
)
def test_a_machine_that_moves_all_samples_makes_them_noisy(
    machine: Conditions, reason: str
) -> None:
    """Samples that are much alike may all be off."""
    assert judged(noise(1000, 0.001), machine).reasons == (reason,)


def test_a_quiet_machine_adds_no_reason() -> None:
    quiet = Conditions(NS_PER_S, 2, 1.4, NS_PER_S // 100, 0, (3_350_000, 3_400_000), "performance")

    assert judged(noise(1000, 0.001), quiet).is_stable

"""Pauses: each kind draws from its own distribution, in whole nanoseconds."""

from __future__ import annotations

from random import Random
from statistics import mean, median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planrunner.schedule.pauses import Pause, PauseKind, pause_drawer
from planrunner.units import MAX_DURATION_NS, NS_PER_MS, NS_PER_S

DRAWS = 4_000


def drawn(pause: Pause, seed: int = 7) -> list[int]:
    draw = pause_drawer(pause, Random(seed))
    return [draw() for _ in range(DRAWS)]


def test_constant_is_always_the_same() -> None:
    """`think: 250ms` waits 250 ms and draws no number."""
    rng = Random(1)
    state = rng.getstate()

    draw = pause_drawer(Pause(PauseKind.CONSTANT, 250 * NS_PER_MS), rng)

    assert {draw(), draw()} == {250 * NS_PER_MS}
    assert rng.getstate() == state


def test_uniform_fills_its_range() -> None:
    """`1s..3s` has its mean in the middle and reaches both ends."""
    found = drawn(Pause(PauseKind.UNIFORM, NS_PER_S, 3 * NS_PER_S))

    assert min(found) >= NS_PER_S
    assert max(found) <= 3 * NS_PER_S
    assert mean(found) == pytest.approx(2 * NS_PER_S, rel=0.03)


def test_uniform_includes_both_ends() -> None:
    """A range of three values gives all three."""
    assert set(drawn(Pause(PauseKind.UNIFORM, 5, 7))) == {5, 6, 7}


def test_normal_is_clipped_at_zero() -> None:
    """No pause is negative, however wide the distribution."""
    found = drawn(Pause(PauseKind.NORMAL, NS_PER_S, 2 * NS_PER_S))

    assert min(found) == 0
    assert median(found) == pytest.approx(NS_PER_S, rel=0.1)


def test_exponential_has_its_mean() -> None:
    """Half of the pauses are below ln 2 of the mean."""
    found = drawn(Pause(PauseKind.EXPONENTIAL, NS_PER_S))

    assert mean(found) == pytest.approx(NS_PER_S, rel=0.05)
    assert median(found) == pytest.approx(0.693 * NS_PER_S, rel=0.06)


def test_pareto_starts_at_its_scale() -> None:
    """The minimum is the scale, and half are below 2 ** (1 / shape) of it."""
    found = drawn(Pause(PauseKind.PARETO, NS_PER_S, 1.5))

    assert min(found) >= NS_PER_S
    assert median(found) == pytest.approx(2 ** (1 / 1.5) * NS_PER_S, rel=0.04)


def test_pareto_with_a_tiny_shape_stays_finite() -> None:
    """A shape that would overflow a float gives the longest pause instead of an error."""
    assert max(drawn(Pause(PauseKind.PARETO, NS_PER_S, 0.001))) == MAX_DURATION_NS


@given(
    st.sampled_from(list(PauseKind)),
    st.integers(0, 10**13),
    st.floats(0.01, 10),
    st.integers(0, 2**32),
)
def test_every_draw_is_a_whole_number_from_zero(
    kind: PauseKind, first: int, factor: float, seed: int
) -> None:
    """Whatever the parameters, a pause is an int that can be waited for."""
    second = factor if kind is PauseKind.PARETO else first * (1 + factor)
    draw = pause_drawer(Pause(kind, first, second), Random(seed))

    assert all(type(found := draw()) is int and found >= 0 for _ in range(20))


@pytest.mark.parametrize("kind", PauseKind)
def test_the_seed_decides(kind: PauseKind) -> None:
    """The same stream gives the same pauses."""
    pause = Pause(kind, NS_PER_S, 2.0 * NS_PER_S)

    assert drawn(pause, seed=3) == drawn(pause, seed=3)

"""Components of a run are stable or noisy by their samples over time, and by the machine."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planrunner.metrics.histogram import Histogram
from planrunner.metrics.series import Labels
from planrunner.metrics.snapshot import SeriesDelta, Snapshot
from planrunner.results.component_history import ComponentHistory
from planrunner.results.record import ComponentFigures
from planrunner.timing.machine import Conditions
from planrunner.timing.spread import spread_of, spread_of_counts
from planrunner.units import NS_PER_MS, NS_PER_S

QUIET = Conditions(NS_PER_S, 2, 0.0, 0, 0, None, "")
INGEST = Labels(
    request="ingest",
    method="python",
    phase="main",
    stage="hold",
    user="Batch",
    task="",
    protocol="python",
)


def noise(count: int, middle: float, deviation: float, *, seed: int = 1) -> list[int]:
    drawn = random.Random(seed)
    return [round(drawn.gauss(middle, middle * deviation)) for _ in range(count)]


def of_seconds(seconds: Iterable[Sequence[int]], labels: Labels = INGEST) -> ComponentHistory:
    """Return a history with the latencies of each second."""
    history = ComponentHistory()
    for number, values in enumerate(seconds):
        latency = Histogram(values)
        deltas = {labels: SeriesDelta(latency, latency)}
        history.add(Snapshot(number * NS_PER_S, (number + 1) * NS_PER_S, {}, deltas))
    return history


def only(history: ComponentHistory, machine: Conditions | None = QUIET) -> ComponentFigures:
    [found] = history.figures(machine)
    return found


@settings(max_examples=50)
@given(st.lists(st.integers(1, 10**10), min_size=1, max_size=200))
def test_figures_of_buckets_are_as_exact_as_they_say(values: list[int]) -> None:
    """Each sample is at most 0.4 % off: the median too, and a distance by that of both ends."""
    counts = Histogram(values).counts()
    middle = sorted(values)[(len(values) - 1) // 2]
    away = sorted(abs(value - middle) for value in values)[(len(values) - 1) // 2]

    found = spread_of_counts(counts)

    assert found.count == len(values)
    assert abs(found.median - middle) <= 0.004 * middle + 1
    assert abs(found.mad - away) <= 0.008 * middle + 0.004 * away + 2


@settings(max_examples=50)
@given(st.lists(st.integers(1, 255), min_size=21, max_size=99).filter(lambda one: len(one) % 2))
def test_counts_and_samples_have_the_same_spread(values: list[int]) -> None:
    """Up to 255 every whole number has a bucket of its own."""
    by_samples = spread_of([float(value) for value in values])

    by_counts = spread_of_counts(Histogram(values).counts())

    assert by_counts == replace(by_samples, drift=0.0)


def test_steady_seconds_are_stable() -> None:
    found = only(of_seconds(noise(200, 2 * NS_PER_MS, 0.02, seed=second) for second in range(5)))

    assert (found.name, found.phase, found.samples) == ("ingest", "main", 1000)
    assert found.median_ns == pytest.approx(2 * NS_PER_MS, rel=0.01)
    assert found.mad_ns == pytest.approx(0.0135 * 2 * NS_PER_MS, rel=0.4)
    assert found.stable
    assert found.reasons == ()


@pytest.mark.parametrize("seconds", [2, 7, 300])
def test_a_drift_shows_however_long_the_run_is(seconds: int) -> None:
    """The second half takes a fifth longer."""
    middles = [(1.2 if 2 * second >= seconds else 1.0) * NS_PER_MS for second in range(seconds)]

    found = only(of_seconds(noise(40, middle, 0.01) for middle in middles))

    assert any("the second half took" in reason for reason in found.reasons)


def test_one_interval_has_no_halves() -> None:
    assert only(of_seconds([noise(500, NS_PER_MS, 0.01)])).stable


def test_few_samples_say_how_many_would_do() -> None:
    found = only(of_seconds([noise(20, NS_PER_MS, 0.06)]))

    assert not found.stable
    assert found.needed > 20


def test_the_machine_counts_where_it_was_watched() -> None:
    history = of_seconds([noise(500, NS_PER_MS, 0.01)])

    assert only(history, None).stable
    assert only(history, replace(QUIET, load=7.0)).reasons == (
        "other work keeps 7.0 of 2 processors busy",
    )


@pytest.mark.parametrize(
    "change",
    [
        {"protocol": "http"},
        {"protocol": "", "kind": "group"},
        {"warmup": True},
        {"measured": False},
        {"failure": "error", "timed": False},
    ],
    ids=lambda change: next(iter(change)),
)
def test_what_is_no_result_of_a_component_is_left_out(change: dict[str, object]) -> None:
    history = of_seconds([[NS_PER_MS] * 10], replace(INGEST, **change))

    assert history.figures(QUIET) == ()


def test_each_phase_is_judged_by_itself() -> None:
    """A component at two sizes takes two times, which is no noise."""
    history = of_seconds([noise(100, NS_PER_MS, 0.01)])
    latency = Histogram(noise(100, 9 * NS_PER_MS, 0.01))
    deltas = {replace(INGEST, phase="large"): SeriesDelta(latency, latency)}
    history.add(Snapshot(NS_PER_S, 2 * NS_PER_S, {}, deltas))

    found = history.figures(QUIET)

    assert [(one.phase, one.stable) for one in found] == [("main", True), ("large", True)]

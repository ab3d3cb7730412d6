"""`scalability`: how time grows against a size, each line of sizes by itself."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planrunner.metrics.histogram import Histogram
from planrunner.metrics.judging.each import judge
from planrunner.metrics.judging.evidence import Evidence
from planrunner.metrics.judging.measured import MeasuredTime
from planrunner.metrics.judging.verdict import Observation, Verdict
from planrunner.metrics.series import Labels
from planrunner.metrics.snapshot import Accumulated, SeriesDelta, Snapshot
from planrunner.metrics.thresholds import ThresholdSyntaxError, describe, parse_threshold
from planrunner.metrics.thresholds.model import SizeLine
from planrunner.units import NS_PER_MS, NS_PER_S

SENTENCE = "scalability of ingest in phase P over rows < 1.3"
CALL = Labels(
    request="ingest", method="ingest", phase="", stage="hold", user="A", task="", status=0
)


def judged(lines: dict[str, dict[float, list[float]]], sentence: str = SENTENCE) -> Observation:
    """Judge what phases took, given as latencies in ms by line and size."""
    deltas, found = {}, []
    for name, by_size in lines.items():
        points = []
        for size, took in by_size.items():
            phase = f"{name}{size}"
            points.append((size, (phase,)))
            values = Histogram([int(one * NS_PER_MS) for one in took])
            if took:
                deltas[replace(CALL, phase=phase)] = SeriesDelta(values, values)
        found.append(SizeLine(name, tuple(points)))
    total = Accumulated()
    total.add(Snapshot(0, NS_PER_S, deltas=deltas))
    phases = [phase for line in found for _, phases in line.points for phase in phases]
    measured = tuple(MeasuredTime(phase, "hold", 0, NS_PER_S) for phase in phases)
    threshold = replace(parse_threshold(sentence), lines=tuple(found))
    return judge(threshold, Evidence(total.totals, measured))


def test_the_worst_pair_of_neighbours_decides() -> None:
    """Ten times the rows in 11 and then 30 times the time: 1.1 and 3 are what that grows by."""
    found = judged({"P": {1000: [10, 10, 99], 10000: [110], 100000: [3300]}})

    assert found.verdict is Verdict.FAIL
    assert found.amount == pytest.approx(3, rel=0.01)
    assert found.reason == "rows from 10,000 to 100,000"
    assert found.singles == ()


def test_linear_time_passes() -> None:
    found = judged({"P": {1000: [10], 2000: [20], 3000: [30]}})

    assert found.verdict is Verdict.PASS
    assert found.amount == pytest.approx(1, rel=0.01)


def test_each_combination_is_judged_by_itself_and_named() -> None:
    found = judged(
        {
            "P[format=csv]": {1: [10], 10: [100]},
            "P[format=parquet]": {1: [10], 10: [400]},
        }
    )

    assert found.verdict is Verdict.FAIL
    assert found.observed.endswith("(P[format=parquet])")
    assert found.reason.startswith("broken by 1 of 2 combinations: P[format=parquet] ")
    assert [(one.name, one.found.verdict.value) for one in found.singles] == [
        ("P[format=parquet]", "fail"),
        ("P[format=csv]", "pass"),
    ]


def test_a_size_that_was_not_measured_is_no_data() -> None:
    """What nobody measured isn't held."""
    found = judged({"P": {1000: [10], 10000: [], 100000: [100]}})

    assert (found.verdict, found.reason) == (
        Verdict.NO_DATA,
        "no samples where rows is 10,000",
    )


def test_a_lower_limit_looks_at_the_smallest() -> None:
    """A cache that makes large sizes faster than they can be."""
    found = judged({"P": {1: [10], 10: [100], 100: [200]}}, SENTENCE.replace("< 1.3", "> 0.5"))

    assert found.verdict is Verdict.FAIL
    assert found.amount == pytest.approx(0.2, rel=0.01)


@given(
    st.floats(0.5, 2.5),
    st.lists(st.integers(1, 1000), min_size=2, max_size=5, unique=True),
    st.floats(1, 100),
)
def test_a_power_law_gives_the_power_of_the_greatest_step(
    exponent: float, sizes: list[int], begin_ms: float
) -> None:
    """Time n^k grows by (n₂/n₁)^(k-1); histograms are exact to 0.4 %, the ratio to 0.8 %."""
    sizes.sort()
    times = {size: [begin_ms * (size / sizes[0]) ** exponent] for size in sizes}

    found = judged({"P": {float(size): took for size, took in times.items()}})

    steps = [(larger / smaller) ** (exponent - 1) for smaller, larger in pairwise(sizes)]
    assert found.amount == pytest.approx(max(steps), rel=0.01)


@pytest.mark.parametrize(
    "sentence",
    [
        SENTENCE,
        "scalability over users < 1.5",
        'scalability of ingest in phase "P[format=csv]" over rows < 1.3',
    ],
)
def test_a_sentence_reads_back(sentence: str) -> None:
    threshold = parse_threshold(sentence)

    assert str(threshold) == sentence
    assert parse_threshold(str(threshold)) == threshold


def test_it_is_explained() -> None:
    assert describe(parse_threshold(SENTENCE)).startswith(
        'the growth of the latency of "ingest" against rows, where 1 is linear, in phase P must be '
        "below 1.3"
    )


@pytest.mark.parametrize(
    ("sentence", "message"),
    [
        ("scalability of a < 1.3", "`scalability` needs to know over what size"),
        ("scalability of each request over rows < 1.3", "`scalability` isn't judged for `each`"),
        ("scalability of a over rows < 110% of baseline", "`scalability` has no baseline"),
        ("scalability of a over rows < 5ms", "`scalability` is a number, which `5ms` is not"),
        ("scalability of a over rows for 3s < 5", "`scalability` has no windows"),
        ("p95 of a over rows < 1s", "`rows` is not a duration"),
    ],
)
def test_what_it_can_not_be(sentence: str, message: str) -> None:
    with pytest.raises(ThresholdSyntaxError) as failed:
        parse_threshold(sentence)

    assert failed.value.message == message

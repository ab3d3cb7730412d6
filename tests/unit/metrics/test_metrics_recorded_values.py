"""Values that expressions give: exact, signed, mergeable; what thresholds say of them."""

from __future__ import annotations

import math
import pickle
from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from statistics import pstdev
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planrunner.metrics.histogram import Histogram
from planrunner.metrics.judging.each import judge
from planrunner.metrics.judging.evidence import Evidence
from planrunner.metrics.judging.measured import MeasuredTime
from planrunner.metrics.recorded_values import MOST, RecordedValues, RecordingList, to_millionths
from planrunner.metrics.series import Labels
from planrunner.metrics.snapshot import Accumulated, SeriesDelta, Snapshot
from planrunner.metrics.thresholds import ThresholdSyntaxError, describe, parse_threshold
from planrunner.results.record import make_series, read_series
from planrunner.units import NS_PER_S

numbers = st.integers(-MOST * 1_000_000, MOST * 1_000_000) | st.integers(-300, 300)
batches = st.lists(numbers, max_size=40)
decimals = st.decimals(-MOST, MOST, places=6)


# --- as they are kept ---------------------------------------------------------------------------


@given(decimals)
def test_six_decimals_are_kept_as_they_are_written(value: Decimal) -> None:
    """A number of a reply is a double; up to 9 digits before the point nothing is lost."""
    value = value % 1_000_000_000

    assert to_millionths(float(value)) == int(value * 1_000_000)


@pytest.mark.parametrize("value", [None, "7", [1], {}, math.nan, math.inf, MOST + 1, 10**400])
def test_what_is_no_number_or_too_great_is_not_kept(value: object) -> None:
    """It is for the caller to say so."""
    assert to_millionths(value) is None


def test_a_boolean_is_one_or_zero() -> None:
    """So an average is a share."""
    assert (to_millionths(value=True), to_millionths(value=False)) == (1_000_000, 0)


@given(st.lists(numbers, min_size=1, max_size=60), st.sampled_from([1, 25, 50, 90, 99.9]))
def test_percentiles_are_near_whatever_the_sign(values: list[int], percent: float) -> None:
    """Within 0.4 % of the value at the nearest rank; the sum, least and greatest are exact."""
    rank = math.ceil(len(values) * Fraction(repr(percent)) / 100)
    expected = sorted(values)[max(rank, 1) - 1]

    found = RecordedValues(values)

    assert abs(found.percentile(percent) - expected) <= abs(expected) * 0.004 + 0.5
    assert (found.total, found.min, found.max) == (sum(values), min(values), max(values))
    root = math.sqrt(sum(value * value for value in values) / len(values))
    assert abs(found.stddev - pstdev(values)) <= 0.0041 * root + 1


def recorded(values: Sequence[int], at_ns: int, booleans: int = 0) -> RecordedValues:
    return RecordedValues(values, booleans=min(booleans, len(values)), last_ns=at_ns)


parts = st.lists(
    st.tuples(batches, st.integers(1, 10), st.integers(0, 40)), min_size=1, max_size=6
).map(lambda drawn: [recorded(values, at_ns, booleans) for values, at_ns, booleans in drawn])


def merged(several: Sequence[RecordedValues]) -> RecordedValues:
    whole = RecordedValues()
    for one in several:
        whole.merge(one)
    return whole


@given(parts, st.randoms(use_true_random=False))
def test_workers_merge_to_the_same_in_any_order(several: list[RecordedValues], draw: Any) -> None:
    """Also the last value: that of the latest moment, and of two at once the greater one."""
    shuffled = sorted(several, key=lambda _: draw.random())

    assert merged(shuffled) == merged(several)
    half = len(several) // 2
    assert merged([merged(several[:half]), merged(several[half:])]) == merged(several)


@given(batches, st.integers(0, 40))
def test_values_survive_being_sent(values: list[int], booleans: int) -> None:
    """To another process, and as a copy that has a life of its own."""
    found = recorded(values, 17, booleans)

    sent, copied = pickle.loads(pickle.dumps(found)), found.copy()
    copied.merge(recorded([5], 99))

    assert sent == found
    assert (sent.booleans, sent.last_ns, type(sent)) == (found.booleans, 17, RecordedValues)
    assert found == recorded(values, 17, booleans)
    assert copied.last == 5


def test_a_list_is_drained_once() -> None:
    """Each interval has its own values, booleans and last moment."""
    values = RecordingList()
    values.append(3_000_000, 10, is_boolean=False)
    values.append(1_000_000, 20, is_boolean=True)

    first, second = values.drain(), values.drain()

    assert (first.count, first.booleans, first.last, first.last_ns) == (2, 1, 1_000_000, 20)
    assert second == RecordedValues()


# --- as they are judged -------------------------------------------------------------------------

ONE = Labels(
    *("POST /chat", "POST", "main", "hold", "Buyer", "talk"),
    status=200,
    records=("work", "metric.tokens", "metric.hit"),
    work_unit="rows",
)
OTHER = Labels("GET /", "GET", "main", "hold", "Buyer", "look", status=200)


def run_of(*seconds: tuple[float, Sequence[float], Sequence[bool]], is_counted: bool = False):
    """Return a run of so many seconds: how long samples took in all, tokens, and hits."""
    total, snapshots = Accumulated(), []
    for n, (took, tokens, hits) in enumerate(seconds):
        at_ns = (n + 1) * NS_PER_S
        kept = [round(one * 1_000_000) for one in tokens]
        latency = Histogram([round(took * 1e9 / len(tokens))] * len(tokens))
        delta = SeriesDelta(
            latency,
            latency,
            measures={
                "work": RecordedValues(kept, last_ns=at_ns),
                "metric.tokens": RecordedValues(kept, last_ns=at_ns),
                "metric.hit": RecordedValues(
                    [1_000_000 * hit for hit in hits], booleans=len(hits), last_ns=at_ns
                ),
            },
        )
        other = Histogram([NS_PER_S] * 3)
        snapshots.append(
            Snapshot(n * NS_PER_S, at_ns, {}, {ONE: delta, OTHER: SeriesDelta(other, other)})
        )
        total.add(snapshots[-1])
    end_ns = len(seconds) * NS_PER_S
    measured = (MeasuredTime("main", "hold", 0, end_ns, is_counted),)
    return Evidence(total.totals, measured), snapshots


TWO = ((0.5, [100, 250.5], [True, True]), (1.0, [-40, 90, 90], [True, False, True]))


@pytest.mark.parametrize(
    ("sentence", "observed"),
    [
        ("avg of metric.tokens < 100", "98.1"),
        ("avg metric.tokens < 100", "98.1"),
        ("metric.tokens < 100", "98.1"),
        ('metric.tokens of "POST /chat" < 100', "98.1"),
        ('avg of metric.tokens of "POST /chat" < 100', "98.1"),
        ("sum of metric.tokens == 490.5", "490.5"),
        ("min of metric.tokens > -50", "-40"),
        ("max of metric.tokens < 251", "250.5"),
        ("last of metric.tokens == 90", "90"),
        ("count of metric.tokens == 5", "5"),
        ("rate of metric.tokens > 1/s", "245/s"),
        ("metric.hit > 50%", "80 %"),
        ("avg of metric.hit > 50%", "80 %"),
        ("share of metric.hit > 50%", "80 %"),
        ('share of metric.hit among "POST /chat" > 50%', "80 %"),
        ("avg of metric.hit > 0.5", "0.8"),
        ("med metric.tokens over 1s < 200", "100"),
        ("sum of metric.tokens over 1s < 400", "350.5"),
        ("max of metric.tokens of each request < 300", "250.5 (POST /chat)"),
        ("avg of metric.tokens < 2m", "1 m 38 s"),
        ("max of metric.tokens < 1KB", "250 B"),
        ("sum work > 400", "490.5"),
        ("ratio(avg of metric.tokens, avg of metric.hit) < 200", "122.625"),
    ],
)  # fmt: skip
def test_a_metric_of_ones_own_is_judged(sentence: str, observed: str) -> None:
    """By every aggregation of values, with every clause; a limit gives it its unit."""
    found, snapshots = run_of(*TWO)

    result = judge(parse_threshold(sentence), found, snapshots)

    assert (result.observed, result.verdict) == (observed, "pass")


def test_work_is_divided_by_measured_time() -> None:
    """As requests per second are, however long the samples took."""
    found, _ = run_of(*TWO)

    assert judge(parse_threshold("work_rate > 1/s"), found).observed == "245/s"


def test_a_phase_that_counts_iterations_has_the_time_of_its_samples() -> None:
    """What users do between them is no part of the work; side by side they share the time."""
    alone, _ = run_of(*TWO, is_counted=True)
    together, _ = run_of((4.0, [100], [True]), is_counted=True)

    assert judge(parse_threshold("work_rate > 1/s"), alone).observed == "327/s"
    assert judge(parse_threshold("work_rate > 1/s"), together).observed == "100/s"


def test_no_values_are_no_data() -> None:
    """A threshold on what nothing recorded fails."""
    found, _ = run_of(*TWO)

    result = judge(parse_threshold("avg of metric.cost < 1"), found)

    assert (result.verdict, result.observed) == ("no_data", "no values of metric.cost")


@pytest.mark.parametrize(
    ("sentence", "message", "hint"),
    [
        ("error_rate of metric.hit < 1%", "is not computed from a metric", "avg of metric.hit"),
        ("throughput of metric.hit < 1/s", "is not computed from a metric", "rate of metric.hit"),
        ("last < 1s", "needs to know of which value", "last of metric.NAME"),
        ("avg of metric.a and tag:b < 1", "can't be combined", "of metric.a of SELECTOR"),
        ("avg of not metric.a < 1", "selects no samples", "avg of metric.a of SELECTOR"),
        ("avg ttfb of metric.a < 1", "of one measure", "keep one of"),
        ("avg of metric. < 1", "does not name a metric", "metric.NAME"),
        ("avg of metric.a.b < 1", "does not name a metric", "metric.NAME"),
        ("p95 metric.a of iteration < 1", "an iteration has no `metric.a`", "name requests"),
        ("work_rate > 10", "needs a unit", "10/s"),
        ("sum of service.api.cpu < 1", "a gauge has no `sum`", "avg"),
    ],
)
def test_what_a_metric_does_not_have_is_refused(sentence: str, message: str, hint: str) -> None:
    """With what to write instead."""
    with pytest.raises(ThresholdSyntaxError) as caught:
        parse_threshold(sentence)

    assert message in caught.value.message
    assert hint in caught.value.hint


@pytest.mark.parametrize(
    ("sentence", "written"),
    [
        ("avg metric.tokens of a < 1", "avg of metric.tokens of a < 1"),
        ("metric.tokens in phase p < 1", "avg of metric.tokens in phase p < 1"),
        ("share of metric.hit among a > 1%", "share of metric.hit of a > 1%"),
        ("work_rate of a over 10s > 5/s", "work_rate of a over 10s > 5/s"),
        ("min of metric.a > -1.5", "min of metric.a > -1.5"),
    ],
)
def test_a_sentence_is_written_as_it_is_read(sentence: str, written: str) -> None:
    """In one form, which reads as the same threshold."""
    threshold = parse_threshold(sentence)

    assert str(threshold) == written
    assert parse_threshold(written) == threshold


def test_explain_has_words_for_them() -> None:
    """Sums, shares and rates are no latencies."""
    words = [
        describe(parse_threshold(sentence)).partition(" over all")[0]
        for sentence in (
            "avg of metric.tokens of a < 1",
            "share of metric.hit > 9%",
            "rate of metric.tokens > 1/s",
            "work_rate of a > 1/s",
            "sum work of a > 1",
        )
    ]

    assert words == [
        'the average of `metric.tokens` of "a"',
        "the share of true in `metric.hit` of all requests",
        "the sum of `metric.tokens` of all requests per second",
        'the work of "a" per second',
        'the sum of the work of "a"',
    ]


def test_metrics_json_keeps_them_whole() -> None:
    """Sign, last value and its time, and how many were true or false."""
    found, _ = run_of(*TWO)

    read = read_series(make_series(dict(found.series), started_ns=0))  # type: ignore[arg-type]

    for labels, total in found.series.items():
        assert read[labels].measures == total.measures

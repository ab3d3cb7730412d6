"""Aggregations: one record each, from which the grammar, the words and the judge all work."""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from dataclasses import replace
from math import sqrt
from statistics import fmean, pstdev
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planrunner.metrics.aggregations.computation import Distribution, OfValues
from planrunner.metrics.aggregations.record import Aggregation, ArgumentKind, SelectorUse
from planrunner.metrics.aggregations.table import AGGREGATIONS
from planrunner.metrics.amounts import Unit
from planrunner.metrics.histogram import Histogram
from planrunner.metrics.judging.each import judge
from planrunner.metrics.judging.evidence import ArrivalCounts, Evidence, TaskRuns
from planrunner.metrics.judging.measured import MeasuredTime
from planrunner.metrics.recorded_values import RecordedValues
from planrunner.metrics.series import Labels
from planrunner.metrics.snapshot import Accumulated, SeriesDelta, Snapshot
from planrunner.metrics.thresholds import (
    Metric,
    Threshold,
    ThresholdSyntaxError,
    describe,
    parse_threshold,
)
from planrunner.metrics.thresholds.model import SizeLine
from planrunner.metrics.thresholds.units import units_of
from planrunner.units import NS_PER_MS, NS_PER_S

RECORDS = list(AGGREGATIONS.values())
EXAMPLES = [(record, example) for record in RECORDS for example in record.examples]

each_record = pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.word)


def metric_of(threshold: Threshold) -> Metric:
    assert isinstance(threshold.metric, Metric)
    return threshold.metric


@pytest.mark.parametrize(("record", "example"), EXAMPLES, ids=[text for _, text in EXAMPLES])
def test_an_example_is_a_threshold_of_its_aggregation(record: Aggregation, example: str) -> None:
    """Each example reads, means the aggregation it stands at, and is written as it was read."""
    threshold = parse_threshold(example)

    assert metric_of(threshold).agg is record
    assert str(threshold) == example
    assert parse_threshold(str(threshold)) == threshold


@pytest.mark.parametrize(("record", "example"), EXAMPLES, ids=[text for _, text in EXAMPLES])
def test_an_example_has_words(record: Aggregation, example: str) -> None:
    """`explain` fills the record's phrase in; no field of it is left over."""
    threshold = parse_threshold(example)

    words = describe(threshold)

    phrase = record.phrase_in.get(threshold.value.unit, record.phrase)
    assert words.startswith(phrase.partition("{")[0])
    assert "{" not in words


@each_record
def test_a_limit_in_another_unit_is_refused(record: Aggregation) -> None:
    """What isn't among the record's units is a fault, with a hint that names what to write."""
    begin, _, limit = record.examples[0].rpartition(" ")
    if not record.of_latencies:
        return  # of gauges and metrics, whose unit is that of the limit
    wrong = "100/s" if limit.endswith(("MB", "GB")) else "100MB"

    with pytest.raises(ThresholdSyntaxError) as caught:
        parse_threshold(f"{begin} {wrong}")

    assert caught.value.hint


@each_record
def test_each_unit_of_a_record_is_accepted(record: Aggregation) -> None:
    """A limit may be in any of them, and a bare 0 has the first."""
    limits = {
        Unit.DURATION: "500ms",
        Unit.RATE: "100/s",
        Unit.PERCENT: "1%",
        Unit.SIZE: "100MB",
        Unit.NUMBER: "1",
    }
    begin = record.examples[0].rpartition(" ")[0]
    usual = units_of(metric_of(parse_threshold(record.examples[0])))

    found = {unit: parse_threshold(f"{begin} {limits[unit]}").value.unit for unit in usual}

    assert list(found) == list(found.values())


@each_record
def test_what_other_tools_call_it_is_understood(record: Aggregation) -> None:
    """The hint names our word."""
    for synonym in record.synonyms:
        with pytest.raises(ThresholdSyntaxError) as caught:
            parse_threshold(f"{synonym} < 1s")

        assert caught.value.hint == f"write `{record.word}`"


def test_no_synonym_has_two_meanings_or_hides_a_word() -> None:
    """Which record a synonym belongs to doesn't depend on their order."""
    synonyms = [synonym for record in RECORDS for synonym in record.synonyms]

    assert sorted(set(synonyms)) == sorted(synonyms)
    assert set(synonyms) & AGGREGATIONS.keys() == set()


# --- judged -------------------------------------------------------------------------------------

START_NS = 1_000 * NS_PER_S
OK = Labels(
    request="GET /", method="GET", phase="main", stage="hold", user="Buyer", task="a", status=200,
    expectations=2,
)  # fmt: skip
FAILED = Labels(
    request="GET /", method="GET", phase="main", stage="hold", user="Buyer", task="a",
    status=503, failure="status", expectations=2,
)  # fmt: skip


def histogram(milliseconds: Sequence[float]) -> Histogram:
    return Histogram([int(value * NS_PER_MS) for value in milliseconds])


def evidence(*seconds: dict[Labels, Sequence[float]]) -> tuple[Evidence, list[Snapshot]]:
    """Return a run of so many seconds, each with latencies in ms."""
    snapshots = [
        Snapshot(
            START_NS + n * NS_PER_S,
            START_NS + (n + 1) * NS_PER_S,
            deltas={
                labels: SeriesDelta(
                    latency := histogram(values),
                    latency,
                    broken={("status 200", False): len(values)} if labels.failure else {},
                    measures={}
                    if labels.failure
                    else {"work": RecordedValues([5_000_000] * len(values))},
                )
                for labels, values in second.items()
            },
        )
        for n, second in enumerate(seconds)
    ]
    total = Accumulated()
    for snapshot in snapshots:
        total.add(snapshot)
    end_ns = START_NS + len(seconds) * NS_PER_S
    found = Evidence(
        total.totals,
        (MeasuredTime("main", "hold", START_NS, end_ns),),
        arrivals=[
            ArrivalCounts(START_NS + 1, "main", due=100, started=95, dropped=5, late=3),
            ArrivalCounts(START_NS + 2, "main", due=100, started=100, dropped=0, late=0),
        ],
        task_runs=[TaskRuns("main", "Buyer", "a", 1, 60), TaskRuns("main", "Buyer", "b", 1, 40)],
        sustainable={"find": 200.0, "again": 150.0},
        gauges={"service.api.cpu": [(START_NS + n, value) for n, value in enumerate([0.1, 0.3])]},
    )
    return found, snapshots


# By word: a threshold, and what it finds in two seconds of which the second is slower.
JUDGED = {
    "avg": ("avg < 1s", "23.2 ms"),
    "min": ("min < 1s", "8 ms"),
    "max": ("max < 1s", "100 ms"),
    "med": ("med < 1s", "16 ms"),
    "p": ("p75 < 1s", "16 ms"),
    "stddev": ("stddev < 1s", "26.8 ms"),
    "sum": ("sum < 1s", "232 ms"),
    "last": ("last of service.api.cpu < 50%", "30 %"),
    "work_rate": ("work_rate > 1/s", "22.5/s"),
    "count": ("count > 0", "10"),
    "rate": ("rate of status:5xx < 50%", "10 %"),
    "share": ("share of status:5xx among user:Buyer < 50%", "10 %"),
    "error_rate": ("error_rate < 50%", "10 %"),
    "errors": ("errors < 5", "1"),
    "checks": ("checks > 90%", "95 %"),
    "throughput": ("throughput > 1/s", "5/s"),
    "achieved_rate": ("achieved_rate > 10/s", "97.5/s"),
    "dropped": ("dropped < 10", "5"),
    "late": ("late < 10", "3"),
    "mix_error": ("mix_error < 50%", "10 %"),
    "max_sustainable": ("max_sustainable > 10/s", "150/s"),
    "growth": ("growth < 1s", "8.02 ms"),  # percentiles are within 0.4 %
    "scalability": ("scalability over rows < 2", "0.5"),
    "apdex": ("apdex(10ms) > 0.1", "0.65"),
}


def observed(sentence: str) -> str:
    first: dict[Labels, Sequence[float]] = {OK: [8] * 4}
    then: dict[Labels, Sequence[float]] = {OK: [16, 16, 16, 16, 36], FAILED: [100]}
    found, snapshots = evidence(first, then)
    # Twice the rows in the same time, for what compares sizes.
    lines = (SizeLine("main", ((1, ("main",)), (2, ("main",)))),)
    return judge(replace(parse_threshold(sentence), lines=lines), found, snapshots).observed


@each_record
def test_an_aggregation_is_judged(record: Aggregation) -> None:
    """Every record has a number here that was worked out by hand."""
    sentence, expected = JUDGED[record.word]

    assert observed(sentence) == expected


@each_record
def test_a_gauge_has_what_is_computed_from_values(record: Aggregation) -> None:
    """The same function serves latencies and gauges; others are refused with a reason."""
    if record.selector is not SelectorUse.OPTIONAL or record.argument is ArgumentKind.TARGET:
        return
    sentence = f"{record.spellings[0]} of service.api.cpu < 100%"
    if not (record.is_of_values and record.of_gauges):
        with pytest.raises(ThresholdSyntaxError, match="a gauge has no"):
            parse_threshold(sentence)
        return

    found = observed(sentence)

    assert found in ("10 %", "20 %", "30 %", "10 % (n too small)", "too short to show growth")


@each_record
def test_a_share_of_the_baseline_is_taken_only_where_one_can_be_computed(
    record: Aggregation,
) -> None:
    """What needs more than a result is refused when the plan is read, not judged as no data."""
    begin = record.examples[0].rpartition(" ")[0]
    sentence = f"{begin} 110% of baseline"
    if record.has_baseline:
        assert parse_threshold(sentence).value.of_baseline
        return

    with pytest.raises(ThresholdSyntaxError, match=f"`{record.word}` has no baseline"):
        parse_threshold(sentence)


def test_a_growth_stands_in_no_ratio() -> None:
    """It compares times; a ratio has the totals only."""
    with pytest.raises(ThresholdSyntaxError, match="`growth` can't be part of a ratio"):
        parse_threshold("ratio(growth, avg) < 2")


# --- values -------------------------------------------------------------------------------------


@given(st.lists(st.integers(0, 10**11), min_size=1, max_size=60))
def test_the_standard_deviation_is_within_the_stated_error(values: list[int]) -> None:
    """At most 0.4 % of the quadratic mean from that of the values themselves."""
    root = sqrt(fmean([value**2 for value in values]))

    found = Histogram(values).stddev

    assert abs(found - pstdev(values)) <= 0.004 * root + 1e-6 * root


def test_equal_values_do_not_deviate() -> None:
    """The exact minimum and maximum bound each bucket, so no rounding shows."""
    found = Histogram([123_456_789] * 5)

    assert (found.stddev, Histogram().stddev) == (0, 0)


def test_merging_changes_no_deviation() -> None:
    """Two workers' halves give the number of one worker's whole."""
    whole, half, other = Histogram(range(1000)), Histogram(range(500)), Histogram(range(500, 1000))

    half.merge(other)

    assert half.stddev == whole.stddev


# --- adding one ---------------------------------------------------------------------------------


def _range(values: Distribution, _: float) -> float:
    return values.max - values.min


RANGE = Aggregation(
    "range",
    meaning="the greatest value less the smallest",
    computation=OfValues(_range),
    phrase="the range of {of}",
    examples=('range of "GET /" < 50ms',),
    synonyms=("spread",),
)


@pytest.fixture
def with_range(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(cast("dict[str, Any]", AGGREGATIONS), "range", RANGE)


@pytest.mark.usefixtures("with_range")
def test_a_record_is_all_that_a_new_aggregation_takes() -> None:
    """Grammar, hints, words and judge know it, of latencies and of gauges, windows included."""
    threshold = parse_threshold('range of "GET /" < 50ms')

    assert str(threshold) == 'range of "GET /" < 50ms'
    assert describe(threshold).startswith('the range of the latency of "GET /" over all phases')
    assert observed("range < 50ms") == "92 ms"
    assert observed("range over 1s < 50ms") == "84 ms"
    assert observed("range of service.api.cpu < 10%") == "20 %"
    for wrong, hint in (("rnage < 1s", "did you mean `range`?"), ("spread < 1s", "write `range`")):
        with pytest.raises(ThresholdSyntaxError) as caught:
            parse_threshold(wrong)
        assert caught.value.hint == hint


@each_record
def test_a_record_is_a_value(record: Aggregation) -> None:
    """It can be sent, and `repr`, by which workers compare graphs, has no address in it."""
    assert repr(record) == f"<Aggregation {record.word}>"
    assert hash(record) == hash(AGGREGATIONS[record.word])
    assert "0x" not in repr(parse_threshold(record.examples[0]))
    with pytest.raises(ThresholdSyntaxError):
        parse_threshold(f"{record.word}x < 1")


def test_a_threshold_can_be_pickled() -> None:
    """As any value of a run graph."""
    threshold = parse_threshold("p95 < 500ms")

    assert pickle.loads(pickle.dumps(threshold)) == threshold

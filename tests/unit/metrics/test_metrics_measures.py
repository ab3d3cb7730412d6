"""Measures: one record each, from which the grammar, the words and the judge all work."""

from __future__ import annotations

import pickle
from collections.abc import Mapping, Sequence
from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planrunner.metrics import arrivals
from planrunner.metrics.aggregations.record import Aggregation, ArgumentKind
from planrunner.metrics.aggregations.table import AGGREGATIONS
from planrunner.metrics.amounts import Unit
from planrunner.metrics.arrivals import Arrivals, PooledValues
from planrunner.metrics.book import SeriesBook
from planrunner.metrics.histogram import Histogram
from planrunner.metrics.judging.each import judge
from planrunner.metrics.judging.evidence import Evidence
from planrunner.metrics.judging.measured import MeasuredTime
from planrunner.metrics.judging.verdict import Verdict
from planrunner.metrics.measures import (
    CONNECT,
    LATENCY,
    MEASURES,
    SERVICE_TIME,
    STREAMED,
    TTFB,
    Measure,
)
from planrunner.metrics.series import Labels
from planrunner.metrics.snapshot import Accumulated, SeriesDelta, Snapshot
from planrunner.metrics.thresholds import (
    Metric,
    Threshold,
    ThresholdSyntaxError,
    describe,
    parse_threshold,
)
from planrunner.metrics.thresholds.measure_parser import UnknownMeasure
from planrunner.protocols.base import Reply
from planrunner.results.files.samples import SampleRow
from planrunner.units import NS_PER_MS, NS_PER_S

RECORDED = [measure for measure in MEASURES.values() if measure.write is not None]
LIMITS = {Unit.DURATION: "500ms", Unit.SIZE: "100MB", Unit.NUMBER: "10"}

each_measure = pytest.mark.parametrize("measure", MEASURES.values(), ids=lambda one: one.word)
each_recorded = pytest.mark.parametrize("measure", RECORDED, ids=lambda one: one.word)
each_aggregation = pytest.mark.parametrize(
    "record", AGGREGATIONS.values(), ids=lambda record: record.word
)


def metric_of(threshold: Threshold) -> Metric:
    assert isinstance(threshold.metric, Metric)
    return threshold.metric


@each_measure
def test_an_example_is_a_threshold_of_its_measure(measure: Measure) -> None:
    """It reads, means the measure that it stands at, and is written as it was read."""
    threshold = parse_threshold(measure.example)

    assert metric_of(threshold).measure is measure
    assert str(threshold) == measure.example
    assert parse_threshold(str(threshold)) == threshold


@each_measure
def test_a_measure_has_words(measure: Measure) -> None:
    """`explain` says what the values are of."""
    words = describe(parse_threshold(f"p95 {measure.word} < {LIMITS[measure.unit]}"))

    assert words.startswith(f"the 95th percentile of the {measure.noun} of all requests")


@each_measure
def test_a_limit_in_another_unit_is_refused(measure: Measure) -> None:
    """The unit of a limit is that of the measure; a bare 0 needs none."""
    for unit, limit in LIMITS.items():
        if unit is not measure.unit:
            with pytest.raises(ThresholdSyntaxError, match=f"a {measure.unit}"):
                parse_threshold(f"p95 {measure.word} < {limit}")

    assert parse_threshold(f"p95 {measure.word} < {LIMITS[measure.unit]}").value.amount
    assert parse_threshold(f"p95 {measure.word} >= 0").value.unit is measure.unit


@each_measure
def test_what_other_tools_call_it_is_understood(measure: Measure) -> None:
    """The hint names our word."""
    for synonym in measure.synonyms:
        with pytest.raises(UnknownMeasure) as caught:
            parse_threshold(f"p95 {synonym} < 1s")

        assert caught.value.hint == f"write `{measure.word}`"


def test_no_synonym_has_two_meanings_or_hides_a_word() -> None:
    """Which measure a synonym belongs to doesn't depend on their order."""
    synonyms = [synonym for measure in MEASURES.values() for synonym in measure.synonyms]

    assert sorted(set(synonyms)) == sorted(synonyms)
    assert set(synonyms) & MEASURES.keys() == set()


def test_latency_is_meant_where_none_is_named() -> None:
    """To name it says the same."""
    assert parse_threshold("p95 latency < 1s") == parse_threshold("p95 < 1s")
    assert str(parse_threshold("p95 latency of a < 1s")) == "p95 of a < 1s"


@each_aggregation
def test_an_aggregation_of_values_takes_a_measure(record: Aggregation) -> None:
    """With every clause that it takes; what counts samples or arrivals takes none."""
    is_score = record.argument is ArgumentKind.TARGET
    head = record.spelled(500 * NS_PER_MS) if is_score else record.spellings[0]
    sentence = f"{head} ttfb of a in phase main over 30s < {'0.9' if is_score else '50ms'}"
    if not record.of_latencies:
        with pytest.raises(ThresholdSyntaxError, match="needs to know of which value"):
            parse_threshold(sentence)
        return
    if not record.takes_measure:
        with pytest.raises(ThresholdSyntaxError, match="not computed from a measure"):
            parse_threshold(sentence)
        return

    assert metric_of(parse_threshold(sentence)).measure is TTFB


@pytest.mark.parametrize(
    ("sentence", "wrong", "message", "hint"),
    [
        ("p95 tfb < 1s", "tfb", "unknown measure `tfb`", "did you mean `ttfb`?"),
        (
            "p95 hops < 1",
            "hops",
            "unknown measure `hops`",
            "known measures are latency, service_time",
        ),
        ('max conect of "GET /" < 1s', "conect", "unknown measure", "did you mean `connect`?"),
        ("ttfb < 1s", "ttfb", "unknown aggregation", "write `p95 ttfb`"),
        ("p95 ttfb ttfb < 1s", "ttfb", "unexpected", "compare with"),
        ("p95 of a ttfb < 1s", "ttfb", "unexpected", '`p95 of "a ttfb" < 1s`'),
        ("p95 ttfb of iteration < 1s", "ttfb", "an iteration has no `ttfb`", "leave out"),
        ("p95 ttfb of group:g < 1s", "ttfb", "a group has no `ttfb`", "name requests"),
        ("avg ttfb of service.api.cpu < 1s", "ttfb", "a gauge has no `ttfb`", "leave out"),
        ("avg service_time of iteration < 1s", "service_time", "has no", "leave out"),
        ("service.api.cpu ttfb < 1s", "ttfb", "unexpected", "compare with"),
        ("ratio(p95 size, p95) < 2", "p95", "can't divide `p95 size`", "same unit"),
        ("apdex(1s) size > 0.9", "size", "is about times", "write `p95 size`"),
        ("growth size < 100% of baseline", "100%", "has no baseline", "100MB"),
    ],
)
def test_a_fault_points_at_the_measure(sentence: str, wrong: str, message: str, hint: str) -> None:
    """The caret stands under the word to change, and the hint says to what."""
    with pytest.raises(ThresholdSyntaxError, match=message) as caught:
        parse_threshold(sentence)

    fault = caught.value
    assert sentence[fault.offset : fault.offset + fault.length] == wrong
    assert hint in fault.hint


def test_a_protocols_own_measure_is_known_where_it_is_passed() -> None:
    """The grammar knows those of the table, and takes others."""
    hops = Measure("hops", "", "number of hops", Unit.NUMBER, "max hops < 3")

    found = parse_threshold("max hops < 3", {**MEASURES, "hops": hops})

    assert metric_of(found).measure is hops
    assert " object at 0x" not in repr(found)  # workers compare what they compiled by it


# --- read ---------------------------------------------------------------------------------------

REPLY = Reply()
REPLY.asked_ns, REPLY.sent_ns, REPLY.first_byte_ns, REPLY.ended_ns = 100, 130, 150, 170
REPLY.connect_ns, REPLY.connects, REPLY.received = 30, 1, 512
REPLY.arrivals = Arrivals()
for moment_ns in (155, 160, 160):
    REPLY.arrivals.note(moment_ns)

REUSED = Reply()
REUSED.asked_ns, REUSED.sent_ns, REUSED.first_byte_ns, REUSED.ended_ns = 100, 100, 150, 170

SILENT = Reply()
SILENT.asked_ns, SILENT.sent_ns, SILENT.ended_ns, SILENT.connect_ns = 100, 100, 170, 70

READ = {
    "ttfb": [[20], [50], []],
    "connect": [[30], [], []],
    "size": [[512], [0], []],
    "first_event": [[25], [], []],
    "gap": [[5, 0], [], []],
    "events": [[3], [], []],
}


def row_of(reply: Reply) -> SampleRow:
    first_ns = reply.first_byte_ns
    return SampleRow(
        series=0,
        start_ns=reply.asked_ns,
        latency_ns=reply.ended_ns - reply.asked_ns,
        service_ns=reply.ended_ns - reply.sent_ns,
        ttfb_ns=first_ns - reply.sent_ns if first_ns else 0,
        connect_ns=reply.connect_ns,
        body_bytes=reply.received,
        message=0,
    )


@each_recorded
def test_what_a_reply_has_is_written(measure: Measure) -> None:
    """A value for a reply that has one: over a new connection, an open one, and none at all."""
    found = [measure.no_list() for _ in range(3)]
    assert measure.write is not None

    for reply, values in zip((REPLY, REUSED, SILENT), found, strict=True):
        measure.write(reply, values)

    assert found == READ[measure.word]


@pytest.mark.parametrize(
    "measure", [one for one in RECORDED if one.of_row is not None], ids=lambda one: one.word
)
def test_a_raw_sample_says_the_same(measure: Measure) -> None:
    """So that a killed run has the values that it would have had."""
    assert measure.of_row is not None

    found = [measure.of_row(row_of(reply)) for reply in (REPLY, REUSED, SILENT)]

    assert [[] if value is None else [value] for value in found] == READ[measure.word]


@given(st.lists(st.integers(0, 5_000_000_000), min_size=1, max_size=60), st.integers(1, 4))
def test_a_stream_of_any_length_says_the_same(steps_ns: Sequence[int], most: int) -> None:
    """Gaps that were counted on the way make the same histogram as those kept one by one."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(arrivals, "_MOST_SINGLE_GAPS", most)
        reply = Reply()
        reply.arrivals = Arrivals()
        for moment_ns in accumulate(steps_ns, initial=1):
            reply.arrivals.note(moment_ns)
    series = SeriesBook().series(OK, STREAMED)
    for write, values in series.writers:
        write(reply, values)

    assert len(reply.arrivals.gaps_ns) <= most
    assert reply.arrivals.longest_gap_ns == max(steps_ns)
    gaps = series.measures["gap"]
    assert isinstance(gaps, PooledValues)
    assert (series.measures["events"], gaps.drain()) == ([len(steps_ns) + 1], Histogram(steps_ns))
    assert not gaps


# --- kept ---------------------------------------------------------------------------------------

OK = Labels("GET /", "GET", "main", "hold", "Buyer", "a", status=200, protocol="http")
FAILED = Labels(
    "GET /", "GET", "main", "hold", "Buyer", "a", status=503, failure="status", protocol="http"
)


def test_a_series_without_measures_has_nothing_to_write() -> None:
    """Nor does its delta hold any."""
    book = SeriesBook()
    series = book.series(OK)
    series.same_ns.append(1)

    (delta,) = book.drain(1, {}).deltas.values()

    assert (series.writers, series.measures, delta.measures) == ((), {}, {})


def test_values_are_drained_once() -> None:
    """In place, as the hot path holds the lists; a measure without values is left out."""
    book = SeriesBook()
    series = book.series(OK, (TTFB, CONNECT))
    (write, values), _ = series.writers
    series.same_ns.append(70)
    write(REPLY, values)

    (first,) = book.drain(1, {}).deltas.values()
    series.same_ns.append(70)
    (second,) = book.drain(2, {}).deltas.values()
    write(REUSED, values)
    series.same_ns.append(70)
    (third,) = book.drain(3, {}).deltas.values()

    assert first.measures == {"ttfb": Histogram([20])}
    assert second.measures == {}
    assert third.measures == {"ttfb": Histogram([50])}


values_lists = st.dictionaries(
    st.sampled_from(["ttfb", "connect"]), st.lists(st.integers(0, 10**11), min_size=1, max_size=9)
)


def snapshot(values: Mapping[str, Sequence[int]]) -> Snapshot:
    latency = Histogram([1])
    measures = {word: Histogram(found) for word, found in values.items()}
    return Snapshot(0, 1, {}, {OK: SeriesDelta(latency, latency, measures=measures)})


@given(values_lists, values_lists, values_lists)
def test_merging_keeps_every_value(
    one: Mapping[str, list[int]], two: Mapping[str, list[int]], three: Mapping[str, list[int]]
) -> None:
    """In any grouping, side by side or one after the other, and in running totals."""
    parts = [snapshot(values) for values in (one, two, three)]
    before = [pickle.dumps(part) for part in parts]
    words = {*one, *two, *three}
    expected = {
        word: Histogram([*one.get(word, ()), *two.get(word, ()), *three.get(word, ())])
        for word in words
    }
    total = Accumulated()

    left = parts[0].merge(parts[1]).merge(parts[2])
    right = parts[0].then(parts[1].then(parts[2]))
    for part in parts:
        total.add(part)

    assert left.deltas[OK].measures == right.deltas[OK].measures == expected
    assert total.totals[OK].measures == expected
    assert [pickle.dumps(part) for part in parts] == before


# --- judged -------------------------------------------------------------------------------------

START_NS = 1_000 * NS_PER_S

Second = Mapping[Labels, Mapping[str, Sequence[float]]]
"""Values in ms, by the word of a measure."""


def run_of(*seconds: Second) -> tuple[Evidence, list[Snapshot]]:
    """Return a run of so many seconds, with what its samples have."""
    snapshots = [
        Snapshot(
            START_NS + n * NS_PER_S,
            START_NS + (n + 1) * NS_PER_S,
            deltas={labels: delta_of(values) for labels, values in second.items()},
        )
        for n, second in enumerate(seconds)
    ]
    total = Accumulated()
    for one in snapshots:
        total.add(one)
    time = MeasuredTime("main", "hold", START_NS, START_NS + len(seconds) * NS_PER_S)
    return Evidence(total.totals, (time,)), snapshots


def delta_of(values: Mapping[str, Sequence[float]]) -> SeriesDelta:
    found = {
        word: Histogram([int(value * NS_PER_MS) for value in some]) for word, some in values.items()
    }
    latency, service = found.pop("latency"), found.pop("service_time")
    return SeriesDelta(latency, service, measures=found)


RUN: tuple[Second, ...] = (
    {
        OK: {
            "latency": [8, 8, 8, 8],
            "service_time": [4, 4, 4, 4],
            "ttfb": [2, 2, 2, 2],
            "connect": [1],
            "size": [0.001, 0.003],
        },
    },
    {
        OK: {"latency": [16], "service_time": [15], "ttfb": [10]},
        FAILED: {"latency": [100], "service_time": [99], "ttfb": [50]},
    },
)


@pytest.mark.parametrize(
    ("sentence", "observed"),
    [
        ("max < 1s", "100 ms"),
        ("max service_time < 1s", "99 ms"),
        ("avg service_time of status:200 < 1s", "6.2 ms"),
        ("max ttfb < 1s", "50 ms"),
        ("avg ttfb of status:200 < 1s", "3.6 ms"),
        ("p50 ttfb < 1s", "2 ms"),
        ("stddev ttfb of status:200 < 1s", "3.2 ms"),
        ("max connect < 1s", "1 ms"),
        ("avg size < 1MB", "2.0 KB"),
        ("max ttfb over 1s < 1s", "50 ms"),
        ("min ttfb over 1s > 0", "2 ms"),
        ("max ttfb in phase main < 1s", "50 ms"),
        ("growth ttfb < 1s", "8 ms"),
        ("ratio(max ttfb, max connect) < 100", "50"),
        # Six samples have one: four are within the target, one within four times as long.
        ("apdex(3ms) ttfb > 0.5", "0.75"),
        ("p95 ttfb of nothing < 1s", "no samples"),
        ("p95 connect of status:503 < 1s", "no values of connect"),
        ("growth connect < 1s", "too short to show growth"),
        ("apdex(1s) connect of status:503 > 0.9", "no values of connect"),
        ("ratio(p50 ttfb, p50 connect of status:503) < 2", "nothing to divide by"),
    ],
)
def test_a_measure_is_judged(sentence: str, observed: str) -> None:
    """With its unit; samples that don't have it are no data."""
    found, snapshots = run_of(*RUN)

    assert judge(parse_threshold(sentence), found, snapshots).observed == observed


def test_windows_without_values_are_passed_over() -> None:
    """One second had connections; the other neither breaks the threshold nor mends it."""
    found, snapshots = run_of(*RUN)

    assert judge(parse_threshold("max connect over 1s < 500us"), found, snapshots).verdict is (
        Verdict.FAIL
    )
    assert judge(parse_threshold("max connect over 1s < 2ms"), found, snapshots).verdict is (
        Verdict.PASS
    )


def test_a_measure_that_was_not_recorded_is_no_data() -> None:
    """Not zero, and not the latency."""
    found, snapshots = run_of({OK: {"latency": [8], "service_time": [4]}})

    assert judge(parse_threshold("p95 ttfb < 1s"), found, snapshots).verdict is Verdict.NO_DATA


def test_a_baseline_is_asked_for_the_measure() -> None:
    """`of baseline` compares like with like, in the unit of the measure."""
    found, snapshots = run_of(*RUN)
    asked: list[Metric] = []

    def baseline(metric: Metric) -> float:
        asked.append(metric)
        return 40.0 * NS_PER_MS

    evidence = Evidence(found.series, found.measured, baseline=baseline)

    outcome = judge(parse_threshold("max ttfb < 110% of baseline"), evidence, snapshots)

    assert (outcome.verdict, outcome.observed) == (Verdict.FAIL, "50 ms")
    assert outcome.limit == "44 ms (of 40 ms)"
    assert asked[0].measure is TTFB


def test_latency_and_service_time_are_of_every_sample() -> None:
    """The two that nothing needs to ask for."""
    unasked = [one for one in MEASURES.values() if one.write is None and not one.is_recorded]

    assert unasked == [LATENCY, SERVICE_TIME]

from __future__ import annotations

import json
import math
import pickle
from fractions import Fraction
from itertools import chain

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planrunner.errors import Misuse
from planrunner.metrics.histogram import Histogram, n_too_small
from planrunner.metrics.recorded_values import RecordedValues

A_DAY_NS = 86_400 * 10**9

values = st.one_of(st.integers(0, 600), st.integers(0, A_DAY_NS))
batches = st.lists(values, max_size=60)
percents = st.one_of(st.sampled_from([0, 50, 90, 95, 99, 99.9, 100]), st.floats(0.01, 100))


def nearest_rank(recorded: list[int], percent: float) -> int:
    rank = math.ceil(len(recorded) * Fraction(repr(percent)) / 100)
    return sorted(recorded)[max(rank, 1) - 1]


def merged(*parts: Histogram) -> Histogram:
    whole = Histogram()
    for part in parts:
        whole.merge(part)
    return whole


@given(st.lists(values, min_size=1, max_size=200), percents)
def test_percentiles_are_within_the_stated_error_of_the_nearest_rank(recorded, percent):
    """Any percentile of any values is at most 0.4 % from the value at its nearest rank."""
    expected = nearest_rank(recorded, percent)

    observed = Histogram(recorded).percentile(percent)

    assert abs(observed - expected) <= 0.004 * expected


@given(st.lists(values, min_size=1, max_size=200))
def test_count_minimum_maximum_and_sum_are_exact(recorded):
    """What needs no bucket has no error."""
    histogram = Histogram(recorded)

    facts = (histogram.count, histogram.min, histogram.max, histogram.total)

    assert facts == (len(recorded), min(recorded), max(recorded), sum(recorded))


@given(batches, batches)
def test_merging_is_commutative(left, right):
    """Which worker reports first makes no difference."""
    a, b = Histogram(left), Histogram(right)

    assert merged(a, b) == merged(b, a)


@given(batches, batches, batches)
def test_merging_is_associative(first, second, third):
    """How intervals are grouped makes no difference."""
    a, b, c = Histogram(first), Histogram(second), Histogram(third)

    assert merged(merged(a, b), c) == merged(a, merged(b, c))


@given(batches, batches)
def test_merging_equals_recording_everything_in_one(left, right):
    """A merged histogram can't be told from one that saw all values itself."""
    assert merged(Histogram(left), Histogram(right)) == Histogram(left + right)


@given(batches)
def test_one_by_one_or_in_a_batch_is_the_same(recorded):
    """`record` and `record_many` put a value into the same bucket."""
    single = Histogram()
    for value in recorded:
        single.record(value)

    assert single == Histogram(recorded)


@given(batches)
def test_json_and_pickle_give_the_same_histogram_back(recorded):
    """Nothing is lost on the way into a file or through a pipe."""
    histogram = Histogram(recorded)

    assert Histogram.from_dict(json.loads(json.dumps(histogram.to_dict()))) == histogram
    assert pickle.loads(pickle.dumps(histogram)) == histogram


def test_every_value_up_to_255_has_its_own_bucket():
    """Small numbers come back exactly."""
    exact = [Histogram([value, 10**6]).percentile(50) for value in range(256)]

    assert exact == list(range(256))


def test_a_percentile_never_leaves_the_range_of_the_values():
    """The midpoint of a bucket is clamped to the exact minimum and maximum."""
    histogram = Histogram([1_000_003])

    assert histogram.percentile(1) == histogram.percentile(99.9) == 1_000_003


def test_a_percentile_takes_its_decimal_number_literally():
    """p99.9 of 1,000 values is the 999th, although 99.9 has no exact binary form."""
    histogram = Histogram(list(range(1, 200)) + [200] * 800 + [255])

    assert histogram.percentile(99.9) == 200
    assert histogram.percentile(100) == 255


def test_no_data_has_no_percentile():
    """An empty histogram refuses instead of answering 0, which would pass every gate."""
    with pytest.raises(Misuse, match="empty"):
        Histogram().percentile(50)


def test_a_negative_value_is_a_bug_and_leaves_nothing_behind():
    """Time runs forward; a batch with a negative value is refused whole."""
    histogram = Histogram()

    with pytest.raises(Misuse, match="`-1`"):
        histogram.record_many([5, -1])

    assert histogram == Histogram()


def test_counting_up_to_a_limit():
    """`count_at_most` counts what is at or under a limit, to the width of a bucket."""
    histogram = Histogram([100, 200, 300, 10**9])

    limits = (99, 100, 250, 10**8, 10**9)
    counts = [histogram.count_at_most(limit) for limit in limits]

    assert counts == [0, 1, 2, 3, 4]


@given(
    st.lists(st.integers(-300, 300) | st.integers(0, 10**12), max_size=30),
    st.lists(st.integers(0, 300) | st.integers(0, 10**12), max_size=8).map(sorted),
)
@settings(max_examples=50)
def test_counting_up_to_several_limits_at_once(values, limits):
    """It is the same as to each of them."""
    for histogram in (Histogram([abs(value) for value in values]), RecordedValues(values)):
        counts = tuple(histogram.count_at_most(limit) for limit in limits)
        assert histogram.counts_at_most(limits) == counts


def test_a_pickle_of_many_values_is_small():
    """A second of samples travels in a few kilobytes, whatever their number."""
    spread = [int(10**6 * 1.0001**i) for i in range(50_000)]

    assert len(pickle.dumps(Histogram(spread))) < 12_000


@pytest.mark.parametrize(
    ("percent", "count", "expected"),
    [(99, 99, True), (99, 100, False), (99.9, 999, True), (99.9, 1000, False), (50, 1, True)],
)
def test_percentiles_finer_than_one_value_are_told(percent, count, expected):
    """p99 needs a hundred values to differ from the maximum."""
    assert n_too_small(percent, count) is expected


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"min_ns": 0, "max_ns": 0, "total_ns": 0, "buckets": [1]},
        {"min_ns": 0, "max_ns": 0, "total_ns": 0, "buckets": [1, -1]},
        {"min_ns": 0, "max_ns": 0, "total_ns": "0", "buckets": []},
        {"min_ns": 0, "max_ns": 0, "total_ns": 0, "buckets": [70_000, 1]},
    ],
)
def test_a_broken_dictionary_is_refused(data):
    """A damaged file gives an error, not a wrong number."""
    with pytest.raises(ValueError, match=r"bucket|whole numbers"):
        Histogram.from_dict(data)


@given(st.lists(st.lists(values, max_size=30), max_size=6), st.data())
def test_a_sum_of_many_is_the_merge_of_each(lists, data):
    """Whether they came as bytes or were counted here."""
    parts = [Histogram(values) for values in lists]
    came = [
        Histogram.from_bytes(part.to_bytes()) if data.draw(st.booleans()) else part
        for part in parts
    ]
    before = [part.to_bytes() for part in parts]

    assert Histogram.sum_of(came) == Histogram([*chain(*lists)])
    assert [part.to_bytes() for part in came] == before

from __future__ import annotations

import pickle
from dataclasses import fields
from operator import attrgetter

from hypothesis import given, settings
from hypothesis import strategies as st

from planrunner.metrics.histogram import Histogram
from planrunner.metrics.recorded_values import RecordedValues
from planrunner.metrics.series import Labels
from planrunner.metrics.snapshot import Accumulated, SeriesDelta, Snapshot

LABELS = [
    Labels(f"GET /{name}", "GET", "main", "hold", "Visitor", "browse", status=200)
    for name in ("a", "b", "c")
]

few = settings(max_examples=40, deadline=None)  # whole snapshots take long to draw

numbers = st.lists(st.integers(0, 10**9), min_size=1, max_size=5)


@st.composite
def series_deltas(draw):
    latency = Histogram(draw(numbers))
    service = latency if draw(st.booleans()) else Histogram(draw(numbers))
    counts = draw(st.tuples(*[st.sampled_from([0, 9, 300, 70_000, 1 << 40])] * 4))
    measures = {"work": RecordedValues(draw(numbers))} if draw(st.booleans()) else {}
    broken = {("status is 200", True): 2} if draw(st.booleans()) else {}
    return SeriesDelta(latency, service, *counts, measures, broken)


snapshots = st.builds(
    Snapshot,
    st.integers(0, 100),
    st.integers(0, 100),
    st.dictionaries(st.sampled_from(["Visitor", "Admin"]), st.integers(0, 9)),
    st.dictionaries(st.sampled_from(LABELS), series_deltas(), max_size=3),
)


@few
@given(snapshots, snapshots, snapshots)
def test_merging_workers_is_associative(a, b, c):
    """How the coordinator groups its workers doesn't show."""
    assert a.merge(b).merge(c) == a.merge(b.merge(c)) == a.merge(b, c)


def test_labels_that_workers_send_again_are_the_same_object():
    """Hundreds of them come each second from each worker."""
    first, again = (pickle.loads(pickle.dumps(LABELS[0])) for _ in range(2))

    assert first == LABELS[0]
    assert again is first


@few
@given(snapshots, snapshots)
def test_merging_workers_is_commutative(a, b):
    """Which worker comes first doesn't show."""
    assert a.merge(b) == b.merge(a)


@few
@given(snapshots, snapshots, snapshots)
def test_joining_intervals_is_associative(a, b, c):
    """Tenths of a second make the same second however they are put together."""
    assert a.then(b).then(c) == a.then(b.then(c))


@few
@given(snapshots, snapshots)
def test_joining_leaves_its_parts_alone(a, b):
    """A snapshot is a value: merging makes a third."""
    before = pickle.dumps((a, b))

    a.merge(b)
    a.then(b)

    assert pickle.dumps((a, b)) == before


@few
@given(snapshots)
def test_a_snapshot_goes_through_a_pipe(snapshot):
    """A worker's snapshot arrives as it was sent."""
    assert pickle.loads(pickle.dumps(snapshot)) == snapshot


@few
@given(st.lists(snapshots, min_size=1, max_size=5))
def test_the_running_total_equals_one_long_interval(parts):
    """Adding snapshots one by one gives what joining them gives."""
    accumulated = Accumulated()
    whole = Snapshot(0, 0)
    for part in parts:
        accumulated.add(part)
        whole = whole.then(part)

    facts = attrgetter(*(field.name for field in fields(SeriesDelta)))
    totals = {labels: facts(total) for labels, total in accumulated.totals.items()}
    assert totals == {labels: facts(delta) for labels, delta in whole.deltas.items()}


def test_the_running_total_never_writes_into_a_snapshot():
    """A snapshot that was added stays what it was when more is added."""
    delta = SeriesDelta(latency := Histogram([1]), latency)
    accumulated = Accumulated()

    for _ in range(3):
        accumulated.add(Snapshot(0, 1, {}, {LABELS[0]: delta}))

    assert delta.latency == Histogram([1])
    assert accumulated.totals[LABELS[0]].count == 3


def test_users_add_up_over_workers_but_not_over_time():
    """Two workers' users are all alive; a later second's users replace the earlier's."""
    first, second = Snapshot(0, 1, {"V": 2, "A": 1}), Snapshot(0, 1, {"V": 3})

    assert first.merge(second).users == {"V": 5, "A": 1}
    assert first.then(second).users == {"V": 3}


def test_the_running_total_does_not_grow_with_the_samples():
    """Ten times the samples of the same spread take the same room."""
    spread = [10**6 + 997 * i for i in range(2_000)]

    def size_after(rounds):
        accumulated = Accumulated()
        for _ in range(rounds):
            latency = Histogram(spread)
            accumulated.add(Snapshot(0, 1, {}, {LABELS[0]: SeriesDelta(latency, latency)}))
        return len(pickle.dumps(accumulated.totals[LABELS[0]].latency))

    assert size_after(20) == size_after(2)


@few
@given(snapshots, snapshots)
def test_a_snapshot_arrives_as_it_was_sent(sent, other):
    """And can be added to at once, whatever has been read of it."""
    arrived = pickle.loads(pickle.dumps(sent))

    assert arrived.merge(other) == sent.merge(other)
    assert arrived == sent
    for delta in arrived.deltas.values():
        shared = delta.service is delta.latency
        assert shared or delta.service.count

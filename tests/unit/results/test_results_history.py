from __future__ import annotations

from dataclasses import replace
from itertools import chain, pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from planrunner.metrics.histogram import Histogram
from planrunner.metrics.recorded_values import RecordedValues
from planrunner.metrics.series import Labels
from planrunner.metrics.snapshot import SeriesDelta, Snapshot
from planrunner.results.history import History, RunningTotals
from planrunner.results.record import MetricPoints
from planrunner.results.request_history import RequestHistory

S = 10**9


def labels(**others):
    given = {"phase": "main", "stage": "hold", "user": "V", "task": "t", "status": 200} | others
    return Labels("GET /", "GET", **given)


def delta(*latencies):
    latency = Histogram(latencies)
    return SeriesDelta(latency, latency)


def snapshot(second, *, users=1, **deltas_by_phase):
    deltas = {labels(phase=phase): delta(*values) for phase, values in deltas_by_phase.items()}
    return Snapshot(second * S, (second + 1) * S, {"V": users}, deltas)


def test_a_point_says_what_a_second_brought():
    """Requests, failures, percentiles and users of one second, at its end."""
    history = History(0)
    deltas = {labels(): delta(1000, 3000), labels(failure="status", status=500): delta(5000)}

    history.add(Snapshot(0, S, {"V": 3, "A": 1}, deltas))

    [point] = history.points()
    assert (point.second, point.seconds, point.phase, point.warmup) == (1, 1, "main", False)
    assert (point.users, point.requests, point.failed) == (4, 3, 1)
    assert abs(point.p50_ns - 3000) <= 12
    assert abs(point.p99_ns - 5000) <= 20


def test_values_of_a_plans_own_are_summed_by_interval():
    """Exactly, in a run that is folded too; one that nothing gave a value has no columns."""
    names = ("work", "metric.tokens", "metric.never")
    good = labels(records=names)
    broken = labels(records=names, failure="status", status=500)
    whole, halves = RequestHistory(0), RequestHistory(0, limit=2)
    for second, (work, tokens) in enumerate([(5, 1_500_000), (7, -500_000), (1, 0)]):
        values = {
            "work": RecordedValues([work * 1_000_000] * 2),
            "metric.tokens": RecordedValues([tokens, tokens, 0]),
            "metric.never": RecordedValues(),
        }
        found = {good: replace(delta(10, 10), measures=values), broken: delta(10)}
        for history in (whole, halves):
            history.add(Snapshot(second * S, (second + 1) * S, {}, found))

    everything, one = whole.points()
    assert one.work == everything.work == (10, 14, 2)
    assert one.metrics == {"tokens": MetricPoints((3, 3, 3), (3.0, -1.0, 0.0))}
    assert one.metrics["tokens"].averages == (1.0, -1 / 3, 0.0)
    folded = halves.points()[1]
    assert (folded.work, folded.metrics["tokens"]) == ((24, 2), MetricPoints((6, 3), (2.0, 0.0)))


def test_what_failed_before_it_did_its_work_has_no_latency():
    """It counts, and its few microseconds are in no percentile, of phases and of requests."""
    history, requests = History(0), RequestHistory(0)
    broken = labels(failure="error", status=0)
    seconds = [
        {labels(): delta(1000, 1000), broken: delta(20, 20, 20, 20)},
        {broken: delta(20)},
    ]

    for number, deltas in enumerate(seconds):
        taken = Snapshot(number * S, (number + 1) * S, {}, deltas)
        history.add(taken)
        requests.add(taken)

    first, second = history.points()
    every = requests.points()[0]
    assert [(point.requests, point.failed) for point in (first, second)] == [(6, 4), (1, 1)]
    assert (every.requests, every.failed) == ((6, 1), (4, 1))
    assert (first.p50_ns, second.p50_ns) == every.p50_ns == (1000, 0)


def test_what_is_no_result_makes_no_point():
    """Groups, unmeasured and aborted requests stay out; warm-up is in and marked."""
    history = History(0)
    deltas = {
        labels(kind="group"): delta(1),
        labels(measured=False): delta(1),
        labels(failure="aborted"): delta(1),
        labels(warmup=True): delta(1, 2),
        labels(): delta(1),
    }

    history.add(Snapshot(0, S, {}, deltas))

    assert [(p.warmup, p.requests) for p in history.points()] == [(False, 1), (True, 2)]


def test_a_stalled_second_is_zero_and_no_gap():
    """When nothing finishes, the phase still has a point for that second."""
    history = History(0)

    for second, values in enumerate([[5], [], [], [6]]):
        history.add(snapshot(second, **({"main": values} if values else {})))

    assert [(p.second, p.phase, p.requests, p.p99_ns) for p in history.points()] == [
        (1, "main", 1, 5),
        (2, "main", 0, 0),
        (3, "main", 0, 0),
        (4, "main", 1, 6),
    ]


def test_a_snapshot_taken_late_stays_in_its_second():
    """A drain that comes some milliseconds late opens no second of its own."""
    history = History(100 * S)
    ends = [100 * S, 101 * S + 3_000_000, 102 * S + 900_000_000, 103 * S]

    for start, end in pairwise(ends):
        history.add(Snapshot(start, end, {}, {labels(): delta(1)}))

    assert [p.second for p in history.points()] == [1, 2, 3]


def test_parts_of_a_second_add_up():
    """Drains ten times a second make the same point as one a second; the last users count."""
    history = History(0)
    for tenth in range(10):
        history.add(
            Snapshot(tenth * S // 10, (tenth + 1) * S // 10, {"V": tenth}, {labels(): delta(7)})
        )

    [point] = history.points()

    assert (point.requests, point.users, point.p50_ns) == (10, 9, 7)


def test_phases_beside_each_other_have_points_of_their_own():
    """One second of two phases is two points."""
    history = History(0)
    history.add(snapshot(0, a=[1], b=[2, 3]))

    assert [(p.second, p.phase, p.requests) for p in history.points()] == [(1, "a", 1), (1, "b", 2)]


def test_a_long_run_keeps_few_points_and_loses_no_request():
    """Neighbours merge when there are too many; the interval says how long each is."""
    history = History(0, limit=10)
    for second in range(75):
        history.add(snapshot(second, users=second, main=[second] * 2))

    points = history.points()

    assert [p.seconds for p in points] == [8] * 10
    assert [p.second for p in points] == list(range(8, 81, 8))
    assert sum(p.requests for p in points) == 150
    assert points[0].users == 7
    assert points[0].p50_ns == 3


def test_more_phases_than_points_end_the_merging():
    """Merging stops when one interval holds the whole run, whatever the number of phases."""
    history = History(0, limit=2)
    for second in range(3):
        history.add(snapshot(second, a=[1], b=[1], c=[1]))

    assert [(p.phase, p.requests) for p in history.points()] == [("a", 3), ("b", 3), ("c", 3)]


@settings(max_examples=30)
@given(st.lists(st.lists(st.integers(0, 10**9), max_size=4), min_size=1, max_size=60))
def test_merged_points_equal_those_of_the_merged_intervals(seconds):
    """Percentiles of a long interval are those of its samples, not an average of averages."""
    history = History(0, limit=8)
    for second, values in enumerate(seconds):
        history.add(snapshot(second, **({"main": values} if values else {})))

    for point in history.points():
        values = list(chain(*seconds[point.second - point.seconds : point.second]))
        if point.phase and values:
            assert point.requests == len(values)
            assert point.p95_ns == Histogram(values).percentile(95)


def test_running_totals_are_of_results_and_of_each_phase() -> None:
    """All together first; a stalled second repeats what there was, with its own users."""
    running = RunningTotals(0)
    running.add(snapshot(0, users=2, a=[10, 20]))
    running.add(snapshot(1, users=3))
    running.add(Snapshot(2 * S, 3 * S, {"V": 4}, {labels(phase="b", warmup=True): delta(1)}))
    running.add(snapshot(3, users=5, b=[40]))

    every, first, second = running.progress()

    assert [one.phase for one in (every, first, second)] == ["", "a", "b"]
    assert (every.seconds, every.requests) == ((1, 2, 3, 4), (2, 2, 2, 3))
    assert (first.seconds, first.users) == ((1, 2, 3), (2, 3, 4))
    assert (second.seconds, second.latency_ns["max"]) == ((4,), (40,))
    assert every.latency_ns["avg"] == (15, 15, 15, round(70 / 3))


def test_running_totals_of_one_phase_are_kept_once_and_in_bounded_number() -> None:
    """The last standing is that of the end, however long the run was."""
    running = RunningTotals(0, limit=4)
    for second in range(10):
        running.add(snapshot(second, a=[10]))

    [only] = running.progress()

    assert (only.phase, only.interval_seconds) == ("a", 4)
    assert (only.seconds, only.requests) == ((4, 8, 12), (4, 8, 10))

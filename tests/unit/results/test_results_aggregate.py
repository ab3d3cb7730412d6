from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planrunner.metrics.histogram import Histogram
from planrunner.metrics.series import Labels
from planrunner.metrics.snapshot import Accumulated, SeriesDelta, Snapshot
from planrunner.results.aggregate import (
    Excluded,
    MeasuredTime,
    TaskCount,
    count_excluded,
    make_rows,
    make_task_mix,
    make_totals,
    measured_seconds,
    mix_errors,
)

S = 10**9
MS = 10**6
HOLD = MeasuredTime("main", "hold", 0, 10 * S)


def labels(request="GET /", **others):
    given = {"phase": "main", "stage": "hold", "user": "V", "task": "t", "status": 200} | others
    return Labels(request, "GET", **given)


def accumulated(*parts):
    """Accumulate (labels, latencies) pairs."""
    whole = Accumulated()
    for one, latencies in parts:
        latency = Histogram(latencies)
        delta = SeriesDelta(latency, latency, received=10 * len(latencies), sent=len(latencies))
        whole.add(Snapshot(0, 1, {}, {one: delta}))
    return whole


def rows_by(rows, by):
    return {(row.phase, row.name): row for row in rows if row.by == by}


NO_RESULTS = (
    (labels(warmup=True), [9 * S]),
    (labels(measured=False), [9 * S, 9 * S]),
    (labels(failure="aborted"), [9 * S, 9 * S, 9 * S]),
    (labels(kind="group"), [9 * S]),
    (labels(kind="iteration"), [9 * S]),
)


def test_totals_have_the_units_of_the_contract():
    """Seconds, percent and requests per second of measured time."""
    whole = accumulated(
        (labels(), [100 * MS] * 18), (labels(failure="status", status=500), [200 * MS] * 2)
    )

    totals = make_totals(whole, [HOLD])

    assert (totals.total_requests, totals.successful_requests, totals.failed_requests) == (
        20,
        18,
        2,
    )
    assert totals.average_response_time == pytest.approx(0.11)
    assert totals.p95_response_time == pytest.approx(0.2, rel=0.004)
    assert totals.requests_per_second == pytest.approx(2.0)
    assert totals.error_rate == pytest.approx(10.0)


def test_a_request_says_what_was_spoken():
    """By version, and without those that came to no connection; other tables don't."""
    whole = accumulated(
        (labels(protocol="http"), [MS] * 3),
        (labels(protocol="http", spoken="http/2"), [MS] * 2),
        (labels(protocol="http", spoken="http/2", status=500, failure="status"), [MS]),
        (labels(protocol="http", status=0, failure="connect"), [MS]),
    )

    rows = make_rows(whole, [HOLD])

    assert rows_by(rows, "request")["", "GET /"].protocols == {"http/1.1": 3, "http/2": 3}
    assert all(row.protocols == {} for row in rows if row.by != "request")


def test_what_is_no_result_is_in_no_total():
    """Warm-up, unmeasured, aborted, groups and iterations change none of the totals."""
    plain = accumulated((labels(), [100 * MS] * 3))
    noisy = accumulated((labels(), [100 * MS] * 3), *NO_RESULTS)

    assert make_totals(noisy, [HOLD]) == make_totals(plain, [HOLD])


def test_what_is_left_out_is_counted_apart():
    """Each request that is no result is in exactly one of four counts."""
    both = (labels(warmup=True, measured=False), [1])
    cut = (labels(warmup=True, failure="aborted"), [1])

    late = (labels(after=True, failure="aborted"), [1])

    excluded = count_excluded(accumulated((labels(), [1]), *NO_RESULTS, both, cut, late))

    assert excluded == Excluded(unmeasured=3, warmup=2, after=1, aborted=3)


def test_a_run_without_results_has_zero_totals_and_no_rows():
    """Nothing measured is no division by zero."""
    totals = make_totals(Accumulated(), [])

    assert (totals.total_requests, totals.requests_per_second, totals.error_rate) == (0, 0, 0)
    assert make_rows(Accumulated(), []) == ()


def test_a_row_holds_what_its_series_have_together():
    """Statuses, failures, bytes and latencies of one request name over all its series."""
    whole = accumulated(
        (labels(), [10 * MS] * 8),
        (labels(status=503, failure="status"), [20 * MS]),
        (labels(status=0, failure="timeout"), [30 * MS]),
    )

    row = rows_by(make_rows(whole, [HOLD]), "request")["", "GET /"]

    assert (row.count, row.failed) == (10, 2)
    assert row.failures == {"status": 1, "timeout": 1}
    assert row.statuses == {"0": 1, "200": 8, "503": 1}
    assert (row.seconds, row.requests_per_second) == (10.0, 1.0)
    assert (row.latency_ns["min"], row.latency_ns["avg"], row.latency_ns["max"]) == (
        10 * MS,
        13 * MS,
        30 * MS,
    )
    assert list(row.latency_ns) == ["min", "avg", "p50", "p90", "p95", "p99", "p99.9", "max"]
    assert row.service_ns == row.latency_ns
    assert (row.received_bytes, row.sent_bytes) == (100, 10)


def test_what_only_failed_did_no_work():
    """0 a second, and not nothing: its request has work, and took its time."""
    failed = labels(failure="error", records=("work", "metric.n"), work_unit="rows")

    row = make_rows(accumulated((failed, [5 * MS])), [HOLD])[0]

    assert (row.work, row.work_per_second, row.work_unit) == (0, 0, "rows")
    assert row.metrics == {}


def test_tables_cover_the_run_and_each_phase():
    """Every table has rows for the whole run and for each phase; phases and stages once."""
    measured = [MeasuredTime("low", "hold", 0, 10 * S), MeasuredTime("high", "1", 10 * S, 15 * S)]
    whole = accumulated(
        (labels(phase="low", tags=(("area", "kv"), ("hot", ""))), [1] * 20),
        (labels(phase="high", stage="1", task=""), [1] * 10),
        (labels("checkout", kind="group", phase="low"), [1] * 4),
        (labels("", kind="iteration", phase="high"), [1] * 5),
    )

    rows = make_rows(whole, measured)

    assert [(row.by, row.phase, row.name, row.requests_per_second) for row in rows] == [
        ("request", "", "GET /", 2.0),
        ("request", "low", "GET /", 2.0),
        ("request", "high", "GET /", 2.0),
        ("task", "", "t", 20 / 15),
        ("task", "low", "t", 2.0),
        ("user", "", "V", 2.0),
        ("user", "low", "V", 2.0),
        ("user", "high", "V", 2.0),
        ("phase", "", "low", 2.0),
        ("phase", "", "high", 2.0),
        ("stage", "low", "hold", 2.0),
        ("stage", "high", "1", 2.0),
        ("group", "", "checkout", 4 / 15),
        ("group", "low", "checkout", 0.4),
        ("tag", "", "area=kv", 20 / 15),
        ("tag", "", "hot", 20 / 15),
        ("tag", "low", "area=kv", 2.0),
        ("tag", "low", "hot", 2.0),
        ("iteration", "", "V", 5 / 15),
        ("iteration", "", "V / t", 5 / 15),
        ("iteration", "high", "V", 1.0),
        ("iteration", "high", "V / t", 1.0),
    ]


def test_stages_stand_in_the_order_they_ran():
    """Stage 10 comes after stage 9, and the ramp before the hold."""
    names = ["ramp", "9", "10", "hold"]
    measured = [MeasuredTime("main", name, i * S, (i + 1) * S) for i, name in enumerate(names)]
    whole = accumulated(*[(labels(stage=name), [1]) for name in reversed(names)])

    rows = make_rows(whole, measured)

    assert [row.name for row in rows if row.by == "stage"] == names


def test_the_order_of_samples_does_not_show():
    """Two runs with the same counts give the same rows, whatever came first."""
    parts = [(labels(f"GET /{i}", status=200 + i), [i + 1] * 3) for i in range(5)]

    assert make_rows(accumulated(*parts), [HOLD]) == make_rows(
        accumulated(*reversed(parts)), [HOLD]
    )


@pytest.mark.parametrize(
    ("spans", "expected"),
    [
        ([], 0.0),
        ([(0, 2)], 2.0),
        ([(0, 2), (2, 3)], 3.0),
        ([(0, 4), (1, 2)], 4.0),
        ([(1, 3), (0, 2)], 3.0),
        ([(0, 1), (5, 6)], 2.0),
        ([(3, 3), (4, 2)], 0.0),
        ([(-5, -3), (-4, 1)], 6.0),
    ],
)
def test_phases_beside_each_other_count_their_time_once(spans, expected):
    """Measured time is the union of its stretches."""
    parts = [MeasuredTime("p", "s", start * S, end * S) for start, end in spans]

    assert measured_seconds(parts) == expected


def test_the_task_mix_sets_the_achieved_beside_the_declared():
    """Shares are of the class's own runs; the error is against what its 105 draws expect."""
    counts = [
        TaskCount("V", "browse", 3, runs=60, skipped=5, gained=2),
        TaskCount("V", "buy", 1, runs=40, substituted=2),
        TaskCount("A", "admin", 1, runs=0),
    ]

    browse, buy, admin = make_task_mix(counts)

    assert (browse.declared_percent, browse.share_percent) == (75.0, 60.0)
    assert (buy.declared_percent, buy.share_percent) == (25.0, 40.0)
    assert (browse.skipped, buy.substituted) == (5, 2)
    assert browse.mix_error_percent == buy.mix_error_percent == pytest.approx(15.75)
    assert (admin.share_percent, admin.mix_error_percent) == (None, None)


@given(st.lists(st.tuples(st.integers(1, 100), st.integers(0, 1000)), min_size=1, max_size=8))
def test_the_mix_error_is_a_percentage(tasks):
    """It is 0 for the declared mix and never more than 100."""
    counts = [TaskCount("V", str(i), weight, runs) for i, (weight, runs) in enumerate(tasks)]
    exact = [TaskCount("V", str(i), weight, weight) for i, (weight, _) in enumerate(tasks)]

    assert all(0 <= error <= 100.000001 for error in mix_errors(counts).values())
    assert mix_errors(exact)["V"] == pytest.approx(0)

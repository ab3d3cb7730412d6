"""Series, time and tracks as metrics.json keeps them."""

from __future__ import annotations

import json

from planrunner.metrics.histogram import Histogram
from planrunner.metrics.judging.measured import MeasuredTime
from planrunner.metrics.series import Labels
from planrunner.metrics.snapshot import Accumulated, SeriesDelta, Snapshot
from planrunner.results.files.codec import decode, encode
from planrunner.results.record import (
    SeriesRecord,
    make_series,
    make_stretches,
    make_tracks,
    measured_of,
    read_series,
)
from planrunner.results.request_history import RequestHistory
from planrunner.units import NS_PER_S


def labels(request="GET /a", **changes):
    return Labels(
        **{
            "request": request,
            "method": "GET",
            "phase": "main",
            "stage": "hold",
            "user": "U",
            "task": "T",
            "status": 200,
            **changes,
        }
    )


def snapshot(second, found):
    deltas = {key: SeriesDelta(Histogram(values), Histogram(values)) for key, values in found}
    return Snapshot(second * NS_PER_S, (second + 1) * NS_PER_S, {"U": 1}, deltas)


def test_series_come_back_from_json_as_they_were():
    """Every label and every bucket, so that any percentile can be asked for later."""
    total = Accumulated()
    key = labels(tags=(("k", ""), ("size", "big")), groups=("g", "h"), failure="timeout")
    service = SeriesDelta(Histogram([5, 70_000]), Histogram([4, 60_000]), 7, 8, 9, 10)
    total.add(Snapshot(0, 1, {}, {key: service}))
    total.add(snapshot(0, [(labels(), [1, 10, 10**9, 10**12])]))

    text = json.dumps(encode(make_series(total.totals, started_ns=0)))
    found = read_series(decode(tuple[SeriesRecord, ...], json.loads(text)))

    assert set(found) == set(total.totals)
    assert found[key].service == total.totals[key].service
    assert all(found[one].latency == total.totals[one].latency for one in found)
    assert (found[key].received, found[key].retries) == (7, 10)


def test_measured_time_counts_from_the_start_of_the_run():
    """A result knows no clock."""
    stretches = make_stretches([MeasuredTime("main", "hold", 150, 250)], started_ns=100)

    assert measured_of(stretches) == (MeasuredTime("main", "hold", 50, 150),)


def test_tracks_are_averaged_to_a_bounded_number_of_points():
    """Two hours of a second each fit in a report."""
    (track,) = make_tracks({"a": [(n * NS_PER_S, float(n % 2)) for n in range(7200)]}, started_ns=0)

    assert len(track.values) == len(track.seconds) == 600
    assert set(track.values) == {0.5}


def test_a_request_is_told_over_time_without_its_warm_up():
    """Together first, then by name; seconds without a request are left out."""
    history = RequestHistory(0)
    history.add(snapshot(0, [(labels(warmup=True), [1])]))
    history.add(snapshot(1, [(labels(), [10, 10]), (labels("B", failure="status"), [30])]))
    history.add(snapshot(3, [(labels(), [10])]))

    everything, second, first = history.points()

    assert (everything.name, everything.requests, everything.failed) == ("", (3, 1), (1, 0))
    assert (first.name, first.seconds, first.requests) == ("GET /a", (2, 4), (2, 1))
    assert (second.name, second.p95_ns) == ("B", (30,))


def test_statuses_are_known_by_their_codes_and_failures_by_what_failed():
    """A failed status by its code, what has none by its kind; the rare ones together."""
    history = RequestHistory(0, limit=1)
    history.add(
        snapshot(
            0,
            [
                (labels(status=200), [1, 1]),
                (labels(status=503, failure="status"), [1]),
                (labels(status=200, failure="expect"), [1]),
                (labels(status=0, failure="timeout"), [1]),
            ],
        )
    )
    history.add(snapshot(1, [(labels("B", status=n), [1]) for n in range(400, 420)]))

    everything, _, first = history.points()

    assert first.statuses == {"0": (1,), "200": (3,), "503": (1,)}
    assert first.failures == {"503": (1,), "expect": (1,), "timeout": (1,)}
    assert len(everything.statuses) == 8
    assert everything.statuses["other"] == (16,)
    assert sum(counts[0] for counts in everything.statuses.values()) == everything.requests[0]


def test_a_long_run_doubles_the_interval():
    """At most 600 points, whatever the length; nothing is lost."""
    history = RequestHistory(0, limit=4)
    for second in range(10):
        history.add(snapshot(second, [(labels(), [second + 1])]))

    everything, _ = history.points()

    assert everything.interval_seconds == 4
    assert everything.seconds == (4, 8, 12)
    assert everything.requests == (4, 4, 2)

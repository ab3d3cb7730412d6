"""What charts are drawn of."""

from __future__ import annotations

from dataclasses import replace

import pytest

from planrunner.report.charts.chart_data import bands_of, drawn_of, points_of
from planrunner.report.charts.charts import PAPER, charts_of
from planrunner.results.model import Point, Track
from planrunner.results.record import Stretch
from tests.support.results import RESULTS


def point(second, *, warmup=False, phase="main", requests=10, users=5, p95_ns=2_000_000):
    return Point(second, phase, warmup, users, requests, 0, 1_000_000, p95_ns, 3_000_000)


def charts(points):
    result = replace(RESULTS["passing"], points=tuple(points))
    return {chart.id: chart for chart in charts_of(result, PAPER)}


def test_each_warm_up_is_shaded_by_itself():
    """As the levels of a search settle one after the other."""
    points = [point(second, warmup=second in {1, 2, 5}) for second in range(1, 7)]

    bands = bands_of(points)

    assert [(band["from"], band["to"]) for band in bands] == [(0, 2), (4, 5)]


def test_a_second_that_is_partly_warm_up_is_one_point():
    """With the latency of its larger part, and the load of both."""
    parts = [point(3, requests=90), point(3, warmup=True, requests=10, p95_ns=9_000_000)]

    (row,) = points_of(parts)

    assert (row["rps"], row["p95"]) == (100, 2)
    assert bands_of(parts) == []


def test_phases_are_named_where_they_begin_if_there_are_several():
    """The moment before the first is none."""
    alone = [point(1, phase="", requests=0), point(1), point(2)]
    two = [*alone, point(3, phase="more"), point(4, phase="more")]

    assert bands_of(alone) == []
    assert [(band["from"], band["label"]) for band in bands_of(two)] == [(0, "main"), (2, "more")]


def test_latency_against_load_needs_loads():
    """Neither a constant load nor what warm-up and end add to it make a chart."""
    constant = [point(1, users=1, warmup=True), *(point(n) for n in range(2, 9)), point(9, users=0)]
    ramp = [point(n, users=n) for n in range(1, 9)]

    assert "scaling" not in charts(constant)
    assert "scaling" in charts(ramp)


def test_what_is_measured_is_drawn_with_its_like():
    """In its unit; what a query gives may be anything, whatever the monitor is called."""
    values = {
        "service.api.cpu": 0.5,
        "monitor.box.disk": 2e6,
        "monitor.box.net": 3e6,
        "monitor.net": 7.0,
    }
    tracks = tuple(Track(name, (1.0, 2.0), (0.0, most)) for name, most in values.items())
    result = replace(RESULTS["passing"], tracks=tracks)

    drawn = {chart.id: chart.words for chart in charts_of(result, PAPER)}

    assert drawn["cpu"] == "service.api.cpu at most 50 %."
    assert (
        drawn["traffic"] == "monitor.box.disk at most 2.0 MB/s; monitor.box.net at most 3.0 MB/s."
    )
    assert drawn["monitors"] == "monitor.net at most 7."


def test_load_is_that_of_all_parts_of_a_second():
    """Warm-up and phases beside each other; of a killed run nobody knows the users."""
    parts = [point(1), point(2, warmup=True, requests=30, users=0), point(2, requests=70)]
    killed = [point(second, users=0) for second in (1, 2)]

    assert (
        charts(parts)["load"].words == "The rate peaked at 100/s (at 0:02), with at most 5 users."
    )
    assert charts(killed)["load"].words == "The rate peaked at 10/s (at 0:01)."
    assert len(charts(killed)["load"].spec["layer"]) == 1


def test_failures_are_drawn_up_to_the_end():
    """So that they stand below the load that caused them."""
    points = [replace(point(1), failed=1, failures={"status": 1}), *map(point, range(2, 9))]

    layer = charts(points)["errors"].spec["layer"][-1]

    assert layer["encoding"]["x"]["scale"]["domainMax"] == 8


@pytest.mark.parametrize(("end_s", "seconds"), [(2.003, 2), (2.6, 3)])
def test_the_last_partial_second_draws_no_drop(end_s, seconds):
    """Of a few milliseconds nothing is drawn, and of most of a second its rate."""
    points = (point(1, requests=100), point(2, requests=100), point(3, requests=60))
    measured = (Stretch("main", "hold", 0, round(end_s * 1e9)),)
    drawn = points_of(drawn_of(replace(RESULTS["passing"], points=points, measured=measured)))

    assert [row["rps"] for row in drawn] == [100] * seconds

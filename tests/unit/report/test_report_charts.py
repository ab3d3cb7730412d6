"""What charts are drawn of."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planrunner.report.charts.chart_data import (
    bands_of,
    drawn_of,
    load_levels_of,
    log_axis,
    points_of,
)
from planrunner.report.charts.charts import PAPER, charts_of
from planrunner.report.charts.over_time.limits import limits_of, lines_of
from planrunner.report.charts.over_time.request_columns import columns_of
from planrunner.results.changes import EarlierKind
from planrunner.results.earlier import make_earlier
from planrunner.results.model import Judgement, Point, Track, Verdict
from planrunner.results.record import Stretch
from tests.support.long_run import make_long_run
from tests.support.results import RESULTS


def point(second, *, warmup=False, phase="main", requests=10, users=5, p95_ns=2_000_000):
    return Point(second, phase, warmup, users, requests, 0, 1_000_000, p95_ns, 3_000_000)


def charts(points):
    result = replace(RESULTS["passing"], points=tuple(points))
    return {chart.id: chart for chart in charts_of(result, PAPER)}


@given(st.lists(st.floats(1e-6, 1e12), min_size=1, max_size=9))
def test_a_logarithmic_axis_names_two_of_its_values(values):
    """With one name or none, nobody could read a value from it."""
    (least, most), names = log_axis(values)

    assert least <= min(values) <= max(values) <= most
    assert len(names) >= 2
    assert least <= names[0] < names[-1] <= most


def test_a_logarithmic_axis_is_no_longer_than_it_must_be():
    """It ends with the values, or with the next names around them."""
    assert log_axis([120, 4_100]) == ([120, 4_100], [200, 500, 1_000, 2_000])
    assert log_axis([210, 480]) == ([200, 500], [200, 500])
    assert log_axis([1_000]) == ([1_000, 2_000], [1_000, 2_000])


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

    assert layer["encoding"]["x"]["scale"]["domain"] == [0, 8]


@pytest.mark.parametrize(("end_s", "seconds"), [(2.003, 2), (2.6, 3)])
def test_the_last_partial_second_draws_no_drop(end_s, seconds):
    """Of a few milliseconds nothing is drawn, and of most of a second its rate."""
    points = (point(1, requests=100), point(2, requests=100), point(3, requests=60))
    measured = (Stretch("main", "hold", 0, round(end_s * 1e9)),)
    drawn = points_of(drawn_of(replace(RESULTS["passing"], points=points, measured=measured)))

    assert [row["rps"] for row in drawn] == [100] * seconds


@pytest.fixture(scope="module")
def run():
    """A minute of three requests, one of which fails at times, beside an earlier run."""
    before, after = make_long_run(seconds=60, requests=8), make_long_run(seconds=60, requests=8)
    return replace(after, earlier=(make_earlier(before, after, EarlierKind.PREVIOUS),))


def judged(threshold, amount, **more):
    limit = threshold.rpartition(" ")[2]
    return Judgement(threshold, Verdict.FAIL, "1 s", limit, "a:1:1", limit_amount=amount, **more)


def limits(result, *judgements):
    names = {"": "", "GET /items/07": "GET /items/07"}
    return limits_of(replace(result, judgements=judgements), names, end=60)


def test_a_limit_is_drawn_where_it_holds(run):
    """In the chart of what it limits, for the request and the phase that it is about."""
    found = limits(
        run,
        judged("p95 < 150ms", 150_000_000),
        judged('p99 of "GET /items/07" in phase main stage hold < 1s', 10**9, level="warn"),
        judged("p95 of tag:read < 1s", 10**9),
        judged("error_rate < 1%", 0.01),
        judged("avg of service.api.cpu < 80%", 0.8),
    )

    [whole, one] = lines_of(found, "latency", scale=1e6)
    assert (whole["request"], whole["v"], whole["from"], whole["to"]) == ("", 150, 0, 60)
    assert (one["request"], one["v"], one["level"]) == ("GET /items/07", 1000, "warn")
    assert (one["from"], one["to"]) == (10, 60)
    assert [row["v"] for row in lines_of(found, "errors")] == [0.01]
    assert [row["v"] for row in lines_of(found, "service.api.cpu")] == [0.8]


def test_what_no_chart_shows_has_no_line(run):
    """Ratios, growth, groups, what wasn't judged, and sentences of measures from elsewhere."""
    not_judged = replace(judged("p95 < 1s", 10**9), verdict=Verdict.NOT_APPLICABLE)
    found = limits(
        run,
        judged("ratio(p95, p50) < 3", 3),
        judged("growth of service.api.rss over 10m < 100MB", 10**8),
        judged("p95 of group:registry < 3s", 3 * 10**9),
        judged("p95 tokens < 3", 3),
        not_judged,
    )

    assert found == []


def test_an_old_result_has_the_limits_that_its_plan_wrote(run):
    """Those that depend on a baseline can't be known from the sentence."""
    found = limits(run, judged("p95 < 150ms", None), judged("p95 < 110% of baseline", None))

    assert [row["v"] for row in lines_of(found, "latency", scale=1e6)] == [150]


def test_the_worst_window_is_marked_and_said(run):
    """Whatever it is of, in the chart of all requests; in words for those who don't see it."""
    window = {"window_start_ns": 20 * 10**9, "window_end_ns": 30 * 10**9}
    sentence = "p95 of tag:read over 10s < 100ms"
    result = replace(run, judgements=(judged(sentence, 10**8, **window),))

    [latency] = [chart for chart in charts_of(result, PAPER) if chart.id == "latency"]

    [row] = latency.data["windows"]
    assert (row["from"], row["to"], row["broken"], row["request"]) == (20, 30, True, "")
    assert f"The worst 10s of `{sentence}`: 1 s from 0:20." in latency.words


def test_statuses_and_failures_have_their_codes(run):
    """Never the word `status`; what went well is the ground that the rest stands on."""
    found = {chart.id: chart for chart in charts_of(run, PAPER)}

    boxes = [row for row in found["errors"].data["points"] if "from" in row]
    assert found["statuses"].entries[0].series == "200"
    assert {row["series"] for row in boxes} == {"503", "timeout"}
    failed = sum(row["v"] for row in boxes)
    assert failed == run.totals.failed_requests


def test_an_earlier_run_is_a_line_behind_this_one(run):
    """Without its last interval, which is seldom whole."""
    found = {chart.id: chart for chart in charts_of(run, PAPER)}

    for identity, series in (
        ("load", "requests/s of the previous run"),
        ("latency", "p95 of the previous run"),
    ):
        rows = [row for row in found[identity].data["points"] if row["series"] == series]
        assert len(rows) == len(run.earlier[0].points[0].seconds) - 1
        assert [one.is_dashed for one in found[identity].entries if one.series == series] == [True]


def test_requests_of_a_page_are_few_enough(run):
    """Neighbours become one: counts add up, and of latencies the slowest is drawn."""
    points = next(one for one in run.request_points if one.name == "GET /items/07")
    many = tuple(replace(points, name=f"{n:03}") for n in range(400))

    everything, first, *_ = columns_of(replace(run, request_points=(run.request_points[0], *many)))

    assert everything.every == 1
    assert first.every == 2
    assert sum(first.requests) == sum(points.requests)
    assert sum(map(sum, first.failures.values())) == sum(points.failed)
    assert max(value for value in first.latencies["p95"] if value) == float(
        f"{max(points.p95_ns) / 1e6:.3g}"
    )


def test_names_that_look_alike_stay_apart(run):
    """Two that differ behind what fits beside a line would be one line."""
    points = run.request_points[1]
    names = [f"GET /{'long' * 30}/{n}" for n in range(3)]
    many = tuple(replace(points, name=name) for name in names)

    columns = columns_of(replace(run, rows=(), request_points=(run.request_points[0], *many)))

    assert len({column.name for column in columns}) == 4


def test_the_last_partial_second_of_a_request_draws_no_drop(run):
    """Its rate is that of the part that was measured; under half of it there is none."""
    stretch = run.measured[-1]
    for end, rate in ((59.6, True), (59.2, False)):
        cut = replace(stretch, end_ns=round(end * 1e9))
        one = columns_of(replace(run, measured=(*run.measured[:-1], cut)))[1]
        assert (one.rates[-1] is not None) is rate
        if rate:
            assert one.rates[-1] == pytest.approx(one.requests[-1] / 0.6, rel=1e-3)


def test_percentiles_are_drawn_against_load(run):
    """The median of each at each level, all three of them."""
    points = [point(n, users=1 + n // 3, p95_ns=n * 10**6) for n in range(1, 31)]

    rows = load_levels_of(points, by_rate=False)

    assert {row["series"] for row in rows} == {"p50", "p95", "p99"}
    assert [row["v"] for row in rows if row["series"] == "p95"][1] == 4
    assert len({row["load"] for row in rows}) == 11


def test_requests_that_are_not_kept_over_time_are_counted():
    """Very many names are too much to keep each second of each."""
    run = make_long_run(seconds=60, requests=3)
    kept = tuple(points for points in run.request_points if points.name)[:2]
    everything = tuple(points for points in run.request_points if not points.name)

    shown = {
        chart.id: chart
        for chart in charts_of(replace(run, request_points=(*everything, *kept)), PAPER)
    }

    assert shown["requests"].words.startswith("2 requests, the first that were sent of 3. The ")


def test_times_of_nothing_have_no_place_on_an_axis_of_powers() -> None:
    """A clock that ticks each microsecond gives them for what is shorter."""
    assert log_axis([0.0, 2.0, 7.0]) == log_axis([2.0, 7.0])
    assert log_axis([0.0])[0][0] > 0

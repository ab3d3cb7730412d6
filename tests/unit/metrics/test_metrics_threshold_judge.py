"""Judging: the same numbers for one worker and for many, and no data is not a pass."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planrunner.metrics.amounts import Unit, distinct_amount
from planrunner.metrics.histogram import Histogram
from planrunner.metrics.judging.each import judge
from planrunner.metrics.judging.evidence import ArrivalCounts, Evidence, TaskRuns
from planrunner.metrics.judging.judge import Gate
from planrunner.metrics.judging.measured import MeasuredTime
from planrunner.metrics.judging.verdict import Verdict
from planrunner.metrics.series import Labels
from planrunner.metrics.snapshot import Accumulated, SeriesDelta, Snapshot
from planrunner.metrics.thresholds import OnNoData, Threshold, ThresholdLevel, parse_threshold
from planrunner.units import NS_PER_MS, NS_PER_S

START_NS = 1_000 * NS_PER_S
OK = Labels(
    request="GET /", method="GET", phase="main", stage="hold", user="Visitor", task="browse",
    status=200,
)  # fmt: skip
FAILED = replace(OK, status=503, failure="status")
SLOW = replace(OK, request="GET /slow", task="search", tags=(("cached", "false"), ("read", "")))

Second = dict[Labels, Sequence[float]]


def delta(milliseconds: Sequence[float]) -> SeriesDelta:
    histogram = Histogram([int(value * NS_PER_MS) for value in milliseconds])
    return SeriesDelta(histogram, histogram)


def seconds(*contents: Second) -> list[Snapshot]:
    """One snapshot a second, each with latencies in ms by label set."""
    return [
        Snapshot(
            START_NS + n * NS_PER_S,
            START_NS + (n + 1) * NS_PER_S,
            deltas={labels: delta(values) for labels, values in content.items()},
        )
        for n, content in enumerate(contents)
    ]


def stretch(begin: float, end: float, phase: str = "main", stage: str = "hold") -> MeasuredTime:
    return MeasuredTime(
        phase, stage, START_NS + int(begin * NS_PER_S), START_NS + int(end * NS_PER_S)
    )


def evidence_of(snapshots: Sequence[Snapshot], *measured: MeasuredTime, **more: object) -> Evidence:
    total = Accumulated()
    for snapshot in snapshots:
        total.add(snapshot)
    return Evidence(total.totals, measured or (stretch(0, max(1, len(snapshots))),), **more)  # type: ignore[arg-type]


def verdict(sentence: str, *contents: Second, **more: object) -> tuple[str, str, str]:
    """Return verdict, observed value and reason."""
    snapshots = seconds(*contents)
    found = judge(parse_threshold(sentence), evidence_of(snapshots, **more), snapshots)
    return found.verdict.value, found.observed, found.reason


TEN = {OK: [10] * 90, FAILED: [100] * 10}


@pytest.mark.parametrize(
    ("sentence", "expected", "observed"),
    [
        ("min >= 10ms", "pass", "10 ms"),
        ("max < 100ms", "fail", "exactly 100 ms"),
        ("avg <= 19ms", "pass", "19 ms"),
        ("p95 < 50ms", "fail", "99.9 ms"),
        ("p99.9 < 1s", "pass", "99.9 ms (n too small)"),
        ("count == 100", "pass", "100"),
        ("errors < 10", "fail", "10"),
        ("error_rate <= 10%", "pass", "10 %"),
        ("error_rate < 10%", "fail", "exactly 10 %"),
        ("throughput > 99/s", "pass", "100/s"),
        ("rate of status:5xx < 11%", "pass", "10 %"),
        ("count of error:timeout == 0", "pass", "0"),
        ("count of not status:200 == 10", "pass", "10"),
        ('error_rate of "GET /" < 50%', "pass", "10 %"),
        ("apdex(10ms) > 0.85", "pass", "0.9"),
        ("ratio(max, min) < 5", "fail", "10"),
        ("error_rate of status:5xx == 100%", "pass", "100 %"),
    ],
)
def test_aggregations(sentence: str, expected: str, observed: str) -> None:
    """Ninety good requests of 10 ms and ten failed ones of 100 ms, in one second."""
    found = verdict(sentence, TEN)

    assert found[:2] == (expected, observed)


def test_median_is_within_the_histograms_error() -> None:
    """Percentiles come from buckets: 0.4 % off at most."""
    gate = Gate(parse_threshold("med < 10.05ms"))

    assert gate.judge(evidence_of(seconds(TEN))).verdict is Verdict.PASS


def test_selectors_pick_their_samples() -> None:
    """Requests, tasks, tags and their combinations see only what they name."""
    content = {OK: [10], SLOW: [500]}

    assert verdict("max of task:browse < 100ms", content)[0] == "pass"
    assert verdict("max of tag:cached=false < 100ms", content)[0] == "fail"
    assert verdict("max of tag:read and not task:search < 1s", content)[0] == "no_data"
    assert verdict('count of "GET /" or "GET /slow" == 2', content)[0] == "pass"
    assert verdict("count of user:Visitor and task:search == 1", content)[0] == "pass"


def test_a_bare_action_takes_all_of_its_requests() -> None:
    """`etcd.put` is every put, whatever its name; in quotes it is the request of that name."""
    put = replace(OK, request="warm", method="put", protocol="etcd")

    assert verdict("count of etcd.put == 1", {put: [1]})[:2] == ("pass", "1")
    assert verdict('count of "etcd.put" == 1', {put: [1]})[:2] == ("no_data", "no samples")


def test_groups_and_iterations_are_populations_of_their_own() -> None:
    """They are no requests; a group with a status picks the requests within it."""
    inside = replace(OK, groups=("checkout",))
    group = replace(OK, kind="group", request="checkout", method="", status=0)
    iteration = replace(OK, kind="iteration", request="", method="", status=0)
    content = {inside: [10, 10], group: [50], iteration: [80, 80, 80], SLOW: [500]}

    assert verdict("count == 3", content)[0] == "pass"
    assert verdict("max of group:checkout == 50ms", content)[0] == "pass"
    assert verdict("count of group:checkout and status:200 == 2", content)[0] == "pass"
    assert verdict("max of not group:checkout == 500ms", content)[0] == "pass"
    assert verdict("count of iteration:Visitor == 3", content)[0] == "pass"


def test_warm_up_unmeasured_and_aborted_samples_count_nowhere() -> None:
    """They are kept raw; a threshold sees aborted ones only when it asks for them."""
    content = {
        OK: [10],
        replace(OK, warmup=True): [900],
        replace(OK, measured=False): [900],
        replace(OK, status=0, failure="aborted"): [900],
    }

    assert verdict("max < 20ms", content)[0] == "pass"
    assert verdict("error_rate == 0", content)[0] == "pass"
    assert verdict("count of error:aborted == 1", content)[0] == "pass"


def test_scopes_look_at_their_phase_and_stage() -> None:
    """Throughput divides by the measured time of the scope, not of the run."""
    ramp, high = replace(OK, stage="ramp"), replace(OK, phase="high")
    snapshots = seconds({ramp: [10] * 5}, {OK: [10] * 20}, {high: [70] * 40})
    whole = evidence_of(
        snapshots, stretch(0, 1, stage="ramp"), stretch(1, 2), stretch(2, 3, phase="high")
    )

    def observed(sentence: str) -> str:
        return judge(parse_threshold(sentence), whole).observed

    assert observed("throughput in phase main > 1/s") == "12.5/s"
    assert observed("throughput in phase main stage hold > 1/s") == "20/s"
    assert observed("throughput in stage hold > 1/s") == "30/s"
    assert observed("throughput > 1/s") == "21.7/s"
    assert observed("ratio(avg in phase high, avg in phase main) < 9") == "7"
    assert observed("count in phase low > 1") == "no samples"


def test_a_search_is_judged_only_by_name() -> None:
    """A phase that drives the target over its limit doesn't fail the whole run."""
    hard = replace(OK, phase="limit")
    content = {OK: [10], hard: [9_000]}
    apart = frozenset({"limit"})

    assert verdict("max < 1s", content, apart=apart)[0] == "pass"
    snapshots = seconds(content)
    whole = evidence_of(snapshots, stretch(0, 1, phase="limit"), apart=apart)
    assert judge(parse_threshold("max in phase limit < 1s"), whole).verdict is Verdict.FAIL


@pytest.mark.parametrize(
    "sentence",
    [
        "p95 < 1s",
        'errors of "GET /slow" == 0',
        'error_rate of "GET /slow" < 1%',
        'throughput of "GET /slow" < 5/s',
        'count of "GET /slow" and status:5xx == 0',
        'rate of "GET /slow" and error:timeout < 1%',
        "count of tag:cached=false == 0",
        'errors of "GET /slow" over 1s < 5',
        "avg of service.api.cpu < 80%",
        "dropped == 0",
        "mix_error < 5%",
        "max_sustainable > 5/s",
        "growth < 5ms",
        "ratio(count of task:a, count of task:b) < 3",
    ],
)
def test_no_samples_fail(sentence: str) -> None:
    """A gate on something that was never tried must not pass."""
    content = {} if sentence == "p95 < 1s" else {OK: [10]}

    assert verdict(sentence, content)[0] == "no_data"


def test_counting_none_of_what_was_tried_is_data() -> None:
    """No 5xx among many requests is the answer that the threshold hopes for."""
    tagged = replace(OK, tags=(("cached", "true"),))

    assert verdict("count of status:5xx == 0", {OK: [10]})[0] == "pass"
    assert verdict('rate of "GET /" and status:5xx < 1%', {OK: [10]})[0] == "pass"
    assert verdict("rate of tag:cached=false < 5%", {tagged: [10]})[0] == "pass"


def with_no_data(change: OnNoData, level: ThresholdLevel = ThresholdLevel.FAIL) -> Verdict:
    threshold = replace(parse_threshold("p95 < 1s"), on_no_data=change, level=level)
    return judge(threshold, evidence_of([])).verdict


def test_on_no_data_decides_when_the_plan_says_so() -> None:
    """`fail` is the default; a warning without data warns."""
    assert with_no_data(OnNoData.FAIL) is Verdict.NO_DATA
    assert with_no_data(OnNoData.FAIL).fails_the_run
    assert with_no_data(OnNoData.PASS) is Verdict.PASS
    assert with_no_data(OnNoData.SKIP) is Verdict.NOT_APPLICABLE
    assert with_no_data(OnNoData.FAIL, ThresholdLevel.WARN) is Verdict.WARN


def test_what_this_run_does_not_select_is_not_applicable() -> None:
    """The compiler's reason is passed on, samples or not."""
    threshold = replace(parse_threshold("p95 in phase high < 1s"), not_applicable="not selected")

    found = judge(threshold, evidence_of(seconds({OK: [10]})))

    assert (found.verdict, found.reason) == (Verdict.NOT_APPLICABLE, "not selected")


def test_a_broken_warning_warns() -> None:
    """The level of a pair decides between warn and fail."""
    threshold = replace(parse_threshold("p95 < 5ms"), level=ThresholdLevel.WARN)

    assert judge(threshold, evidence_of(seconds({OK: [10]}))).verdict is Verdict.WARN


def calm(count: int) -> list[Second]:
    return [{OK: [10]}] * count


STALL: Second = {OK: [900]}


def test_one_bad_window_of_many_fails() -> None:
    """A stall of two seconds that the whole run's p50 doesn't show."""
    contents = [*calm(10), STALL, STALL, *calm(8)]

    assert verdict("p50 < 100ms", *contents)[0] == "pass"
    found = verdict("p50 over 2s < 100ms", *contents)
    assert found == ("fail", "900 ms", "in the 2s from 10s")


def test_windows_that_pass_show_the_worst() -> None:
    """The reader sees how near it was."""
    found = verdict("max over 2s < 1s", *calm(3), STALL, *calm(2))

    assert found == ("pass", "900 ms", "the worst of 3 windows of 2s")


def test_the_worst_window_is_known_by_its_time() -> None:
    """By the clock, after the warm-up that comes before it; and so is the limit as a number."""
    snapshots = seconds({OK: [10]}, {OK: [10]}, {OK: [80]}, {OK: [90]}, {OK: [10]})
    evidence = evidence_of(snapshots, stretch(1, 5))

    found = judge(parse_threshold("p95 over 1s < 50ms"), evidence, snapshots)
    whole = judge(parse_threshold("p95 < 50ms"), evidence, snapshots)

    assert found.window_ns == (START_NS + 3 * NS_PER_S, START_NS + 4 * NS_PER_S)
    assert found.limit_amount == whole.limit_amount == 50 * NS_PER_MS
    assert whole.window_ns is None


def test_several_windows_in_a_row_are_needed_when_asked_for() -> None:
    """Two bad windows apart pass `for 2 windows`; two in a row don't."""
    apart = [*calm(2), STALL, *calm(1), STALL, *calm(2)]
    in_a_row = [*calm(2), STALL, STALL, *calm(2)]

    assert verdict("max over 1s for 2 windows < 100ms", *apart)[0] == "pass"
    found = verdict("max over 1s for 2 windows < 100ms", *in_a_row)
    assert found == ("fail", "900 ms", "in 2 windows of 1s from 2s")


def test_a_window_without_samples_neither_breaks_nor_mends() -> None:
    """A stalled second between two bad ones doesn't hide them; for throughput it is a zero."""
    contents = [*calm(2), STALL, {}, STALL, *calm(2)]

    assert verdict("max over 1s for 2 windows < 100ms", *contents)[0] == "fail"
    assert verdict("throughput over 1s > 0.5/s", *contents)[:2] == ("fail", "0/s")


def test_a_scope_shorter_than_a_window_is_one_window() -> None:
    """The only window is the scope, so a short test is still judged."""
    assert verdict("max over 1m < 100ms", *calm(2), STALL)[0] == "fail"


def test_what_is_left_joins_the_last_window() -> None:
    """Five seconds in windows of two: the last has three, and nothing goes unjudged."""
    found = verdict("max over 2s < 100ms", *calm(4), STALL)

    assert found == ("fail", "900 ms", "in the 3s from 2s")


def test_windows_start_after_the_warm_up() -> None:
    """The first window begins where measured time does."""
    snapshots = seconds(*calm(1), *calm(2), STALL, STALL)
    whole = evidence_of(snapshots, stretch(1, 5))

    found = judge(parse_threshold("min over 2s < 100ms"), whole, snapshots)

    assert found.reason == "in the 2s from 2s"


def test_samples_of_the_graceful_stop_belong_to_the_last_window() -> None:
    """They finish after the measured time and count all the same."""
    snapshots = seconds(*calm(4), {}, STALL)
    whole = evidence_of(snapshots, stretch(0, 4))

    assert judge(parse_threshold("max over 2s < 100ms"), whole, snapshots).verdict is Verdict.FAIL


def test_merged_workers_are_judged_like_one() -> None:
    """Two workers' snapshots side by side give the numbers of one worker with all samples."""
    one = seconds({OK: [10, 20]}, {OK: [30, 900]})
    first, second = seconds({OK: [20]}, {OK: [900]}), seconds({OK: [10]}, {OK: [30]})
    merged = [a.merge(b) for a, b in zip(first, second, strict=True)]

    for sentence in ("p95 < 1s", "avg over 1s < 100ms", "throughput > 1/s"):
        threshold = parse_threshold(sentence)
        assert judge(threshold, evidence_of(one), one) == judge(
            threshold, evidence_of(merged), merged
        )


def live(sentence: str, *contents: Second) -> int | None:
    """Return the second after which the run must end, as the engine would ask."""
    gate = Gate(parse_threshold(sentence))
    snapshots = seconds(*contents)
    for n, snapshot in enumerate(snapshots, start=1):
        evidence = evidence_of(snapshots[:n], stretch(0, n))
        gate.add(snapshot, evidence)
        if gate.check(evidence) is not None:
            return n
    return None


def test_abort_ends_the_run_within_a_second_of_its_window() -> None:
    """The window from 4 to 6 s is bad: known at 6 s."""
    assert live("max over 2s < 100ms, abort", *calm(4), STALL, *calm(5)) == 6


def test_abort_without_a_window_judges_everything_so_far() -> None:
    """`after` gives the start of the scope time to settle."""
    contents = [{FAILED: [10]}, *calm(5), {FAILED: [10] * 20}]

    assert live("error_rate < 50%, abort", *contents) == 1
    assert live("error_rate < 50%, abort after 3s", *contents) == 7


def test_a_phase_that_starts_just_after_the_run_is_judged_in_the_same_seconds() -> None:
    """Connecting took 3 ms: nobody waits a whole second for them."""

    def live_late(sentence: str, *contents: Second) -> int | None:
        gate, snapshots = Gate(parse_threshold(sentence)), seconds(*contents)
        for n, snapshot in enumerate(snapshots, start=1):
            evidence = evidence_of(snapshots[:n], stretch(0.003, n))
            gate.add(snapshot, evidence)
            if gate.check(evidence) is not None:
                return n
        return None

    assert live_late("max over 2s < 100ms, abort", *calm(4), STALL, *calm(5)) == 6
    assert live_late("p95 < 1ms, abort after 3s", *calm(5)) == 3


def test_a_threshold_without_abort_never_ends_the_run() -> None:
    """It is judged when the run is over."""
    assert live("max < 1ms", *calm(3)) is None


def test_no_data_yet_is_no_reason_to_abort() -> None:
    """The request may come later."""
    assert live('p95 of "GET /slow" < 1s, abort', *calm(3)) is None


def test_windows_are_reduced_as_they_end() -> None:
    """An hour of windows keeps the sums of the last ones only, and the verdict of all."""
    gate = Gate(parse_threshold("max over 2s < 100ms"))
    snapshots = seconds(*calm(2), STALL, *calm(97))
    for n, snapshot in enumerate(snapshots, start=1):
        evidence = evidence_of(snapshots[:n], stretch(0, n))
        gate.add(snapshot, evidence)

    assert gate._windows is not None
    assert len(gate._windows._sums) <= 3
    assert gate.judge(evidence).reason == "in the 2s from 2s"


def test_gauges_are_averaged_over_the_measured_time() -> None:
    """Values outside it don't count, and the unit is that of the gauge."""
    points = [(START_NS + n * NS_PER_S, 0.1 * n) for n in range(20)]
    more = {"gauges": {"service.api.cpu": points}}

    assert verdict("service.api.cpu < 80%", *calm(10), **more)[:2] == ("pass", "45 %")
    assert verdict("max of service.api.cpu < 80%", *calm(10), **more)[:2] == ("fail", "90 %")
    found = verdict("max of service.api.cpu over 5s < 80%", *calm(10), **more)
    assert found == ("fail", "90 %", "in the 5s from 5s")


def test_a_gauge_in_seconds_is_held_against_a_duration() -> None:
    """`generator.loop_lag` comes in seconds, as expressions have durations."""
    more = {"gauges": {"generator.loop_lag": [(START_NS + 1, 0.004), (START_NS + 2, 0.030)]}}

    assert verdict("max of generator.loop_lag < 20ms", {OK: [1]}, **more)[:2] == ("fail", "30 ms")


def test_growth_of_a_gauge_compares_the_last_tenth_with_the_first() -> None:
    """A steady 10 MB a second over 20 s has grown by 180 MB from tenth to tenth."""
    points = [(START_NS + n * NS_PER_S, n * 10e6) for n in range(20)]
    more = {"gauges": {"service.api.rss": points}}

    found = verdict("growth of service.api.rss < 100MB", *calm(20), **more)
    assert found[:2] == ("fail", "180.0 MB")
    found = verdict("growth of service.api.rss over 10s < 100MB", *calm(20), **more)
    assert found[:2] == ("pass", "90.0 MB")


def test_a_ratio_says_what_it_was_computed_from() -> None:
    """Two numbers with their units tell more than their quotient."""
    assert verdict("ratio(max, min) < 5", TEN) == ("fail", "10", "100 ms ÷ 10 ms")


def test_growth_takes_two_seconds() -> None:
    """Shorter is no data, and the reason is that, whether there are values or not."""
    points = [(START_NS, 10e6), (START_NS + NS_PER_S // 2, 20e6)]
    more = {"gauges": {"service.api.rss": points}}

    found = verdict("growth of service.api.rss < 100MB", *calm(1), **more)

    assert found[:2] == ("no_data", "too short to show growth")


def test_growth_of_latency_compares_medians() -> None:
    """A target that slows down from 10 to 29 ms, a millisecond a second."""
    contents = [{OK: [10 + n] * 3} for n in range(20)]

    assert verdict("growth < 20ms", *contents)[:2] == ("pass", "18 ms")
    assert verdict("growth over 10s < 8ms", *contents)[:2] == ("fail", "9 ms")


def test_arrivals_are_counted_in_their_scope() -> None:
    """Achieved rate as a share of what was due, and per second."""
    arrivals = [
        ArrivalCounts(START_NS + n * NS_PER_S + NS_PER_S // 2, "main", 100, 95, 5, 2)
        for n in range(4)
    ]
    more = {"arrivals": arrivals}

    assert verdict("dropped == 0", *calm(4), **more)[:2] == ("fail", "20")
    assert verdict("late < 10", *calm(4), **more)[:2] == ("pass", "8")
    assert verdict("late < 1%", *calm(4), **more)[0] == "fail"
    assert verdict("dropped < 50%", *calm(4), **more)[0] == "pass"
    assert verdict("achieved_rate >= 95%", *calm(4), **more)[:2] == ("pass", "95 %")
    assert verdict("achieved_rate over 2s > 96/s", *calm(4), **more)[:2] == ("fail", "95/s")


def test_mix_error_is_half_the_sum_of_the_differences() -> None:
    """Declared 10:3:1, run 12:1:1: 14.3 % of the runs went elsewhere."""
    rows = [
        TaskRuns("main", "Visitor", task, weight, runs)
        for task, weight, runs in (("get", 10, 12), ("put", 3, 1), ("delete", 1, 1))
    ]

    found = verdict("mix_error of user:Visitor < 5%", {OK: [1]}, task_runs=rows)

    assert found[:2] == ("fail", "14.29 %")


def test_max_sustainable_comes_from_its_search() -> None:
    """The level is users or arrivals a second, as the limit is written."""
    more = {"sustainable": {"find": 430.0}}

    found = verdict("max_sustainable in phase find >= 150/s", {OK: [1]}, **more)
    assert found[:2] == ("pass", "430/s")
    assert verdict("max_sustainable >= 500", {OK: [1]}, **more)[0] == "fail"


def test_the_baseline_scales_the_limit() -> None:
    """Without a baseline the threshold doesn't apply; one that lacks the metric is no data."""
    sentence = "avg < 110% of baseline"

    assert verdict(sentence, {OK: [10]}) == (
        "n/a", "", "there is no baseline; make one with `planrunner baseline promote RUN`",
    )  # fmt: skip
    assert verdict(sentence, {OK: [10]}, baseline=lambda _: None)[0] == "no_data"
    assert verdict(sentence, {OK: [10]}, baseline=lambda _: 9.5 * NS_PER_MS)[0] == "pass"
    assert verdict(sentence, {OK: [10]}, baseline=lambda _: 9 * NS_PER_MS)[0] == "fail"


def test_as_good_as_a_baseline_of_nothing_is_good_enough() -> None:
    """No error is not below 110 % of no error, but nobody means that as a fault."""
    sentence = "error_rate < 110% of baseline"

    assert verdict(sentence, {OK: [10]}, baseline=lambda _: 0.0)[0] == "pass"
    assert verdict(sentence, {OK: [10], FAILED: [1]}, baseline=lambda _: 0.0)[0] == "fail"
    assert verdict("error_rate < 0%", {OK: [10]})[0] == "fail"


def test_limits_are_shown_with_their_unit() -> None:
    """As the plan writes them, and what a share of the baseline comes to."""

    def limit(sentence: str) -> str:
        threshold: Threshold = parse_threshold(sentence)
        evidence = evidence_of(seconds({OK: [10]}), baseline=lambda _: 10 * NS_PER_MS)
        return judge(threshold, evidence).limit

    assert limit("p95 < 500ms") == "500 ms"
    assert limit("error_rate < 0.1%") == "0.1 %"
    assert limit("throughput > 30/m") == "30/m"
    assert limit("p95 < 110% of baseline") == "11 ms (of 10 ms)"


def test_an_observed_value_that_looks_like_its_limit_has_more_digits() -> None:
    """`observed 40 ms, limit 40 ms` of a pass reads like a fault."""
    assert distinct_amount(39.97e6, 40e6, Unit.DURATION) == "39.97 ms"
    assert distinct_amount(0.009999, 0.01, Unit.PERCENT) == "0.9999 %"
    assert distinct_amount(99.9996, 100, Unit.RATE) == "99.9996/s"
    assert distinct_amount(1_000_400, 1_000_000, Unit.SIZE) == "1.0004 MB"


def test_the_observed_value_and_its_limit_never_look_alike() -> None:
    """Not in windows, and not where the limit was computed from a baseline either."""
    slow = {OK: [35.2]}

    def shown(sentence: str, *contents: Second, **more: object) -> tuple[str, str]:
        threshold = parse_threshold(sentence)
        snapshots = seconds(*contents)
        found = judge(threshold, evidence_of(snapshots, **more), snapshots)
        return found.observed, found.limit

    assert shown("max < 35ms", slow) == ("35.2 ms", "35 ms")
    assert shown("max over 1s < 35ms", slow, slow) == ("35.2 ms", "35 ms")
    assert shown("max < 35ms", {OK: [35.0]}) == ("exactly 35 ms", "35 ms")
    assert shown("max <= 35ms", {OK: [35.0]}) == ("35 ms", "35 ms")
    assert shown("max < 100% of baseline", {OK: [1002.0]}, baseline=lambda _: 1004 * NS_PER_MS) == (
        "1.002 s",
        "1.004 s (of 1 s)",
    )


def test_windows_that_are_over_are_counted_where_too_few_are_in_a_row() -> None:
    """The observed value is over the limit there, and the threshold holds all the same."""
    pieces = [{OK: [9.0]}, {OK: [900.0]}, {OK: [9.0]}, {OK: [800.0]}]
    word, _, reason = verdict("p95 over 1s for 2 windows < 40ms", *pieces)

    assert word == "pass"
    assert reason == "2 of 4 windows of 1s over, 2 in a row needed"


@given(
    levels=st.lists(st.integers(1, 6), min_size=1, max_size=8),
    count=st.integers(1, 4),
    operator=st.sampled_from(["<", "<=", ">", ">=", "==", "!="]),
    limit=st.integers(1, 6),
)
def test_the_amount_of_windows_decides_as_they_do(
    levels: list[int], count: int, operator: str, limit: int
) -> None:
    """So that the amounts of several runs can be judged together."""
    snapshots = seconds(*({OK: [10] * level} for level in levels))
    threshold = parse_threshold(f"count over 1s for {count} windows {operator} {limit}")

    found = judge(threshold, evidence_of(snapshots), snapshots)

    assert found.limit_amount == limit
    if found.amount is None:
        assert len(levels) < count
        assert found.verdict is Verdict.PASS
    else:
        holds = threshold.op.holds(found.amount, limit)
        assert found.verdict is (Verdict.PASS if holds else Verdict.FAIL)


ASKED = replace(OK, request="GET /asked", expectations=3, groups=("shop",))
BROKEN = {("status 200", False): 1, ("time < 1s", True): 2}


def asked_of(labels: Labels, count: int, broken: dict[tuple[str, bool], int]) -> list[Snapshot]:
    samples = replace(delta([10] * count), broken=broken)
    return [Snapshot(START_NS, START_NS + NS_PER_S, deltas={labels: samples})]


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("checks > 89%", ("pass", "90 %")),
        ("checks > 90%", ("fail", "exactly 90 %")),
        ('checks of "GET /asked" >= 90%', ("pass", "90 %")),
        ("checks of group:shop >= 90%", ("pass", "90 %")),
        ("checks of not group:shop >= 90%", ("no_data", "no samples")),
        ("checks of task:browse in phase main stage hold over 1s >= 90%", ("pass", "90 %")),
        ("checks in phase other >= 90%", ("no_data", "no samples")),
        ("ratio(checks, checks of status:200) == 1", ("pass", "1")),
    ],
)
def test_checks_are_the_expectations_that_held(sentence: str, expected: tuple[str, str]) -> None:
    """Ten replies with three expectations each, hard and soft ones, of which three broke."""
    snapshots = asked_of(ASKED, 10, BROKEN)

    found = judge(parse_threshold(sentence), evidence_of(snapshots), snapshots)

    assert (found.verdict.value, found.observed) == expected


def test_checks_without_any_expectation_are_no_data() -> None:
    """Requests alone say nothing of expectations, and what says nothing is no pass."""
    assert verdict("checks > 0%", {OK: [10]}) == ("no_data", "no expectations", "")


@given(st.lists(st.tuples(st.integers(1, 50), st.integers(1, 5), st.integers(0, 100)), min_size=1))
def test_checks_of_several_workers_are_those_of_all(parts: list[tuple[int, int, int]]) -> None:
    """Merging snapshots adds what was asked and what broke, whatever the order."""
    snapshots = [
        asked_of(replace(ASKED, expectations=asked), count, {("x", False): min(off, count * asked)})
        for count, asked, off in parts
    ]
    merged = snapshots[0][0]
    for (other,) in snapshots[1:]:
        merged = other.merge(merged)

    gate = Gate(parse_threshold("checks >= 0%"))
    found = gate.judge(evidence_of([merged]))

    whole = sum(count * asked for count, asked, _ in parts)
    off = sum(min(off, count * asked) for count, asked, off in parts)
    assert found.amount == pytest.approx((whole - off) / whole)


def test_broken_checks_abort_a_run() -> None:
    """They are judged once a second as other shares are."""
    gate = Gate(parse_threshold("checks > 95%, abort"))

    assert gate.check(evidence_of(asked_of(ASKED, 10, {}))) is None
    assert gate.check(evidence_of(asked_of(ASKED, 10, BROKEN))) is not None

"""`each`: every single one by itself, the worst named; and shares, globs and `for`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planrunner.metrics.histogram import Histogram
from planrunner.metrics.judging.each import gate_of, judge
from planrunner.metrics.judging.evidence import ArrivalCounts, Evidence, TaskRuns
from planrunner.metrics.judging.measured import MeasuredTime
from planrunner.metrics.judging.verdict import Observation, Verdict
from planrunner.metrics.series import Labels
from planrunner.metrics.snapshot import Accumulated, SeriesDelta, Snapshot
from planrunner.metrics.thresholds import OnNoData, Threshold, ThresholdLevel, parse_threshold
from planrunner.units import NS_PER_MS, NS_PER_S

START_NS = 1_000 * NS_PER_S
FAST = Labels(
    request="GET /", method="GET", phase="main", stage="hold", user="Visitor", task="browse",
    status=200,
)  # fmt: skip
CART = replace(
    FAST, request="POST /cart", user="Buyer", task="buy", groups=("shop", "pay"),
    tags=(("region", "eu"),),
)  # fmt: skip
ITEM = replace(FAST, request="GET /items/1", task="look", tags=(("region", "us"),))
FAILED = replace(CART, status=503, failure="status")
LATER = replace(FAST, phase="later")

Second = dict[Labels, Sequence[float]]


def seconds(*contents: Second) -> list[Snapshot]:
    """One snapshot a second, each with latencies in ms by label set."""

    def delta(milliseconds: Sequence[float]) -> SeriesDelta:
        histogram = Histogram([int(value * NS_PER_MS) for value in milliseconds])
        return SeriesDelta(histogram, histogram)

    return [
        Snapshot(
            START_NS + n * NS_PER_S,
            START_NS + (n + 1) * NS_PER_S,
            deltas={labels: delta(values) for labels, values in content.items() if values},
        )
        for n, content in enumerate(contents)
    ]


def evidence_of(snapshots: Sequence[Snapshot], **more: object) -> Evidence:
    total = Accumulated()
    for snapshot in snapshots:
        total.add(snapshot)
    end_ns = START_NS + max(1, len(snapshots)) * NS_PER_S
    phases = dict.fromkeys(labels.phase for labels in total.totals) or {"main": None}
    measured = tuple(MeasuredTime(phase, "hold", START_NS, end_ns) for phase in phases)
    return Evidence(total.totals, measured, **more)  # type: ignore[arg-type]


def each(sentence: str, *expected: str, **more: object) -> Threshold:
    return replace(parse_threshold(sentence), singles=expected, **more)  # type: ignore[arg-type]


def judged(threshold: Threshold, *contents: Second, **more: object) -> Observation:
    snapshots = seconds(*contents)
    return judge(threshold, evidence_of(snapshots, **more), snapshots)


def names(found: Observation) -> list[tuple[str, str]]:
    return [(one.name, one.found.verdict.value) for one in found.singles]


ALL: Second = {FAST: [10], CART: [500], ITEM: [200]}


@pytest.mark.parametrize(
    ("sentence", "verdict", "observed"),
    [
        ("max of each request < 300ms", "fail", "500 ms (POST /cart)"),
        ("max of each request < 1s", "pass", "500 ms (POST /cart)"),
        ("min of each request > 50ms", "fail", "10 ms (GET /)"),
        ("max of each request != 10ms", "fail", "exactly 10 ms (GET /)"),
        ('max of each request except "POST /cart" < 300ms', "pass", "200 ms (GET /items/1)"),
        ("max of each request except task:buy < 300ms", "pass", "200 ms (GET /items/1)"),
        ("max of each request except /cart|items/ < 300ms", "pass", "10 ms (GET /)"),
        ('max of each "GET *" < 300ms', "pass", "200 ms (GET /items/1)"),
        ("max of each request and tag:region < 300ms", "fail", "500 ms (POST /cart)"),
        ("max of each task < 300ms", "fail", "500 ms (buy)"),
        ("max of each user < 300ms", "fail", "500 ms (Buyer)"),
        ("max of each tag:region < 300ms", "fail", "500 ms (eu)"),
        ('max of each group:"p*" and status:2xx < 300ms', "fail", "500 ms (pay)"),
        ("max of each phase < 300ms", "fail", "500 ms (main)"),
        ("count of each task == 1", "pass", "1 (browse)"),
        ("share of each task among user:Visitor > 60%", "fail", "50 % (browse)"),
        ("rate of each request < 40%", "pass", "33.33 % (GET /)"),
        ("stddev of each user < 10ms", "fail", "94.9 ms (Visitor)"),
        ("apdex(100ms) of each request > 0.6", "fail", "0 (POST /cart)"),
    ],
)
def test_the_worst_single_one_decides_and_is_named(
    sentence: str, verdict: str, observed: str
) -> None:
    """Whatever `each` is about."""
    found = judged(each(sentence), ALL)

    assert (found.verdict.value, found.observed) == (verdict, observed)


def test_all_that_broke_are_listed_the_worst_first() -> None:
    """With what was observed of them, in words and as data."""
    found = judged(each("max of each request < 100ms"), ALL)

    said = "broken by 2 of 3 requests: POST /cart 500 ms, GET /items/1 200 ms"
    assert found.reason == said
    assert names(found) == [("POST /cart", "fail"), ("GET /items/1", "fail"), ("GET /", "pass")]
    assert found.amount == 500 * NS_PER_MS


def test_very_many_are_counted() -> None:
    """The sentence stays readable; the data has every single one."""
    many: Second = {replace(FAST, request=f"GET /{n}"): [500] for n in range(30)}

    found = judged(each("max of each request < 100ms"), many)

    assert found.reason.endswith(", and 10 more")
    assert len(found.singles) == 30


def test_one_that_never_ran_has_no_data() -> None:
    """A limit that was not measured was not met, and what broke outranks it."""
    found = judged(each("max of each request < 1s", "GET /", "GET /never"), ALL)
    worse = judged(each("max of each request < 1ms", "GET /never"), ALL)

    assert (found.verdict, found.observed) == (Verdict.NO_DATA, "no samples (GET /never)")
    assert found.reason == "no data of 1 of 4 requests: GET /never"
    assert worse.verdict is Verdict.FAIL
    assert worse.reason.endswith("; no data of 1 of 4 requests: GET /never")


@pytest.mark.parametrize(
    ("more", "verdict"),
    [
        ({"on_no_data": OnNoData.PASS}, "pass"),
        ({"on_no_data": OnNoData.SKIP}, "pass"),
        ({"level": ThresholdLevel.WARN}, "warn"),
    ],
)
def test_no_data_means_what_the_plan_says(more: dict[str, object], verdict: str) -> None:
    """For every single one."""
    found = judged(each("max of each request < 1s", "GET /never", **more), ALL)

    assert found.verdict.value == verdict


def test_skipping_all_without_data_judges_nothing() -> None:
    """Then there is nothing that could be broken."""
    skipped = each("max of each request < 1s", "a", "b", on_no_data=OnNoData.SKIP)

    assert judged(skipped, {}).verdict is Verdict.NOT_APPLICABLE
    assert judged(each("max of each request < 1s"), {}).verdict is Verdict.NO_DATA


def test_counting_none_is_an_answer_where_it_was_tried() -> None:
    """No 5xx of a request that was sent is 0; of one that never was it is nothing."""
    content = {**ALL, FAILED: [1]}
    none = "count of each request and status:5xx == 0"
    share = "share of status:5xx among each request < 40%"

    assert judged(each(none), ALL).verdict is Verdict.PASS
    assert judged(each(none), content).observed == "1 (POST /cart)"
    assert judged(each(none, "GET /never"), ALL).verdict is Verdict.NO_DATA
    assert judged(each(share), content).observed == "50 % (POST /cart)"


def test_what_is_not_of_the_run_is_not_judged() -> None:
    """Warm-up, unmeasured and aborted samples make nobody a single one."""
    left_out: Second = {
        replace(FAST, request="warm", warmup=True): [9_000],
        replace(FAST, request="login", measured=False): [9_000],
        replace(FAST, request="cut", failure="aborted"): [9_000],
        FAST: [10],
    }

    assert names(judged(each("max of each request < 1s"), left_out)) == [("GET /", "pass")]


def test_each_has_its_own_windows() -> None:
    """Two requests that break it in turn don't break it in a row."""
    contents: list[Second] = [
        {FAST: [500], CART: [1]},
        {FAST: [1], CART: [500]},
        {FAST: [500], CART: [1]},
    ]
    two = judged(each("max of each request over 1s for 2 windows < 100ms"), *contents)
    one = judged(each("max of each request over 1s < 100ms"), *contents)
    whole = judged(parse_threshold("max over 1s for 3s < 100ms"), *contents)

    assert two.verdict is Verdict.PASS
    assert one.observed == "500 ms (GET /)"
    assert whole.verdict is Verdict.FAIL


def test_each_has_its_own_growth() -> None:
    """One that slows down is found beside one that gets faster."""
    contents: list[Second] = [{FAST: [10 * n], CART: [200 - 10 * n]} for n in range(1, 11)]

    found = judged(each("growth of each request < 50ms"), *contents)

    assert found.observed.endswith("(GET /)")
    assert found.verdict is Verdict.FAIL


def test_each_has_its_own_baseline() -> None:
    """The worst is the one that is worst beside its own."""
    before = {"GET /": 1.0 * NS_PER_MS, "POST /cart": 490.0 * NS_PER_MS}

    def baseline(metric: object) -> float | None:
        return before.get(str(metric).removeprefix("max of ").strip('"'))

    threshold = each("max of each request < 110% of baseline")
    found = judged(threshold, {FAST: [10], CART: [500]}, baseline=baseline)
    new = judged(threshold, {CART: [500], ITEM: [1]}, baseline=baseline)

    assert found.observed == "10 ms (GET /)"
    assert found.reason == "broken by 1 of 2 requests: GET / 10 ms"
    assert (new.verdict, new.observed) == (Verdict.NO_DATA, "not in baseline (GET /items/1)")
    assert judged(threshold, {FAST: [10]}).verdict is Verdict.NOT_APPLICABLE


def test_arrivals_and_mixes_are_judged_one_by_one_too() -> None:
    """Of phases and of user classes."""
    content: Second = {FAST: [1], LATER: [1]}
    arrivals = [
        ArrivalCounts(START_NS + 1, "main", due=100, started=100, dropped=0, late=0),
        ArrivalCounts(START_NS + 2, "later", due=100, started=90, dropped=10, late=0),
    ]
    runs = [TaskRuns("main", user, task, 1, count) for user, task, count in (
        ("Buyer", "a", 50), ("Buyer", "b", 50), ("Visitor", "a", 90), ("Visitor", "b", 10),
    )]  # fmt: skip

    dropped = judged(each("dropped of each phase < 5%"), content, arrivals=arrivals)
    mix = judged(each("mix_error of each user < 5%", "Buyer"), content, task_runs=runs)

    assert dropped.observed == "10 % (later)"
    assert mix.observed == "40 % (Visitor)"


def test_a_search_is_no_phase_of_each() -> None:
    """Only thresholds that name it judge it."""
    content: Second = {FAST: [1], LATER: [900]}

    found = judged(each("max of each phase < 5ms"), content, apart=frozenset({"later"}))

    assert names(found) == [("main", "pass")]


def test_it_aborts_for_a_single_one() -> None:
    """Once a second; one that had no sample yet breaks nothing."""
    gate = gate_of(each("max of each request < 100ms, abort after 2s", "GET /", "GET /never"))
    held, broken = seconds({FAST: [10]}), seconds({FAST: [10]}, {CART: [500]})

    assert gate.check(evidence_of(held)) is None
    assert gate.standing(evidence_of(held)).verdict is Verdict.PASS
    found = gate.check(evidence_of(broken))
    assert found is not None
    assert found.observed == "500 ms (POST /cart)"
    assert gate.next_end_ns(evidence_of(held), START_NS + NS_PER_S) == START_NS + 2 * NS_PER_S


def test_a_threshold_that_does_not_apply_is_not_judged() -> None:
    """Neither while the run goes on nor at its end."""
    gate = gate_of(each("max of each request < 1ms, abort", not_applicable="task a not selected"))
    evidence = evidence_of(seconds(ALL))

    assert gate.check(evidence) is None
    assert gate.judge(evidence).verdict is Verdict.NOT_APPLICABLE
    assert gate.judge(evidence).reason == "task a not selected"


@given(
    st.dictionaries(
        st.sampled_from([FAST, CART, ITEM, FAILED]),
        st.lists(st.integers(1, 900), min_size=1, max_size=4),
        min_size=1,
    ),
    st.sampled_from(
        [
            *("max of {} < 300ms", "count of {} > 1", "error_rate of {} over 1s < 50%"),
            *("rate of {} < 40%", "share of {} among user:Buyer over 1s < 90%"),
        ]
    ),
)
def test_it_is_as_if_each_had_a_threshold_of_its_own(content: Second, sentence: str) -> None:
    """The verdict is the worst of theirs, with what that one observed."""
    requests = sorted({labels.request for labels in content})
    alone = {
        name: judged(parse_threshold(sentence.format(f'"{name}"')), content) for name in requests
    }

    found = judged(each(sentence.format("each request"), *requests), content)

    assert {one.name: one.found for one in found.singles} == alone
    assert (found.verdict is Verdict.FAIL) == any(
        one.verdict is Verdict.FAIL for one in alone.values()
    )


@pytest.mark.parametrize(
    ("sentence", "verdict", "observed"),
    [
        ("share of status:5xx < 30%", "pass", "25 %"),
        ('share of status:5xx among "POST /cart" < 30%', "fail", "50 %"),
        ("share of error:status among group:pay < 60%", "pass", "50 %"),
        ('share of status:5xx among "GET /never" < 1%', "no_data", "no samples"),
        ("share of task:never among user:Buyer < 1%", "no_data", "no samples"),
        ("share of task:buy among user:Visitor < 1%", "no_data", "no samples"),
        ("share of task:look among user:Visitor == 50%", "pass", "50 %"),
        ("share of status:404 among user:Buyer over 1s < 1%", "pass", "0 %"),
    ],
)
def test_a_share_is_one_of_what_it_is_among(sentence: str, verdict: str, observed: str) -> None:
    """Of everything without `among`; nothing to share in is no data."""
    found = judged(parse_threshold(sentence), {**ALL, FAILED: [1]})

    assert (found.verdict.value, found.observed) == (verdict, observed)


def test_a_share_of_iterations_is_among_iterations() -> None:
    """Both selectors pick from the same population."""
    span = replace(FAST, kind="iteration", request="", method="", status=0)
    content: Second = {**ALL, span: [1, 2, 3], replace(span, task="look"): [1]}

    found = judged(parse_threshold("share of task:look among iteration:Visitor < 30%"), content)

    assert found.observed == "25 %"


def test_for_is_broken_by_every_second_of_that_time() -> None:
    """A second that holds begins the row anew; one without samples does not."""
    slow, fast, idle = {FAST: [500]}, {FAST: [10]}, {FAST: []}
    sentence = parse_threshold("p95 < 100ms for 3s")

    assert judged(sentence, slow, slow, fast, slow, slow).verdict is Verdict.PASS
    assert judged(sentence, fast, slow, slow, slow).verdict is Verdict.FAIL
    assert judged(sentence, slow, slow, idle, slow).verdict is Verdict.FAIL


@pytest.mark.parametrize(
    ("selector", "count"),
    [
        ('"GET /*"', 2),
        ('"GET /items/*"', 1),
        ('"*cart"', 1),
        ('"*/*1"', 1),
        ('"GET *items*"', 1),
        ('"G*T"', 0),
        ("/^GET/", 2),
        ("/items|cart/", 2),
        ("/(?i)^get /", 2),
        ("/^GET /$/", 1),
        ('task:"b*"', 2),
        ("user:/^V/ and not /items/", 1),
        ('tag:region="e*"', 1),
        ("tag:region=/^(eu|us)$/", 2),
        ('group:"sh*" and status:200', 1),
    ],
)
def test_patterns_pick_what_fits(selector: str, count: int) -> None:
    """Globs fit whole names, regular expressions are looked for in them."""
    found = judged(parse_threshold(f"count of {selector} == {count}"), ALL)

    assert found.observed == (str(count) if count else "no samples")


@pytest.mark.parametrize(
    ("sentence", "observed"),
    [
        ("stddev < 1s", "245 ms"),
        ("stddev of user:Buyer < 1s", "245 ms"),
        ("stddev service_time of task:buy < 1s", "245 ms"),
        ("stddev of group:pay < 1s", "49.9 ms"),
        ("stddev of iteration:Buyer < 1s", "100 ms"),
        ("stddev of service.api.cpu < 20%", "10 %"),
        ("stddev over 1s < 1s", "245 ms"),
    ],
)
def test_a_standard_deviation_is_one_of_any_population(sentence: str, observed: str) -> None:
    """Of requests, runs of a group, iterations and the values of a gauge."""
    span = replace(CART, method="", status=0, groups=(), tags=())
    content: Second = {
        CART: [10, 500],
        replace(span, kind="group", request="pay"): [100, 200],
        replace(span, kind="iteration", request=""): [100, 300],
    }
    gauges = {"service.api.cpu": [(START_NS + 1, 0.1), (START_NS + 2, 0.3)]}

    assert judged(parse_threshold(sentence), content, gauges=gauges).observed == observed

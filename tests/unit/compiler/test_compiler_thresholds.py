"""Thresholds: what they may name, and what of it a run selects."""

from __future__ import annotations

import pytest

from planrunner.metrics.thresholds import OnNoData, ThresholdLevel
from tests.support.plans import compiled, findings

USERS = """
etcd: {endpoints: ["127.0.0.1:2379"]}
setup: {measure: true, do: [{post: /reset, tags: {once: yes}}]}
users:
  Reader:
    weight: 9
    tags: {team: web}
    tasks:
      - task: read
        tags: [safe]
        steps: [{get: /items}, {group: page, do: [{get: "/${user.id}"}]}]
      - {get: /list, tags: {kind: "${json.kind}"}}
  Writer:
    on_start: {measure: true, do: [{post: /login, name: login}]}
    steps:
      - {post: /items, tags: {kind: write, area: shop}}
      - etcd.put: {key: a, value: b, tags: {store: etcd}}
      - {poll: {get: /job, name: job, tags: {slow: yes}}, until: "true", timeout: 1s}
"""


def thresholds(*sentences: str) -> str:
    return "thresholds:\n" + "\n".join(f"  - {sentence!r}" for sentence in sentences)


def reasons(sentence: str, *sections: str) -> str:
    """Return why a threshold does not apply to the run."""
    return compiled(thresholds(sentence), *sections).thresholds[0].not_applicable


@pytest.mark.parametrize(
    "sentence",
    [
        'p95 of "GET /items" < 1s',
        'p95 of "GET /${user.id}" < 1s',
        "p95 of login < 1s",
        'p95 of task:read or task:"GET /list" < 1s',
        "p95 of user:Writer and not group:page < 1s",
        "rate of tag:safe and tag:team=web < 50%",
        "count of tag:kind=whatever > 0",
        "count of tag:area=shop > 0",
        "count of etcd.put and tag:store=etcd > 0",
        "count of job and tag:slow > 0",
        "p95 of group:job < 1s",
        'p95 of "POST /reset" and tag:once < 1s',
        "count of status:5xx or error:timeout == 0",
        "count of iteration:Reader > 0",
        "p95 in phase main stage hold < 1s",
        "ratio(p95 of login, p50 of login) < 3",
    ],
)
def test_what_the_plan_has_may_be_named(sentence: str) -> None:
    """Requests as they are written, those of on_start too, and everything else that has a name."""
    graph = compiled(USERS, thresholds(sentence), "phases: [{users: 20, hold: 1s}]")

    assert graph.thresholds[0].not_applicable == ""


@pytest.mark.parametrize(
    ("sentence", "marked", "message", "hint"),
    [
        (
            'p95 of "GET /itms" < 1s',
            '"GET /itms"',
            "no request of the plan is called `GET /itms`",
            "did you mean `GET /items`?",
        ),
        (
            "p95 of task:raed and user:Writer < 1s",
            "raed",
            "no task of the plan is called `raed`",
            "did you mean `read`?",
        ),
        (
            "p95 of user:Nobody < 1s",
            "Nobody",
            "no user class of the plan is called `Nobody`",
            "the plan has `Reader`, `Writer`",
        ),
        (
            "count of iteration:Raeder > 1",
            "Raeder",
            "no user class of the plan is called `Raeder`",
            "did you mean `Reader`?",
        ),
        (
            "p95 of group:pag < 1s",
            "pag",
            "no group of the plan is called `pag`",
            "did you mean `page`?",
        ),
        (
            "p95 of tag:saf < 1s",
            "saf",
            "no tag of the plan is called `saf`",
            "did you mean `safe`?",
        ),
        (
            "p95 of tag:area=shpo < 1s",
            "area=shpo",
            "no sample has the tag `area=shpo`",
            "did you mean `shop`?",
        ),
        (
            "count of error:timeot == 0",
            "timeot",
            "no failure kind of the plan is called `timeot`",
            "did you mean `timeout`?",
        ),
        (
            "p95 in phase mian < 1s",
            "mian",
            "no phase of the plan is called `mian`",
            "did you mean `main`?",
        ),
        (
            "p95 in stage peak < 1s",
            "peak",
            "no stage of the plan is called `peak`",
            "the plan has `hold`",
        ),
        (
            "p95 in profile smoke < 1s",
            "smoke",
            "no profile of the plan is called `smoke`",
            "it has none",
        ),
    ],
)
def test_a_name_that_the_plan_lacks_is_a_fault_at_its_word(
    sentence: str, marked: str, message: str, hint: str
) -> None:
    """A threshold that watches nothing would pass forever, or fail for the wrong reason."""
    [found] = findings(USERS, thresholds(sentence), "phases: [{users: 20, hold: 1s}]")

    assert found.code == "unknown-selector"
    assert found.marked == marked
    assert (found.message, found.hint) == (message, hint)


def test_every_wrong_name_of_a_threshold_is_found() -> None:
    """All of them in one go, each at its word."""
    found = findings(USERS, thresholds("ratio(p95 of task:raed, p95 of user:Writr in phase x) < 2"))

    assert [item.marked for item in found] == ["raed", "Writr", "x"]


def test_a_stage_must_be_one_of_its_phase() -> None:
    """A stage of another phase never has a sample in this one."""
    phases = """
    phases:
      - {name: warm, users: 1, hold: 1s}
      - {name: peak, stages: [{name: up, duration: 1s, users: 1}]}
    """
    compiled(phases, thresholds("p95 in phase peak stage up < 1s", "p95 in stage hold < 1s"))

    [found] = findings(phases, thresholds("p95 in phase peak stage hold < 1s"))
    assert (found.marked, found.message, found.hint) == (
        "hold",
        "no stage of phase `peak` is called `hold`",
        "phase `peak` has `up`",
    )


PROFILES = """
profiles:
  smoke: [{users: 2, hold: 1s}]
  load: [{name: high, users: 90, hold: 1s}, {name: spike, stages: "1s:100"}]
"""


@pytest.mark.parametrize(
    ("sentence", "reason"),
    [
        ("p95 in phase high < 1s", "phase high does not run"),
        ("p95 in profile load < 1s", "profile load does not run"),
        ("p95 in stage 1 < 1s", "stage 1 does not run"),
        ("p95 in phase smoke < 1s", ""),
        ("p95 in profile smoke < 1s", ""),
        ("p95 in stage hold < 1s", ""),
    ],
)
def test_what_does_not_run_is_not_applicable(sentence: str, reason: str) -> None:
    """Phases, profiles and stages of another profile are right, and no fault of this run."""
    assert reasons(sentence, PROFILES) == reason


@pytest.mark.parametrize(
    ("sentence", "applies"),
    [
        ("p95 of user:Writer < 1s", False),
        ("p95 of login < 1s", False),
        ("p95 of tag:area < 1s", False),
        ("count of iteration:Writer > 0", False),
        ('p95 of "POST /items" and status:2xx < 1s', False),
        ("p95 of login or tag:area < 1s", False),
        ("p95 of login or task:read < 1s", True),
        ("p95 of not user:Writer < 1s", True),
        ("p95 of tag:kind < 1s", True),
        ("ratio(p95 of task:read, p95 of login) < 2", False),
        ("ratio(p95 of task:read, p95) < 2", True),
        ("error_rate < 1%", True),
        ("count of status:500 == 0", True),
    ],
)
@pytest.mark.parametrize("users", ["{Reader: 3}", "{Reader: 3, Writer: 0}"])
def test_what_only_a_class_that_is_left_out_sends_is_not_applicable(
    sentence: str, users: str, *, applies: bool
) -> None:
    """A mapping without the class leaves it out, and one that gives it no user does too."""
    reason = reasons(sentence, USERS, f"phases: [{{users: {users}, hold: 1s}}]")

    assert reason == ("" if applies else "class Writer not selected")


def test_what_a_class_without_users_sends_is_judged_all_the_same() -> None:
    """Of 3 users Writer, with a tenth of the weight, gets none; nobody asked for that."""
    assert reasons("p95 of user:Writer < 1s", USERS, "phases: [{users: 3, hold: 1s}]") == ""


def test_users_count_in_the_phase_that_a_threshold_looks_at() -> None:
    """A class with users in another phase alone is not selected in this one."""
    phases = "phases: [{name: a, users: {Reader: 3}, hold: 1s}, {name: b, users: 20, hold: 1s}]"

    assert reasons("p95 of user:Writer in phase a < 1s", USERS, phases) == (
        "class Writer not selected in phase a"
    )
    assert reasons("p95 of user:Writer in phase b < 1s", USERS, phases) == ""
    assert reasons("p95 of user:Writer < 1s", USERS, phases) == ""


def test_a_plan_without_thresholds_gets_one() -> None:
    """And the result says so."""
    graph = compiled()

    assert [str(threshold) for threshold in graph.thresholds] == ["error_rate < 1%"]
    assert graph.default_threshold
    assert not compiled(thresholds("p95 < 1s")).default_threshold


def test_the_default_threshold_does_not_judge_a_search() -> None:
    """As no other without `in phase` does: a search goes on until something breaks."""
    graph = compiled(
        "phases: [{search: {vary: users, from: 1, to: 9, step: +1, hold: 1s, slo: [p95 < 1s]}}]"
    )

    assert graph.thresholds[0].not_applicable


def test_pairs_keep_together() -> None:
    """A warning and a failure of one pair share its number; single ones have none."""
    graph = compiled(
        """
        thresholds:
          - p50 < 1s
          - {warn: p95 < 1s, fail: p95 < 2s}
          - {warn: p99 < 1s}
          - {warn: max < 1s, fail: max < 2s}
        """
    )

    assert [(item.level, item.pair) for item in graph.thresholds] == [
        (ThresholdLevel.FAIL, 0),
        (ThresholdLevel.WARN, 1),
        (ThresholdLevel.FAIL, 1),
        (ThresholdLevel.WARN, 0),
        (ThresholdLevel.WARN, 2),
        (ThresholdLevel.FAIL, 2),
    ]


def test_the_long_form_says_the_same() -> None:
    """With what no sentence can say: what it means that there is no sample."""
    long = "{metric: p95, select: 'task:read', scope: phase main, op: '<', value: 1s, "
    [threshold] = compiled(USERS, f"thresholds: [{long}on_no_data: skip}}]").thresholds

    assert str(threshold) == "p95 of task:read in phase main < 1s"
    assert threshold.on_no_data is OnNoData.SKIP


def test_a_wrong_name_in_the_long_form_is_found_at_its_key() -> None:
    """Not somewhere in the mapping."""
    [found] = findings(
        USERS, "thresholds: [{metric: p95, select: 'task:raed', op: '<', value: 1s}]"
    )

    assert found.code == "unknown-selector"
    assert found.marked == "raed"

    [found] = findings("thresholds: [{metric: p95, scope: in phase nope, op: '<', value: 1s}]")
    assert found.marked == "nope"


def test_a_measure_that_the_generator_lacks_is_a_fault() -> None:
    """It would have no data in every run."""
    [found] = findings(thresholds("p99 of generator.lag < 20ms"))

    assert (found.code, found.marked) == ("unknown-selector", "lag")
    assert "`loop_lag`, `cpu`" in found.hint


def test_limits_come_from_params() -> None:
    """Filled in with its unit before the text is read; then a fault marks the whole text."""
    params = """
    params:
      limit: {type: duration, default: 250ms}
      most: {type: percent, default: 0.5%}
      least: {type: rate, default: 30/m}
      task: {type: str, default: raed}
    """
    graph = compiled(params, thresholds("p95 < ${limit}"))
    assert str(graph.thresholds[0]) == "p95 < 250ms"
    graph = compiled(
        params, thresholds("error_rate < ${most}", "throughput > ${least}", "p50 < ${limit * 2}s")
    )
    assert [str(item) for item in graph.thresholds] == [
        "error_rate < 0.5%",
        "throughput > 30/m",
        "p50 < 0.5s",
    ]

    [found] = findings(params, USERS, thresholds("p95 of task:${task} < 1s"))
    assert found.message == "no task of the plan is called `raed`"
    [found] = findings(params, thresholds("p95 < ${limt}"))
    assert (found.code, found.marked) == ("unknown-name", "limt")


@pytest.mark.parametrize(
    ("sentence", "meant"),
    [
        ("p95 < ${limit * 2}", "p95 < 500ms"),
        ("p95 < ${limit / 3}", "p95 < 83ms333us333ns"),
        ("p95 over ${limit * 8} < ${limit}", "p95 over 2s < 250ms"),
        ("apdex(${limit * 2}) > 0.9", "apdex(500ms) > 0.9"),
        ("error_rate < ${1 - held}", "error_rate < 1%"),
        ("error_rate < ${1 - held}, abort after ${limit * 4}", "error_rate < 1%, abort after 1s"),
        ("throughput > ${least * 4}", "throughput > 2/s"),
        ("avg size < ${page * 2}", "avg size < 2000000B"),
        ("avg size < ${page}", "avg size < 1000000B"),
        ("count > ${least * 60}", "count > 30"),
        ("count > ${limit / limit}", "count > 1"),
        ("p95 < ${limit * 2}ms", "p95 < 0.5ms"),
    ],
)
def test_computed_limits_have_the_unit_of_their_params(sentence: str, meant: str) -> None:
    """As elsewhere in a plan, an expression computes in seconds, bytes, fractions, per second."""
    params = """
    params:
      limit: {type: duration, default: 250ms}
      held: {type: percent, default: 99%}
      least: {type: rate, default: 30/m}
      page: {type: size, default: 1MB}
    """
    graph = compiled(params, thresholds(sentence))

    assert str(graph.thresholds[0]) == meant


def test_a_computed_limit_of_no_params_needs_a_unit() -> None:
    """Milliseconds, as other tools have them, would pass for seconds."""
    params = "params: {most: {type: int, default: 200}, mode: {type: str, default: fast}}"
    found = findings(params, thresholds("p95 < ${most * 2}", "p95 < ${mode | length}"))

    assert [item.message for item in found] == [
        "`400` needs a unit: `p95` is a duration",
        "`4` needs a unit: `p95` is a duration",
    ]


def test_each_threshold_knows_its_place() -> None:
    """Results point back to the plan."""
    graph = compiled(thresholds("p50 < 1s", "p95 < 1s"))

    assert [item.place for item in graph.thresholds] == ["plan.yaml:2:5", "plan.yaml:3:5"]


@pytest.mark.parametrize(
    ("sentences", "recorded"),
    [
        (["p95 < 1s", "avg service_time < 1s", "p95 latency < 1s"], {}),
        (["p95 ttfb < 1s"], {"http": ["ttfb"]}),
        (["max size of login < 1MB"], {"etcd": ["size"], "http": ["size"]}),
        (["ratio(p95 ttfb, p95 connect) < 2"], {"etcd": ["connect"], "http": ["ttfb", "connect"]}),
        (["p95 ttfb in profile other < 1s"], {}),
    ],
)
def test_a_run_records_what_is_judged(sentences: list[str], recorded: dict[str, list[str]]) -> None:
    """Of every request whose protocol has it, so that a baseline is whole; nothing else."""
    profiles = "profiles: {one: [{users: 20, hold: 1s}], other: [{users: 20, hold: 1s}]}"

    graph = compiled(USERS, thresholds(*sentences), profiles)

    found = {name: [one.word for one in measures] for name, measures in graph.measures.items()}
    assert found == recorded


def test_what_a_search_must_hold_is_recorded_too() -> None:
    """Its levels are judged by its own thresholds."""
    search = "{vary: users, from: 1, to: 9, step: +1, hold: 10s, slo: [p95 ttfb < 1s]}"
    graph = compiled(USERS, f"phases: [{{name: find, search: {search}}}]")

    assert [one.word for one in graph.measures["http"]] == ["ttfb"]


@pytest.mark.parametrize(
    "sentence",
    [
        "p95 ttfb of etcd.put < 1s",
        "p95 ttfb of etcd.put and user:Writer < 1s",
        "ratio(p95, p95 ttfb of etcd.put) < 2",
    ],
)
def test_a_measure_that_no_selected_request_has_is_refused(sentence: str) -> None:
    """Before the run, and not as no data after it."""
    (found,) = findings(USERS, thresholds(sentence), "phases: [{users: 20, hold: 1s}]")

    assert (found.code, found.marked) == ("invalid-value", "ttfb")
    assert found.message == "etcd requests have no `ttfb`"
    assert found.hint == "they have `latency`, `service_time`, `connect`, `size`"


@pytest.mark.parametrize(
    "sentence",
    [
        "p95 ttfb < 1s",
        "p95 ttfb of user:Writer < 1s",
        "p95 ttfb of not etcd.put < 1s",
        'p95 ttfb of etcd.put or "GET /items" < 1s',
        "p95 ttfb of status:5xx < 1s",
        "p95 connect of etcd.put < 1s",
        "avg service_time of etcd.put < 1s",
    ],
)
def test_one_request_that_may_have_it_is_enough(sentence: str) -> None:
    """Whether it does is a matter of the run."""
    graph = compiled(USERS, thresholds(sentence), "phases: [{users: 20, hold: 1s}]")

    assert graph.thresholds[0].not_applicable == ""


def test_the_rate_of_a_tags_value_is_explained() -> None:
    """It is a share of all requests, which its author seldom means."""
    users = "users: {A: {tasks: [{get: /, tags: {cached: '${rand.choice([1, 2])}'}}, {get: /b}]}}"
    graph = compiled(users, "thresholds: ['rate of tag:cached=1 > 90%', 'rate of tag:cached > 9%']")

    assert graph.notices == (
        "`rate of tag:cached=1 > 90%` is a share of all requests, those without the tag `cached` "
        "included; for those that carry it write "
        "`share of tag:cached=1 among tag:cached`",
    )


def test_a_measure_that_only_another_tool_may_tell() -> None:
    """Only the run shows whether it does."""
    graph = compiled(
        'phases: [{name: old, tool: wrk, args: ["http://127.0.0.1:1/"]}, {users: 1, hold: 1s}]',
        "thresholds: [max size in phase old < 1MB]",
    )

    assert [measure.word for measure in graph.measures["http"]] == ["size"]

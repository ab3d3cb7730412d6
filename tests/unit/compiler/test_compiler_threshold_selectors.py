"""Patterns, `each` and `except`: what of the plan they mean, and what this run has of it."""

from __future__ import annotations

import pytest

from tests.support.plans import compiled, findings
from tests.unit.compiler.test_compiler_thresholds import thresholds

USERS = """
etcd: {endpoints: ["127.0.0.1:2379"]}
setup: {do: [{post: /reset}]}
users:
  Reader:
    weight: 9
    tags: {team: web}
    on_start: [{post: /login, name: login}]
    tasks:
      - task: read
        steps: [{get: /items}, {group: page, do: [{get: "/items/${user.id}"}]}]
      - {get: /list, tags: {kind: "${json.kind}"}}
      - {get: "/a*b", name: "GET /a*b"}
      - {get: "/ab", measure: false}
  Writer:
    steps:
      - {post: /items, tags: {kind: write}}
      - etcd.put: {key: a, value: b}
      - {poll: {get: /job, name: job}, until: "true", timeout: 1s}
"""
PHASES = """
phases:
  - {name: low, users: 20, hold: 1s}
  - {name: readers, users: 20, hold: 1s, only: {users: [Reader]}}
"""
PHASE = "phases: [{users: 1, hold: 1s}]"
REQUESTS = (
    *("GET /items", "GET /items/${user.id}", "GET /list", "GET /a*b", "POST /items", "etcd.put a"),
    "job",
)


def singles(sentence: str) -> tuple[str, ...]:
    return compiled(USERS, thresholds(sentence), PHASES).thresholds[0].singles


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("p95 of each request < 1s", REQUESTS),
        ("p95 of each request in phase readers < 1s", REQUESTS[:4]),
        ('p95 of each request except "GET *" < 1s', REQUESTS[4:]),
        ("p95 of each request except user:Writer or task:read < 1s", REQUESTS[2:4]),
        ('p95 of each "GET /items*" < 1s', REQUESTS[:2]),
        ('p95 of each "GET /a*b" < 1s', ("GET /a*b",)),
        ("p95 of each /items$/ < 1s", ("GET /items", "POST /items")),
        ("p95 of each etcd.put < 1s", ("etcd.put a",)),
        ("p95 ttfb of each request except job < 1s", (*REQUESTS[:4], "POST /items")),
        ("p95 of each request and group:page < 1s", REQUESTS[1:2]),
        ("p95 of each request and tag:kind < 1s", ("GET /list", "POST /items")),
        ("p95 of each task < 1s", ("read", "GET /list", "GET /a*b")),
        ("p95 of each task and user:Writer < 1s", ()),
        ("p95 of each user < 1s", ("Reader", "Writer")),
        ("p95 of each group < 1s", ("page", "job")),
        ("p95 of each tag:kind < 1s", ("write",)),
        ("p95 of each tag:team < 1s", ("web",)),
        ("p95 of each iteration < 1s", ("Reader", "Writer")),
        ("p95 of each phase < 1s", ("low", "readers")),
        ("p95 of each phase and user:Writer < 1s", ("low",)),
        ("p95 of each phase except phase:low < 1s", ("readers",)),
        ("share of each task among user:Reader > 1%", ("read", "GET /list", "GET /a*b")),
        ("share of status:5xx among each user < 1%", ("Reader", "Writer")),
    ],
)
def test_each_is_what_the_run_is_meant_to_have(sentence: str, expected: tuple[str, ...]) -> None:
    """Measured requests of classes that run, of those phases that the threshold looks at."""
    assert singles(sentence) == expected


def test_a_search_is_judged_one_by_one_where_it_is_named() -> None:
    """`slo` looks at its own phase, `each phase` at none that searches."""
    search = """
    phases:
      - name: find
        search: {vary: users, from: 1, to: 3, step: +1, hold: 4s, slo: [p95 of each request < 1s]}
      - {name: low, users: 20, hold: 1s}
    """
    graph = compiled(USERS, thresholds("p95 of each phase < 1s"), search)

    assert graph.thresholds[0].singles == ("low",)
    assert [one.singles for one in graph.phases[0].load.slo] == [REQUESTS]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("sentence", "why"),
    [
        ("p95 of each task:read in phase low < 1s", ""),
        ('p95 of each "POST /i*" in phase readers < 1s', "class Writer"),
        ('p95 of "POST /i*" in phase readers < 1s', "class Writer"),
        ("p95 of /items/ in phase readers < 1s", ""),
        ("p95 of user:/^W/ in phase readers < 1s", "class Writer"),
        ("share of status:5xx among user:Writer in phase readers < 1%", "class Writer"),
    ],
)
def test_what_the_run_leaves_out_does_not_apply(sentence: str, why: str) -> None:
    """If nothing at all that the selector takes is left."""
    found = compiled(USERS, thresholds(sentence), PHASES).thresholds[0].not_applicable

    assert found == (f"{why} not selected in phase readers" if why else "")


def test_a_threshold_of_a_phase_judges_what_runs_there() -> None:
    """In the phase's own `thresholds`, and in a stage of it."""
    phases = """
    phases:
      - {name: a, users: 9, hold: 1s, only: {users: [Writer]}, thresholds: [p95 of each user < 1s]}
    """

    assert compiled(USERS, phases).thresholds[0].singles == ("Writer",)


@pytest.mark.parametrize(
    ("sentence", "marked", "message", "hint"),
    [
        (
            'p95 of "GET /itms/*" < 1s',
            '"GET /itms/*"',
            'no request of the plan fits `"GET /itms/*"`',
            "the nearest are `GET /items`",
        ),
        (
            "p95 of /^PUT .*items/ < 1s",
            "/^PUT .*items/",
            "no request of the plan fits `/^PUT .*items/`",
            "the nearest are `POST /items`, `GET /items`",
        ),
        ('p95 of task:"wri*" < 1s', '"wri*"', "no task of the plan fits", "the plan has `read`"),
        (
            'p95 of tag:team="x*" < 1s',
            'team="x*"',
            'no sample has the tag `team="x*"`',
            "`team` has `web`",
        ),
        (
            'p95 of each request < 1s except "POST /itms"',
            '"POST /itms"',
            "no request of the plan is called `POST /itms`",
            "did you mean `POST /items`?",
        ),
        ("p95 of each task < 1s except Reader", "Reader", "no request", "write `user:Reader`"),
        ("p95 of each phase < 1s except low", "low", "no request", "write `phase:low`"),
        ("p95 of each phase < 1s except phase:lo", "lo", "no phase", "did you mean `low`?"),
        ("share of task:reed among user:Reader < 1%", "reed", "no task", "`read`"),
        ("share of task:read among user:Raeder < 1%", "Raeder", "no user class", "`Reader`"),
        (
            'p95 of each "GET /items*" < 1s except "GET *"',
            '"GET *"',
            "`except` leaves nothing to judge",
            "leave out less",
        ),
        ("p95 ttfb of each etcd.put < 1s", "ttfb", "etcd requests have no `ttfb`", "latency"),
    ],
)
def test_what_fits_nothing_is_found_at_its_place(
    sentence: str, marked: str, message: str, hint: str
) -> None:
    """With the nearest names, in `except` and `among` too."""
    [fault] = findings(USERS, thresholds(sentence), PHASES)

    assert message in fault.message
    assert hint in fault.hint
    assert marked == fault.marked


@pytest.mark.parametrize(
    ("sentence", "message"),
    [
        ("p95 of each task < 1s", "no class of the plan has `tasks`"),
        ("share of each task:/x/ < 1%", "no class of the plan has `tasks`"),
        ("p95 of each group < 1s", "no step of the plan is a `group`"),
    ],
)
def test_each_of_what_a_plan_has_none_of_is_found(sentence: str, message: str) -> None:
    """A class with `steps` has no tasks, so such a threshold could only be without data."""
    found = findings("users: {A: {steps: [{get: /}]}}", thresholds(sentence), PHASE)

    assert message in [fault.message for fault in found]


@pytest.mark.parametrize(
    ("sentence", "notices"),
    [
        ("p95 < 500ms for 1s", ()),
        (
            "p95 < 500ms for 5s",
            ("`p95 < 500ms for 5s` can't be broken: phase `main` is measured for 2s",),
        ),
        (
            "p95 > 500ms for 2s",
            (
                "`p95 > 500ms for 2s` has to be true for the run to pass: to fail where it is "
                "true write `<`",
            ),
        ),
        ("min > 1ms", ()),
        ("throughput > 1/s", ()),
    ],
)
def test_what_is_seldom_meant_is_noticed(sentence: str, notices: tuple[str, ...]) -> None:
    """A row that is longer than the phase, and what other tools write for a failure."""
    phases = "phases: [{users: 1, warmup: 1s, hold: 3s}]"

    assert compiled(thresholds(sentence), phases).notices == notices

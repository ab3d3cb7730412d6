"""`http:` of the plan, a class, a task and a flow: what requests take from it, key by key."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from planrunner.engine.workers.local import requests_of
from planrunner.graph.run_graph import ParallelNode, RequestNode, RunGraph, walk_steps
from tests.support.plans import compiled, findings


def of_plan(http: str) -> str:
    """Return a plan's `http:` with a target."""
    return f'http: {{base_url: "http://127.0.0.1:1", {http}}}'


def one(graph: RunGraph) -> RequestNode:
    [request] = requests_of(graph)
    return request


def words(request: RequestNode) -> list[str]:
    """Return what is expected of the reply; what is soft in parentheses."""
    soft = [f"({words})" for words in request.exchange.softly_expected]
    return [*request.exchange.expected, *soft]


def steps_plan(step: str) -> str:
    return f"users: {{A: {{steps: [{step}]}}}}"


@pytest.mark.parametrize(
    ("default", "own", "wanted"),
    [
        ("{status: 200}", "", ["status 200"]),
        ("{status: 200}", "expect: {status: 201}", ["status 201"]),
        ("{status: 200}", "expect: {contains: a}", ["status 200", "contains a"]),
        ("{status: 200, time: < 1s}", "expect: {status: null}", ["status 2xx or 3xx", "time < 1s"]),
        ("{status: 200, time: < 1s}", "expect: null", ["status 2xx or 3xx"]),
        ("{contains: [a, b]}", "expect: {contains: c}", ["status 2xx or 3xx", "contains c"]),
        (
            "{json: {$.a: 1, $.b: 2}}",
            "expect: {json: {$.b: 3}}",
            ["status 2xx or 3xx", "json $.a: 1", "json $.b: 3"],
        ),
        ("{json: {$.a: 1}}", "expect: {json: null}", ["status 2xx or 3xx"]),
        (
            "{header: {Content-Type: a, X: b}}",
            "expect: {header: {content-type: c}}",
            ["status 2xx or 3xx", "header X: b", "header content-type: c"],
        ),
    ],
)
def test_a_requests_own_expectations_come_on_top(default: str, own: str, wanted: list[str]) -> None:
    """Key by key, JSONPaths and headers included; `null` takes one away."""
    step = f"{{get: /, {own}}}" if own else "{get: /}"

    assert words(one(compiled(of_plan(f"expect: {default}"), steps_plan(step)))) == wanted


@pytest.mark.parametrize(
    ("default", "own", "wanted"),
    [
        (
            "{time: < 1s, soft: true}",
            "{contains: a}",
            ["status 2xx or 3xx", "contains a", "(time < 1s)"],
        ),
        ("{time: < 1s, soft: [time]}", "{time: < 2s}", ["status 2xx or 3xx", "time < 2s"]),
        ("{time: < 1s}", "{soft: true}", ["status 2xx or 3xx", "(time < 1s)"]),
        (
            "{time: < 1s}",
            "{contains: a, soft: [time]}",
            ["status 2xx or 3xx", "contains a", "(time < 1s)"],
        ),
        ("{time: < 1s, soft: true}", "{soft: false}", ["status 2xx or 3xx", "time < 1s"]),
        ("{time: < 1s, soft: true}", "{soft: null}", ["status 2xx or 3xx", "time < 1s"]),
        (
            "{json: {$.a: 1}, soft: [json]}",
            "{json: {$.b: 2}}",
            ["status 2xx or 3xx", "json $.b: 2", "(json $.a: 1)"],
        ),
        ("{status: 200, soft: true}", "{status: 201}", ["status 201"]),
    ],
)
def test_what_is_soft_stays_so_until_a_nearer_scope_writes_it(
    default: str, own: str, wanted: list[str]
) -> None:
    """A request's own expectation never warns only because others do."""
    step = f"{{get: /, expect: {own}}}"

    assert words(one(compiled(of_plan(f"expect: {default}"), steps_plan(step)))) == wanted


SCOPES = """
flows:
  inner: {http: {tags: {inner: x, all: inner}, timeout: 4s}, do: [{get: /inner}]}
  outer: {http: {tags: {outer: x, all: outer}, headers: {X-Outer: a}}, do: [{call: inner}]}
users:
  A:
    http: {tags: {class: x, all: class}, expect: {status: 200}}
    tasks:
      - task: t
        http: {tags: {task: x, all: task}, expect: {status: 201}, timeout: 3s}
        steps: [{get: /task}, {call: outer}]
      - {get: /class}
"""


def test_a_status_that_only_warns_leaves_the_one_around_it_in_force() -> None:
    """What is hoped for is counted; the scope around says which replies are failures."""
    steps = "[{get: /a, expect: {status: 200, soft: true}}, {get: /b, expect: {status: 200}}]"
    plan = compiled(of_plan("expect: {status: [2xx, 4xx]}"), f"users: {{A: {{steps: {steps}}}}}")
    hoped, wanted = (one.exchange for one in requests_of(plan))

    assert [one in hoped.accept for one in (200, 302, 404, 500)] == [True, False, True, False]
    assert (hoped.expected, hoped.softly_expected) == (("status 2xx, 4xx",), ("status 200",))
    assert [one in wanted.accept for one in (200, 404)] == [True, False]


def test_the_nearest_scope_wins() -> None:
    """Plan, class, task, the flow that is called, the flow that it calls."""
    requests = {
        request.name: request
        for request in requests_of(compiled(of_plan("tags: {plan: x, all: plan}"), SCOPES))
    }

    assert {name: dict(request.tags) for name, request in requests.items()} == {
        "GET /task": {"plan": "x", "class": "x", "task": "x", "all": "task"},
        "GET /class": {"plan": "x", "class": "x", "all": "class"},
        "GET /inner": dict.fromkeys(("plan", "class", "task", "outer", "inner"), "x")
        | {"all": "inner"},
    }
    assert {name: words(request) for name, request in requests.items()} == {
        "GET /task": ["status 201"],
        "GET /class": ["status 200"],
        "GET /inner": ["status 201"],
    }
    assert [requests[name].exchange.timeout_ns // 10**9 for name in requests] == [3, 4, 30]
    assert [header.name for header in requests["GET /inner"].exchange.operation.headers] == [
        "X-Outer"
    ]


def test_a_task_and_a_flow_send_with_their_classs_client() -> None:
    """They say what requests start from, and a client has connections of its own."""
    graph = compiled(SCOPES, "stages: [{duration: 1s, users: 1}]")

    assert {request.exchange.protocol for request in requests_of(graph)} == {"http:A"}
    assert list(graph.settings) == ["http", "http:A"]


@pytest.mark.parametrize(
    "key", ["verify: false", "pool: {per_user: 2}", "proxy: a", "hosts: {a: b}"]
)
def test_what_concerns_the_client_stays_with_the_plan_and_classes(key: str) -> None:
    """A task can't have a proxy of its own; the error says where it goes."""
    [found] = findings(f"flows: {{f: {{http: {{{key}}}, do: [{{get: /}}]}}}}")

    assert found.code == "unknown-key"
    assert found.hint.endswith("belongs to `http:` of the plan or a class")


@pytest.mark.parametrize(
    ("plan", "user", "step", "wanted"),
    [
        ("[core]", "", "", {"core": ""}),
        ("{team: core}", "", "tags: {team: web}", {"team": "web"}),
        ("{team: core, a: b}", "", "tags: {team: null}", {"a": "b"}),
        ("{team: core}", "", "tags: null", {}),
        ("{team: core}", "tags: {team: shop}", "", {}),
        ("{team: core}", "tags: {team: shop}, http: {tags: {team: web}}", "", {"team": "web"}),
        ("[core]", "", "tags: [own]", {"core": "", "own": ""}),
    ],
)
def test_tags_are_merged_by_key(plan: str, user: str, step: str, wanted: Mapping[str, str]) -> None:
    """Those of a class are on all of its samples, so here they only hide the plan's."""
    users = f"users: {{A: {{{user + ', ' if user else ''}steps: [{{get: /, {step}}}]}}}}"

    assert dict(one(compiled(of_plan(f"tags: {plan}"), users)).tags) == wanted


def test_a_request_can_be_without_a_tag_of_its_class() -> None:
    """`null` takes away what stands around it, wherever that was written."""
    request = one(
        compiled("users: {A: {tags: {team: a, b: c}, steps: [{get: /, tags: {team: null}}]}}")
    )

    assert request.untagged == {"team"}


@pytest.mark.parametrize(
    ("http", "step", "wanted"),
    [
        ("pause: 1s", "{get: /}", "1s"),
        ("pause: 1s..2s", "{get: /, pause: 3s}", "3s"),
        ("pause: 1s", "{get: /, pause: null}", None),
        ("timeout: 1s", "{get: /, pause: 2s}", "2s"),
        ("pause: 1s", "{parallel: [{get: /a}, {get: /b}]}", "1s"),
        ("pause: 1s", "{parallel: [{get: /a}], pause: 2s}", "2s"),
        ("pause: 1s", "{parallel: [{get: /a}], pause: null}", None),
        ("pause: 1s", "{poll: /, until: status == 200}", None),
    ],
)
def test_a_pause_follows_each_request(http: str, step: str, wanted: str | None) -> None:
    """Once after requests in parallel; a poll has `every`."""
    steps = walk_steps(compiled(of_plan(http), steps_plan(step)).users[0].tasks[0].steps)
    pauses = [step.pause for step in steps if isinstance(step, RequestNode | ParallelNode)]

    assert [each.pause.words for each in pauses if each] == ([wanted] if wanted else [])


def test_nobody_pauses_in_setup() -> None:
    """Defaults are about users; what a request there says itself is done."""
    graph = compiled(of_plan("pause: 1s"), "setup: [{get: /a}, {get: /b, pause: 2s}]")
    assert graph.setup is not None

    pauses = [step.pause for step in graph.setup.steps if isinstance(step, RequestNode)]
    assert [each and each.pause.words for each in pauses] == [None, "2s"]


@pytest.mark.parametrize(
    ("step", "marked"),
    [
        ("{get: /, expect: null}", "expect"),
        ("{get: /, expect: {time: null}}", "time"),
        ("{get: /, tags: {b: null}}", "b"),
        ("{get: /, pause: null}", "pause"),
    ],
)
def test_null_without_anything_to_take_away_is_a_forgotten_value(step: str, marked: str) -> None:
    """As everywhere else in a plan."""
    for http in ("timeout: 1s", "tags: {a: b}"):
        [found] = findings(of_plan(http), steps_plan(step))

        assert (found.code, found.marked) == ("wrong-type", marked)


def test_a_flow_may_take_away_what_no_caller_gives() -> None:
    """It is written for callers that do, too."""
    flow = "flows: {f: {http: {expect: null, pause: null}, do: [{get: /, tags: {a: null}}]}}"

    assert words(one(compiled(flow, steps_plan("{call: f}")))) == ["status 2xx or 3xx"]


@pytest.mark.parametrize(
    ("http", "marked"),
    [
        ('expect: {json: {"$.[": 1}}', '"$.["'),
        ('expect: {matches: "("}', '"("'),
        ("expect: {schema: nowhere.json}", "nowhere.json"),
        ("expect: {contains: '${nobody}'}", "nobody"),
        ("tags: {a: '${nobody}'}", "nobody"),
        ("pause: '${nobody}'", "nobody"),
        ("tags: {a: null}", "a"),
    ],
)
def test_a_faulty_default_is_blamed_once_where_it_stands(http: str, marked: str) -> None:
    """However many requests take it."""
    [found] = findings(of_plan(http), steps_plan("{get: /a}, {get: /b}"))

    assert found.marked == marked


def test_a_default_that_reads_the_reply_does_so_of_each_request() -> None:
    """Tags of replies are tags like others."""
    graph = compiled(of_plan("tags: {cached: '${json.cached}'}"), steps_plan("{get: /a}"))

    assert [key for key, _ in one(graph).reply_tags] == ["cached"]
    assert one(graph).reads_reply


def test_thresholds_know_the_tags_of_scopes() -> None:
    """And their values."""
    users = steps_plan("{get: /}")
    graph = compiled(
        of_plan("tags: {team: core}"), users, "thresholds: [p95 of tag:team=core < 1s]"
    )
    [found] = findings(
        of_plan("tags: {team: core}"), users, "thresholds: [p95 of tag:team=cor < 1s]"
    )

    assert str(graph.thresholds[0].metrics[0].selector) == "tag:team=core"
    assert "did you mean `core`" in found.hint


def test_other_protocols_take_nothing_from_it() -> None:
    """`http:` is about HTTP."""
    graph = compiled(
        of_plan("tags: {team: core}, pause: 1s"),
        'etcd: {endpoints: ["127.0.0.1:1"]}',
        steps_plan("{etcd.get: {key: a}}"),
    )

    assert (one(graph).tags, one(graph).pause) == ((), None)

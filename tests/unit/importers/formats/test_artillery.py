"""Artillery: what each construct becomes, and its fate."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

import pytest

from planrunner.importers.contract import Claim, ImportOptions
from planrunner.importers.formats.artillery.importer import IMPORTER
from planrunner.importers.importing import Imported, check, import_files
from planrunner.importers.sources import ImportFault, SourceFile
from planrunner.loss.ledger import Fate

T, S, Y, C, L = Fate.TRANSLATED, Fate.SUSPICIOUS, Fate.NEEDS_YOU, Fate.CHANGED, Fate.LEFT_OUT


def run(text: str, name: str = "load.yml", path: Path | None = None) -> Imported:
    file = SourceFile(path, name, None if path else text.encode())
    return import_files([file], format_name="artillery", options=ImportOptions())


def fate(imported: Imported, words: str) -> Fate | None:
    found = [one.fate for one in imported.ledger.constructs if one.words.endswith(words)]
    return found[0] if found else None


BOMB = "a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n" + "".join(
    f"{b}: &{b} [{', '.join([f'*{a}'] * 10)}]\n" for a, b in pairwise("abcdefghi")
)


def whole(flow: str, config: str) -> str:
    return (
        "config: {target: http://a, phases: [{duration: 60, arrivalRate: 5}], "
        f"plugins: {{expect: {{}}}}{', ' if config else ''}{config}}}\n"
        f"scenarios: [{{flow: [{flow}]}}]\n"
    )


def missing(texts: list[str], imported: Imported) -> list[str]:
    plan = re.sub(r"\s+", " ", imported.text).replace('"', "").replace("'", "")
    return [one for one in texts if one.replace('"', "").replace("'", "") not in plan]


STEPS = [
    ("{get: {url: /a, qs: {q: 1}}}", ["get: /a", "query: {q: 1}"], "qs.q", T),
    ("{get: {url: /a, name: home}}", ["name: home"], "get.name", T),
    ("{get: {url: 'http://b/x'}}", ["get: http://b/x"], "url", T),
    (
        "{post: {url: /a, json: {n: '{{ $randomNumber(1, 6) }}'}}}",
        ["${rand.int(1, 6) | string}"],
        "n",
        T,
    ),
    ("{post: {url: /a, form: {a: 1}}}", ["form: {a: 1}"], "form.a", T),
    ("{post: {url: /a, body: text}}", ["body: text"], "body", T),
    ("{post: {url: /a, formData: {k: v}}}", ["multipart: {k: v}"], "formData.k", T),
    ("{get: {url: /a, headers: {X-A: '{{ $uuid }}'}}}", ['"${rand.uuid()}"'], "X-A", T),
    ("{get: {url: '{{ target }}/a'}}", ["get: http://a/a"], "url", T),
    ("{post: {url: /a, json: {n: '{{ $timestamp }}'}}}", ["${(now() * 1000) | int}"], "json.n", S),
    (
        "{post: {url: /a, json: {n: '{{ $randomFirstName() }}'}}}",
        ["${fake.first_name()}"],
        "json.n",
        S,
    ),
    ("{get: {url: /a, cookie: {b: 1}}}", ["Cookie: b=1"], "cookie", T),
    ("{get: {url: /a}}, {get: {url: /b, cookie: {b: 1}}}", ["Cookie: b=1"], "cookie", T),
    ("{get: {url: /b, cookie: {b: 1}}}, {get: {url: /a}}", ["Cookie: b=1"], "cookie", C),
    ("{loop: [{get: {url: /a}}, {get: {url: /b, cookie: {b: 1}}}], count: 2}", [], "cookie", C),
    ("{get: {url: /a, expect: {statusCode: 201 or 409}}}", ["[201, 409]"], "statusCode", S),
    ("{get: {url: /a, auth: {user: u, pass: p}}}", ["username: u", '"${password}"'], "pass", Y),
    ("{get: {url: /a, followRedirect: false}}", ["follow_redirects: false"], "followRedirect", T),
    ("{get: {url: /a, gzip: true}}", ["get: /a"], "gzip", T),
    ("{get: {url: /a, probability: 20}}", ["when: rand.int(0, 100) < 20"], "probability", T),
    ("{get: {url: /a, ifTrue: 'x == 1'}}", ["when: x == 1"], "ifTrue", S),
    ("{get: {url: /a, beforeRequest: sign}}", ["runs nothing"], "beforeRequest", S),
    ("{get: {url: /a, surprise: 1}}", ["get: /a"], "surprise", S),
    ("{get: /a}", ["get: /a"], ".get", S),
    ("{get: null, url: /a}", ["get: /a"], ".get", S),
    ("{get: {url: /a, capture: {json: $.id, as: theId}}}", ["extract: {the_id: $.id}"], "as", T),
    ("{get: {url: /a, capture: {json: '$.a[*].id', as: i}}}", ["index: random"], "json", T),
    ("{get: {url: /a, capture: {json: items.0.id, as: i}}}", ["$.items[0].id"], "json", T),
    (
        "{get: {url: /a, capture: {json: $.i, as: i, strict: false}}}",
        ["default: null"],
        "strict",
        T,
    ),
    ("{get: {url: /a, capture: {regexp: 'a(b)(c)', group: 2, as: i}}}", ["a(?:b)(c)"], "group", T),
    ("{get: {url: /a, capture: {regexp: 'a(b)', as: i}}}", ["(a(b))"], "regexp", T),
    ("{get: {url: /a, capture: {header: x-id, as: i}}}", ["header: x-id"], "header", T),
    ("{get: {url: /a, capture: {xpath: //a, as: i}}}", ["xpath: //a"], "xpath", T),
    ("{get: {url: /a, capture: {selector: a, attr: href, as: i}}}", ["a::attr(href)"], "attr", T),
    ("{get: {url: /a, match: {json: $.id, value: 7}}}", ["json: {$.id: 7}"], "value", T),
    (
        "{get: {url: /a, expect: [{statusCode: [200, 201]}]}}",
        ["status: [200, 201]"],
        "statusCode",
        T,
    ),
    ("{get: {url: /a, expect: [{statusCode: 1, hasProperty: b}]}}", ["$.b"], "hasProperty", S),
    ("{get: {url: /a, expect: {notStatusCode: 500}}}", ["[2xx, 3xx, 4xx]"], "notStatusCode", C),
    ("{get: {url: /a, expect: {contentType: json}}}", ["{matches: json}"], "contentType", T),
    ("{get: {url: /a, expect: {hasProperty: 'a[0].b'}}}", ["$.a[0].b"], "hasProperty", T),
    ("{get: {url: /a, expect: {notHasProperty: e}}}", ["exists: false"], "notHasProperty", T),
    ("{get: {url: /a, expect: {hasHeader: x-a}}}", ["x-a: {exists: true}"], "hasHeader", T),
    ("{get: {url: /a, expect: {headerEquals: [x-a, b]}}}", ["x-a: b"], "headerEquals", T),
    ("{get: {url: /a, expect: {matchesRegexp: 'a+'}}}", ["matches: [a+]"], "matchesRegexp", T),
    ("{get: {url: /a, expect: {surprise: 1}}}", ["get: /a"], "surprise", S),
    ("{get: {url: /a, capture: {json: $.i, as: i, orElse: 1}}}", ["i: $.i"], "orElse", S),
    (
        "{get: {url: /a, match: {json: $.i, value: 1}, expect: {statusCode: 200}}}",
        ["soft: [status]"],
        "get.expect",
        T,
    ),
    (
        "{get: {url: /a, match: {json: $.i, value: 1}, expect: {hasProperty: b}}}",
        ["json: {$.b: {exists: true}, $.i: 1}"],
        "get.expect",
        C,
    ),
    ("{get: {url: /a, expect: {cdnHit: true}}}", ["X-Cache"], "cdnHit", C),
    ("{get: {url: /a, expect: {responseTime: 300}}}", ["time: < 300ms"], "responseTime", S),
    ("{get: {url: /a, expect: {equals: ['{{ a }}', '{{ b }}']}}}", [], "equals", L),
    ("{think: 2}", ["think: 2s"], "think", T),
    ("{think: 500ms}", ["think: 500ms"], "think", T),
    ("{think: 10, jitter: 20%}", ["think: 8s..12s"], "jitter", T),
    ("{think: '{{ $randomNumber(1, 3) }}'}", ["think: 1s..3s"], "think", T),
    ("{think: 1-3}", ["think: 1s..3s"], "think", S),
    ("{think: {min: 1, max: 3}}", ["think: 1s..3s"], "think", S),
    ("{loop: [{get: {url: /a}}], count: 3}", ["repeat: 3"], "count", T),
    ("{loop: [{get: {url: /a}}], count: 2-5}", ["repeat: 3"], "count", T),
    (
        "{loop: [{get: {url: '/{{ $loopCount }}'}}], count: 3}",
        ["count in range(3)", "/${count}"],
        "loop",
        T,
    ),
    (
        "{loop: [{get: {url: '/{{ $loopElement }}'}}], over: [a, b]}",
        ["item in ['a', 'b']"],
        "over",
        T,
    ),
    ("{loop: [{get: {url: /a}}], whileTrue: more}", ["while: true"], "whileTrue", S),
    ("{parallel: [{get: {url: /a}}, {get: {url: /b}}]}", ["parallel:"], "parallel", T),
    ("{log: 'hi {{ $testId }}'}", ["hi ${run.id}"], "log", T),
    ("{function: greet}", ["runs nothing"], "function", S),
    ("{emit: {channel: c, data: d}}", [], "emit", S),
    ("{get: {url: '/{{ nobody }}'}}", ["nobody: {type: str"], "url", S),
    ("{get: {url: '/{{ $env.SHOP }}'}}", ["env: SHOP"], "url", T),
    ("{get: {url: '/{{ $processEnvironment.API_TOKEN }}'}}", ["secret: true"], "url", T),
    ("{get: {url: '/{{ $randomItem(x) }}'}}", ["rand.choice("], "url", S),
    ("{get: {url: '/{{ $mystery() }}'}}", [], "url", S),
    ("{get: {url: '/{{ $fakeCity() }}'}}", ["/${fake.city()}"], "url", S),
    ("{get: {url: '/{{ $locationCity() }}'}}", ["/${fake.city()}"], "url", S),
    ("{get: {url: '/{{ Math.floor(Math.random() * 5) + 1 }}'}}", ["rand.int(1, 5)"], "url", S),
    ("{get: {url: '/{{ Date.now() }}'}}", ["/${(now() * 1000) | int}"], "url", S),
    ("{get: {url: '/{{ $env.A || \"b\" }}'}}", ["default: b", "/${a}"], "url", S),
    ("{get: {url: /a, expect: {equals: ['{{ a.b }}', up]}}}", ["$.a.b: up"], "equals", S),
    ("{get: {url: /a, expect: {equals: ['{{ a.length }}', 2]}}}", ["length: 2"], "equals", S),
    ("{get: {url: '/$' , headers: {A: '${x}'}}}", ["$${x}"], "A", T),
]


@pytest.mark.parametrize(
    ("flow", "texts", "words", "expected"), STEPS, ids=[one[0] for one in STEPS]
)
def test_steps(flow: str, texts: list[str], words: str, expected: Fate) -> None:
    """Each construct of a flow, alone in a test."""
    imported = run(whole(flow, ""))

    assert missing(texts, imported) == []
    assert fate(imported, words) is expected


@pytest.mark.slow  # validates forty steps: 0.6 s
def test_the_plans_validate() -> None:
    """All constructs of the table at once, and a WebSocket beside them."""
    flows = ", ".join(one[0] for one in STEPS)
    text = whole(flows, "") + "before: {flow: [{post: {url: /reset}}]}\n"

    imported = run(text)

    assert [one.message for one in check(imported)] == []


CONFIG = [
    ("timeout: 5", ["timeout: 5s"], "timeout", T),
    ("http: {pool: 10}", [], "pool", C),
    ("http: {maxSockets: 2}", ["per_user: 2"], "maxSockets", T),
    ("http: {maxSockets: 2000}", ["per_user: 64"], "maxSockets", T),
    ("ensure: {errorRate: 1}", [], "errorRate", S),
    (
        "ensure: {thresholds: [{plugins.expect.failed: 1}, {vusers.failed: 5}]}",
        ["checks == 100%", "errors of iteration < 5"],
        "vusers.failed",
        T,
    ),
    ("defaults: {headers: {A: b}}", ["headers: {A: b}"], "headers.A", T),
    ("http: {defaults: {headers: {A: b}}}", ["headers: {A: b}"], "headers.A", T),
    ("tls: {rejectUnauthorized: false}", ["verify: false"], "rejectUnauthorized", T),
    ("processor: ./x.js", ["`./x.js`"], "processor", Y),
    ("surprise: 1", [], "config.surprise", S),
    (
        "plugins: {publish-metrics: [{type: datadog, host: a, tags: [b]}]}",
        ["statsd: {address: a:8125, prefix: artillery, optional: true}"],
        "[0].type",
        C,
    ),
    (
        "plugins: {publish-metrics: [{type: open-telemetry, metrics: {exporter: otlp-grpc,"
        " endpoint: 'http://c:4317', headers: {a: b}}}]}",
        ["otlp: {endpoint: http://c:4317, protocol: grpc, headers: {a: b}, optional: true}"],
        "metrics.endpoint",
        T,
    ),
    ("plugins: {publish-metrics: [{type: datadog, apiKey: x}]}", [], "[0].type", L),
    ("apdex: {threshold: 100}, plugins: {apdex: {}}", ["warn: apdex(100ms) >= 0"], "apdex", T),
    ("plugins: {apdex: {}}, ensure: {apdex: 1}", ["- apdex(500ms) < 1"], "ensure.apdex", S),
    (
        "plugins: {fake-data: {}}, variables: {a: 'x{{ $randEmail() }}', b: '{{ $numberInt() }}'}",
        [],
        "variables.a",
        T,
    ),
    ("variables: {a: 1}", ["a: {type: int, default: 1}"], "variables.a", T),
    ("variables: {a: [x, y]}", ["a: {list: [x, y], order: random, per: user}"], "variables.a", T),
    ("payload: {path: no.csv, fields: [a]}", ['list: [{a: ""}]'], "path", Y),
    ("payload: {path: ../../etc/passwd, fields: [a]}", ['list: [{a: ""}]'], "path", Y),
    ("ensure: {p95: 500}", ["p95 ttfb < 500ms"], "p95", T),
    ("ensure: {maxErrorRate: 1}", ["error_rate of iteration <= 1%"], "maxErrorRate", T),
    ("ensure: {thresholds: [{http.response_time.p999: 9}]}", ["p99.9 ttfb < 9ms"], "p999", T),
    (
        "ensure: {thresholds: [{vusers.session_length.max: 9}]}",
        ["max of iteration < 9ms"],
        "max",
        T,
    ),
    ("ensure: {thresholds: [{plugins.mine: 9}]}", [], "plugins.mine", L),
    (
        "ensure: {conditions: [{expression: 'http.request_rate > 5', strict: false}]}",
        ["warn: throughput > 5/s"],
        "expression",
        T,
    ),
    ("environments: {b: {target: 'http://b'}}", ["b: {target: http://b}"], "b.target", T),
    ("environments: {b: {phases: [{duration: 1, arrivalRate: 1}]}}", ["profile: b"], "b.phases", T),
    (
        "environments: {b: {tls: {rejectUnauthorized: false}}}",
        ["verify: {type: bool, default: true}", "verify: ${verify}", "b: {verify: false}"],
        "b.tls.rejectUnauthorized",
        T,
    ),
    ("environments: {b: {tls: {ca: c.pem}}}", [], "tls.ca", L),
    ("environments: {b: {ensure: {p95: 1}}}", [], "b.ensure", L),
    ("environments: {b: {plugins: {expect: {}}}}", [], "b.plugins.expect", T),
    ("environments: {b: {plugins: {ensure: {p95: 1}}}}", [], "plugins.ensure.p95", L),
    ("environments: {b: {processor: f.js}}", [], "b.processor", C),
    ("http: {keepAlive: true}", [], "keepAlive", S),
    ("http: {defaults: {cookie: {a: 1}}}", ["headers: {Cookie: a=1}"], "defaults.cookie", C),
    (
        "ensure: {thresholds: ['http.response_time.p99 < 500']}",
        ["p99 ttfb < 500ms"],
        "thresholds",
        S,
    ),
    ("ensure: {thresholds: ['a lot']}", [], "thresholds", S),
    (
        "ensure: {conditions: [{expression: 'http.codes.200 == http.requests'}]}",
        ["rate of status:200 >= 100%"],
        "expression",
        T,
    ),
    ("payload: {path: a.csv, unique: true}", [], "unique", S),
    ("payload: {path: a.csv, options: {comment: '#'}}", [], "payload.options", L),
    ("engines: {playwright: {}}", [], "playwright", L),
]


@pytest.mark.parametrize(
    ("config", "texts", "words", "expected"), CONFIG, ids=[one[0] for one in CONFIG]
)
def test_config(config: str, texts: list[str], words: str, expected: Fate) -> None:
    """Each construct of `config`, alone in a test."""
    imported = run(whole("{get: {url: /a}}", config))

    assert missing(texts, imported) == []
    assert fate(imported, words) is expected


PHASES = [
    ("{duration: 60, arrivalRate: 5}", "{rate: 5/s, hold: 1m}"),
    ("{duration: 60, arrivalRate: 0.5, name: Low}", "{name: Low, rate: 30/m, hold: 1m}"),
    ("{duration: 1 min, arrivalCount: 20}", "{rate: 20/m, hold: 1m}"),
    ("{duration: 9, arrivalRate: 1, rampTo: 5}", "from: 1/s"),
    ("{duration: 9, arrivalRate: 1}, {duration: 9, arrivalRate: 5}", "rate: 5/s, from: 5/s"),
    ("{duration: 9, arrivalRate: 1}, {pause: 30}", "duration: 30s, rate: 0/s, from: 0/s"),
    ("{duration: 9, arrivalRate: 1, maxVusers: 7}", "max_users: 7"),
    ("{duration: 9, arrivalRate: 500}", "max_users: 5000"),
    ("{duration: 9, arrivalRate: '{{ $env.RATE }}'}", 'rate: "${rate}/s"'),
]


@pytest.mark.parametrize(("phases", "text"), PHASES, ids=[one[0] for one in PHASES])
def test_phases(phases: str, text: str) -> None:
    """Arrivals: one phase, with a stage for each where there are several."""
    imported = run(
        f"config: {{target: http://a, phases: [{phases}]}}\n"
        "scenarios: [{flow: [{get: {url: /a}}]}]\n"
    )

    assert text in imported.text
    assert check(imported) == ()


def test_what_is_never_checked_is_suspicious() -> None:
    """`expect` without its plug-in, and settings beside `config`."""
    imported = run(
        "config: {target: http://a}\nensure: {p95: 1}\n"
        "scenarios: [{flow: [{get: {url: /a, expect: {statusCode: 200}}}]}]\n"
    )

    assert fate(imported, "expect") is S
    assert "expect: {status: 200, soft: true}" in imported.text
    assert fate(imported, "ensure") is S
    assert "TODO import: the original says no load" in imported.text


def test_a_mistake_of_the_whole_test_is_said_once() -> None:
    """Checks without their plug-in, and a list where `ensure` is a mapping."""
    imported = run(
        "config: {target: http://a, ensure: [{p95: 500}]}\n"
        "scenarios: [{flow: [{get: {url: /a, expect: {statusCode: 200}}},"
        " {get: {url: /b, match: {json: $.a, value: 1}, expect: {statusCode: 200}}}]}]\n"
    )

    found = list(imported.ledger.findings())
    assert [(one.words, one.fate) for one in found] == [
        ("config.ensure", S),
        ("scenarios[0].flow[0].get.expect", S),
    ]
    assert "nor those of 1 other" in found[1].why
    assert "p95 ttfb < 500ms" in imported.text


@pytest.mark.parametrize(
    ("plugin", "texts"),
    [
        ("{}", ["status: 200, soft: true", "status: [2xx, 3xx, 4xx, 5xx]", "- checks == 100%"]),
        ("{reportFailuresAsErrors: true}", ["status: 200}", "status: [2xx, 3xx, 4xx, 5xx]"]),
        (
            "{expectDefault200: true}",
            [
                "http: {expect: {status: 200, soft: true}}",
                "exists: true}} soft: true status: [2xx,",
            ],
        ),
    ],
)
def test_the_plan_fails_where_artillery_does(plugin: str, texts: list[str]) -> None:
    """Replies of 400 fail nothing, a request without reply ends the visit, checks are counted."""
    imported = run(
        "config: {target: http://a, phases: [{duration: 1, arrivalRate: 1}],"
        f" plugins: {{expect: {plugin}}}}}\n"
        "scenarios: [{flow: [{get: {url: /a}}, {get: {url: /b, expect: {statusCode: 200}}},"
        " {get: {url: /c, expect: {hasProperty: x}}}]}]\n"
    )

    assert missing([*texts, "on_error: stop_iteration"], imported) == []
    assert imported.ledger.tally().has_loss is False
    assert check(imported) == ()


@pytest.mark.parametrize(
    ("first", "second", "texts", "expected"),
    [
        ("expect: {statusCode: 200}", "match: {json: $.id, value: 7}",
         ["- checks of tag:plugin=expect == 100%"], T),
        ("expect: {statusCode: 200}, match: {json: $.id, value: 7}", "name: b",
         ["- checks == 100%"], C),
    ],
)  # fmt: skip
def test_what_a_match_finds_decides_no_exit_code(
    first: str, second: str, texts: list[str], expected: Fate
) -> None:
    """Artillery's exit code is about expectations; `match` ends the visit, and no more."""
    imported = run(whole(f"{{get: {{url: /a, {first}}}}}, {{get: {{url: /b, {second}}}}}", ""))

    assert missing(texts, imported) == []
    assert fate(imported, "match") is expected
    assert check(imported) == ()


@pytest.mark.parametrize(
    ("phases", "sentence", "expected"),
    [
        ("phases: [{duration: 1, arrivalRate: 1}], ", "checks in profile b == 100%", T),
        ("", "checks == 100%", C),
    ],
)
def test_expectations_of_one_environment(phases: str, sentence: str, expected: Fate) -> None:
    """The plug-in of one environment decides the exit code there, where it has a profile."""
    imported = run(
        "config: {target: http://a, environments: {b: {"
        f"{phases}plugins: {{expect: {{}}}}}}}}}}\n"
        "scenarios: [{flow: [{get: {url: /a, expect: {statusCode: 200}}}]}]\n"
    )

    assert f"- {sentence}" in imported.text
    assert (fate(imported, "get.expect"), fate(imported, "plugins.expect")) == (T, expected)
    assert check(imported) == ()


def test_cookies_of_a_request_stand_beside_the_default_ones() -> None:
    """Artillery puts both into the jar."""
    imported = run(
        whole("{get: {url: /a, cookie: {b: 2}}}", "http: {defaults: {cookie: {a: 1, b: 1}}}")
    )

    assert missing(["headers: {Cookie: a=1; b=1}", "Cookie: a=1; b=2"], imported) == []


def test_keys_that_artillery_does_not_read_count_once() -> None:
    """What is below such a key has no effect in the original, either."""
    imported = run(
        "config: {target: http://a}\n"
        "scenarios: [{expect: [{statusCode: 200}], flow: [{get: {url: /a}}]}]\n"
    )

    found = [one.words for one in imported.ledger.findings()]
    assert found == ["scenarios[0].expect"]


def test_steps_under_another_name_are_those_of_the_scenario() -> None:
    """Artillery fails without `flow`; what stands there is meant."""
    imported = run("config: {target: http://a}\nscenarios: [{requests: [{get: {url: /a}}]}]\n")

    named = run("config: {target: http://a}\nscenarios: {home: {flow: [{get: {url: /b}}]}}\n")

    assert missing(["home: steps: - get: /b"], named) == []
    assert (fate(named, "scenarios"), fate(named, "scenarios.home")) == (S, T)
    assert "- get: /a" in imported.text
    assert (fate(imported, "requests"), fate(imported, ".get"), fate(imported, "url")) == (S, T, T)


def test_settings_alone_keep_their_load_and_thresholds() -> None:
    """A file for `--config` has no scenario; it needs you to write one."""
    imported = run(
        "config: {target: http://a, ensure: {maxErrorRate: 1, p95: 5},"
        " phases: [{duration: 1, arrivalRate: 1}]}\n"
    )

    assert missing(["- get: /", "error_rate of iteration <= 1%", "p95 ttfb < 5ms"], imported) == []
    assert fate(imported, "config") is Y
    assert check(imported) == ()


def test_weights_names_comments_and_scenarios_that_cannot_run() -> None:
    """Classes keep their names, weights in proportion, and the comments above them."""
    imported = run(
        """config: {target: http://a, phases: [{duration: 1, arrivalRate: 1}]}
scenarios:
  # People who only look around.
  - name: Look
    weight: 0.5
    flow: [{get: {url: /a}}]
  - name: "Buy\\nnow"
    weight: 1
    flow: [{post: {url: /b}}]
  - {name: Browser, engine: playwright, testFunction: f}
  - {name: Never, weight: 0, flow: [{get: {url: /a}}]}
"""
    )

    assert "  # People who only look around.\n  Look:\n" in imported.text
    assert "  Buy now:\n    weight: 2\n" in imported.text
    assert (fate(imported, "testFunction"), fate(imported, "[3].weight")) == (L, S)
    assert "Never" not in imported.text


def test_websockets() -> None:
    """A scenario of the engine `ws` opens its connection first, and receives what it captures."""
    imported = run(
        """config: {target: "ws://a:1/chat", phases: [{duration: 1, arrivalRate: 1}]}
scenarios:
  - engine: ws
    flow:
      - connect: {target: "{{ target }}?room=1", headers: {sec-websocket-protocol: a}}
      - send: hello
      - send: {payload: {a: 1}, capture: [{json: $.id, as: id}]}
"""
    )

    assert "ws.send: {text: hello}" in imported.text
    assert "ws.receive: {extract: {id: $.id}}" in imported.text
    assert "subprotocols: [a]" in imported.text
    assert check(imported) == ()


def test_rows_of_a_file_are_copied(tmp_path: Path) -> None:
    """A CSV file beside the test becomes a data source with the fields as columns."""
    (tmp_path / "people.csv").write_text("h1,h2\nada,1\n")
    main = tmp_path / "load.yml"
    main.write_text(
        whole(
            "{get: {url: '/{{ name }}'}}",
            "payload: {path: people.csv, fields: [name, n], skipHeader: true, order: sequence}",
        )
    )

    imported = run("", "load.yml", main)

    assert missing(["people: {csv: people.csv, columns: [name, n], per: user}"], imported) == []
    assert "/${people.name}" in imported.text
    assert imported.files == {"people.csv": b"ada,1\n"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("config:\n\t- a", "not YAML"),
        ("{% if x %}\nscenarios: []", "not YAML"),
        ("- a\n- b", "a mapping with `scenarios`"),
        ('{"config": {', "not JSON"),
        ("config: &a {b: *a}", "contains itself"),
        (
            BOMB + "scenarios: *i",
            "over 1,000,000 values",
        ),
    ],
)
def test_what_is_no_test(text: str, message: str) -> None:
    """A fault with a place, no traceback."""
    with pytest.raises(ImportFault, match=message):
        run(text)


@pytest.mark.parametrize(
    "text",
    [
        "scenarios: {}",
        "config: 5\nscenarios: 7",
        "config: {target: {{ h }}, phases: {duration: x}}\nscenarios: [a, {flow: [b, {get: [1]}]}]",
        "config: {phases: [{arrivalRate: -1}]}\nscenarios: [{flow: {get: {url: {a: b}}}}]",
        "config: {target: a, target: 'http://b'}\nscenarios: [{name: 1, flow: [{think: x}]}]",
        "x: &x {url: /a}\nscenarios: [{flow: [{get: {<<: *x}}, {get: *x}]}]",
        "scenarios: [{flow: [{loop: [], count: -1}, {get: {url: /a, capture: x, expect: [1]}}]}]",
    ],
)
def test_odd_files_still_make_a_plan(text: str) -> None:
    """Whatever stands where something else should: every key has a fate, and the plan validates."""
    imported = run(text)

    assert all(one.fate is not None for one in imported.ledger.constructs)
    assert [one.message for one in check(imported)] == []


def test_recognition() -> None:
    """Artillery's own words are recognized; other YAML isn't."""
    assert IMPORTER.claim(SourceFile(None, "a.yml", whole("", "").encode())) is Claim.SURE
    assert IMPORTER.claim(SourceFile(None, "a.yml", b"execution: []\nscenarios: {}")) is Claim.NO
    assert IMPORTER.claim(SourceFile(None, "rows.csv", b"a,b")) is Claim.COMPANION


def test_what_can_not_be_sent_or_said_leaves_a_plan_that_is_valid() -> None:
    """Names that are no headers, URLs without a port, conditions that are no expressions."""
    imported = run(
        "config: {target: 'http://a:b c', phases: [{duration: 0, arrivalRate: 1}],"
        " ensure: {maxErrorRate: many}}\n"
        "scenarios: [{flow: [{get: {url: '{{ $env.SECRET }}', headers: {'': x, 'a b': y},"
        " ifTrue: '/a b'}}, {get: {url: '/{{ $loopElement.url }}'}}]}]\n"
    )

    assert fate(imported, "headers") is S
    assert fate(imported, "ifTrue") is L
    assert fate(imported, "target") is Y
    assert fate(imported, "maxErrorRate") is L
    assert check(imported) == ()


def test_variables_that_compute_are_expressions_where_they_are_read() -> None:
    """A param has a value before the run; what a template draws has none."""
    imported = run(
        "config: {target: http://a, phases: [{duration: 1, arrivalRate: 1}],"
        " variables: {a: 'n-{{ $randomNumber(1, 6) }}', b: [x, '{{ $randomString(3) }}']}}\n"
        "scenarios: [{flow: [{get: {url: '/{{ a }}/{{ b }}'}}]}]\n"
    )

    assert "('n-' ~ (rand.int(1, 6)))" in imported.text
    assert "rand.choice(['x', (rand.text(3))])" in imported.text
    assert check(imported) == ()

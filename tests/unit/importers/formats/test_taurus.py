"""Taurus: what each construct becomes, and its fate."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from planrunner.importers.contract import Claim, ImportOptions
from planrunner.importers.formats.taurus.importer import IMPORTER
from planrunner.importers.importing import Imported, check, import_files
from planrunner.importers.sources import ImportFault, SourceFile
from planrunner.loss.ledger import Fate

T, S, Y, C, L = Fate.TRANSLATED, Fate.SUSPICIOUS, Fate.NEEDS_YOU, Fate.CHANGED, Fate.LEFT_OUT


def run(text: str, path: Path | None = None) -> Imported:
    file = SourceFile(path, "load.yml", None if path else text.encode())
    return import_files([file], format_name="taurus", options=ImportOptions())


def missing(texts: list[str], imported: Imported) -> list[str]:
    return [one for one in texts if squashed(one) not in squashed(imported.text)]


def squashed(text: str) -> str:
    return re.sub(r"[\"{},\s]+", " ", text)


def fate(imported: Imported, words: str) -> Fate | None:
    found = [one.fate for one in imported.ledger.constructs if one.words.endswith(words)]
    return found[0] if found else None


REQUESTS = [
    ("http://a/x", ["get: http://a/x"], "requests", T),
    ("{url: /x, method: POST, label: Save, body: text}", ["post: /x", "name: Save"], ".body", T),
    ("{url: /x, method: POST, body: {a: 1}}", ["form: {a: 1}"], ".body", T),
    ("{url: /x, body: {a: 1}}", ["query: {a: 1}"], ".body", T),
    (
        "{url: /x, method: PUT, headers: {T: application/json}, body: {a: 1}}",
        ["json: {a: 1}"],
        ".body",
        T,
    ),
    ("{url: /x, think-time: 1s500ms}", ["pause: 1500ms"], ".think-time", T),
    ("{url: /x, think-time: 'uniform(5s, 1s)'}", ["pause: 4s..6s"], ".think-time", T),
    ("{url: /x, think-time: 'gaussian(9s, 1s)'}", ["normal(9s, 1s)"], ".think-time", T),
    ("{url: /x, timeout: 1s}", ["timeout: 1s"], ".timeout", T),
    ("{url: /x, follow-redirects: false}", ["follow_redirects: false"], ".follow-redirects", T),
    ("{url: /x, body-file: no.txt}", [], ".body-file", Y),
    ("{url: /x, jsr223: 'vars.put()'}", [], ".jsr223", L),
    ("{url: /x, assert: [App]}", ["matches: [App]"], ".assert", T),
    ("{url: /x, assert: [{contains: [a], regexp: false}]}", ["contains: [a]"], ".contains", T),
    ("{url: /x, assert: [{contains: [a], not: true}]}", ["not_matches: [a]"], ".not", T),
    ("{url: /x, assert: [{contains: [200], subject: http-code}]}", ["status: 200"], ".subject", T),
    (
        "{url: /x, assert: [{contains: ['2..'], subject: http-code}]}",
        ["status: 2xx"],
        ".subject",
        T,
    ),
    ("{url: /x, assert: [{contains: [a], subject: headers}]}", [], ".contains", L),
    ("{url: /x, assert-jsonpath: [$.a]}", ["$.a: {exists: true}"], ".assert-jsonpath", T),
    (
        "{url: /x, assert-jsonpath: [{jsonpath: $.a, expected-value: '5'}]}",
        ["$.a: {in: [5, '5']}".replace("'", '"')],
        ".expected-value",
        T,
    ),
    ("{url: /x, assert-xpath: [/a]}", [], ".assert-xpath", L),
    ("{url: /x, extract-jsonpath: {v: $.a}}", ["v: {jsonpath: $.a, default: NOT_FOUND}"], ".v", T),
    (
        "{url: /x, extract-regexp: {v: {regexp: '(a)(b)', template: 2, match-no: 0}}}",
        ["regex: (?:a)(b)", "index: random"],
        ".template",
        T,
    ),
    (
        "{url: /x, extract-css-jquery: {v: {expression: a, attribute: href}}}",
        ["a::attr(href)"],
        ".v",
        T,
    ),
    ("{url: /x, extract-xpath: {v: //a}}", ["xpath: //a"], ".v", T),
    ("{url: /x, extract-boundary: {v: {left: '<', right: '>'}}}", ["<(.*?)>"], ".left", T),
    ("{url: '/${__UUID()}'}", ["/${rand.uuid()}"], ".url", T),
    ("{url: '/${__P(host, x)}'}", ["host: {type: str, default: x}"], ".url", T),
    ("{url: '/${nobody}'}", ["nobody: {type: str"], ".url", Y),
    ("{url: '/${__groovy(1)}'}", [], ".url", L),
    ('{if: \'"${v}" == "1"\', then: [/x], else: [/y]}', ["v | string == '1'", "else:"], ".else", T),
    ("{if: 'vars.get()', then: [/x]}", ["get: /x"], ".if", L),
    ("{loop: 3, do: [/x]}", ["repeat: 3"], ".loop", T),
    ("{loop: forever, do: [/x]}", ['while: "true"'], ".loop", T),
    ("{transaction: Buy, do: [/x]}", ["group: Buy"], ".transaction", T),
    ("{once: [/x]}", ["user.iteration == 0"], ".once", T),
    ("{action: pause, pause-duration: 2s}", ["think: 2s"], ".action", T),
    ("{set-variables: {a: b}}", ["set: {a: b}"], ".set-variables", T),
    ("{include-scenario: nowhere}", [], ".include-scenario", Y),
]


@pytest.mark.parametrize(
    ("request_text", "texts", "words", "expected"), REQUESTS, ids=[one[0] for one in REQUESTS]
)
def test_requests(request_text: str, texts: list[str], words: str, expected: Fate) -> None:
    """Each construct of a scenario, alone in a test."""
    imported = run(
        "execution: [{concurrency: 2, hold-for: 1m, scenario: s}]\n"
        f"scenarios: {{s: {{default-address: 'http://a', requests: [{request_text}]}}}}\n"
    )

    assert missing(texts, imported) == []
    assert fate(imported, words) is expected


@pytest.mark.slow
def test_the_plans_validate() -> None:
    """All constructs of the table at once."""
    requests = ", ".join(one[0] for one in REQUESTS)
    imported = run(
        "execution: {hold-for: 1m, scenario: s}\n"
        f"scenarios: {{s: {{default-address: 'http://a', requests: [{requests}]}}}}\n"
    )

    assert [one.message for one in check(imported)] == []


EXECUTIONS = [
    ("{concurrency: 5, hold-for: 2m, ramp-up: 30s}", ["users: 5, ramp_up: 30s, hold: 2m"]),
    ("{concurrency: 5, iterations: 3}", ["users: 5, iterations_per_user: 3"]),
    ("{}", ["users: 1, iterations_per_user: 1"]),
    ("{concurrency: 5, hold-for: 1m, throughput: 30}", ["throttle: 30/s"]),
    (
        "{concurrency: 4, hold-for: 1m, ramp-up: 20s, steps: 2}",
        ["duration: 0s, users: 2", "duration: 10s, users: 2", "duration: 70s, users: 4"],
    ),
    ("{concurrency: {local: 2, cloud: 50}, hold-for: 1m}", ["users: 2"]),
]


@pytest.mark.parametrize(("execution", "texts"), EXECUTIONS, ids=[one[0] for one in EXECUTIONS])
def test_executions(execution: str, texts: list[str]) -> None:
    """The load of one execution."""
    text = execution.replace("{", "{scenario: s, ", 1).replace(", }", "}")
    imported = run(f"execution: [{text}]\nscenarios: {{s: {{requests: ['http://a/x']}}}}\n")

    assert missing(texts, imported) == []


def test_executions_run_side_by_side_unless_they_are_sequential() -> None:
    """Each has a phase with the class of its scenario."""
    text = """execution: [{scenario: a, hold-for: 1m}, {scenario: b, hold-for: 1m, delay: 5s}]
scenarios: {a: {requests: ['http://a/x']}, b: {requests: ['http://b/x']}}
"""

    beside = run(text)
    sequential = run(text + "modules: {local: {sequential: true}}\n")

    assert missing(["start_at: 0s", "start_at: 5s", "only: {users: [a]}"], beside) == []
    assert "start_at: 0s" not in sequential.text
    assert check(beside) == ()


CRITERIA = [
    ("avg-rt>150ms for 10s, stop as failed", "avg over 1s for 10 windows <= 150ms, abort"),
    ("p95 of Home>1s", 'p95 of "Home" <= 1s'),
    ("fail>50%", "error_rate <= 50%"),
    ("failures>5", "errors <= 5"),
    ("succ<90%", "error_rate <= 10%"),
    ("rc5??>1%", "rate of status:5xx <= 1%"),
    ("avg-lt>10ms over 1m, continue as non-failed", "warn: avg ttfb over 1m <= 10ms"),
]


@pytest.mark.parametrize(("criterion", "threshold"), CRITERIA, ids=[one[0] for one in CRITERIA])
def test_criteria(criterion: str, threshold: str) -> None:
    """What fails in Taurus is turned around into what must hold."""
    imported = run(
        "execution: {hold-for: 1m, scenario: {requests: [{url: 'http://a/', label: Home}]}}\n"
        f"reporting: [{{module: passfail, criteria: ['{criterion}']}}, console]\n"
    )

    assert missing([threshold], imported) == []
    assert check(imported) == ()


def test_what_else_a_file_has(tmp_path: Path) -> None:
    """Data beside the file, scenarios that nothing runs, browsers, and tools' settings."""
    (tmp_path / "people.csv").write_text("name,n\nada,1\n")
    main = tmp_path / "load.yml"
    main.write_text(
        """execution:
- {scenario: s, hold-for: 1m}
- {scenario: b, executor: selenium}
scenarios:
  # People who buy.
  s: {data-sources: [people.csv], requests: ['http://a/${name}']}
  b: {requests: ['http://a/']}
  idle: {requests: ['http://a/']}
modules: {jmeter: {properties: {a: b}, version: 5, csv-jtl-flags: {time: true}}}
services: [{module: monitoring}]
"""
    )

    imported = run("", main)

    assert missing(["people: {csv: people.csv}", "/${people.name}"], imported) == []
    words = ("idle", ".b.requests", "properties.a", "version", "csv-jtl-flags.time")
    assert [fate(imported, one) for one in words] == [S, L, L, T, T]
    assert fate(imported, "services[0].module") is L


def test_a_scenario_that_is_indented_too_much_is_the_one_that_is_meant() -> None:
    """Taurus finds none of that name, and fails."""
    imported = run(
        "execution: [{scenario: s, hold-for: 1m, s: {requests: ['http://a/x', 'http://a/y']}}]\n"
    )

    assert missing(["s: steps: - get: /x - get: /y"], imported) == []
    assert (fate(imported, "[0].s"), fate(imported, "s.requests")) == (S, T)


def test_what_is_no_test() -> None:
    """A file without an execution is a fault, and isn't claimed."""
    with pytest.raises(ImportFault, match="a mapping with `execution`"):
        run("scenarios: {}")
    assert IMPORTER.claim(SourceFile(None, "a.yml", b"scenarios: {}")) is Claim.NO
    text = b"execution:\n- concurrency: 1\nscenarios:\n  a: {}\n"
    assert IMPORTER.claim(SourceFile(None, "a.yml", text)) is Claim.SURE


def test_what_only_other_machines_and_tools_read_has_no_effect() -> None:
    """Locations and cloud values of a local run; settings of modules that nothing uses."""
    test = (
        "execution: [{scenario: s, concurrency: {local: 2, cloud: 50}, hold-for: 1m,"
        " locations: {eu: 1}}]\n"
        "scenarios: {s: {requests: ['http://a/${__P(b)}']}}\n"
        "modules: {selenium: {x: 1}, jmeter: {properties: {b: c}}}\nartifacts-dir: out\n"
    )
    imported = run(test)

    assert missing(["users: 2", "default: c"], imported) == []
    words = ("locations", "locations.eu", "cloud", "selenium.x", "properties.b", "artifacts-dir")
    assert [fate(imported, one) for one in words] == [T, T, T, T, T, S]

    in_cloud = run(f"provisioning: cloud\n{test}")
    assert missing(["users: 50"], in_cloud) == []
    assert fate(in_cloud, "locations.eu") is L


def test_commands_around_a_run() -> None:
    """`shellexec` runs commands before and after; what runs beside is a service."""
    imported = run(
        "execution: [{scenario: s}]\nscenarios: {s: {requests: ['http://a/']}}\n"
        "services: [{module: shellexec, prepare: [echo it's], startup: [{command: server,"
        " background: true}], post-process: rm x}, monitoring]\n"
    )

    assert "sh -c 'echo it'" in imported.text
    assert "teardown:\n  - exec: sh -c 'rm x'" in imported.text
    assert fate(imported, "command") is L
    assert check(imported) == ()


def test_a_script_of_another_tool_runs_with_the_load_of_its_execution(tmp_path: Path) -> None:
    """The load and the host are Taurus', the tasks those of the script."""
    main = tmp_path / "load.yml"
    main.write_text(
        "execution: [{executor: locust, concurrency: 7, hold-for: 1m, scenario: s}]\n"
        "scenarios: {s: {script: locustfile.py, default-address: 'http://b'}}\n"
    )
    asked = run("", main)
    assert [fate(asked, one) for one in ("script", "default-address")] == [Y, Y]

    (tmp_path / "locustfile.py").write_text(
        "from locust import HttpUser, task\n\n\nclass Reader(HttpUser):\n"
        "    host = 'http://a'\n\n    @task\n    def read(self):\n"
        "        self.client.get('/items')\n"
    )
    imported = run("", main)

    assert missing(["base_url: http://b", "get: /items", "users: 7", "hold: 1m"], imported) == []
    assert "http://a" not in imported.text
    assert check(imported) == ()


def test_what_taurus_measures_of_its_machine() -> None:
    """Gauges that planrunner has; JMeter's files and keys at the wrong place do nothing."""
    imported = run(
        "execution: [{scenario: s, timeout: 1s}]\nscenarios: {s: {requests: ['http://a/']}}\n"
        "services: [{module: monitoring, local: [{metrics: [cpu, mem, bytes-sent, disk-space]}]}]\n"
        "modules: {jmeter: {properties: {jmeter.save.saveservice.url: 'true'}}}\n"
    )

    assert "monitors:\n  local: {host: [cpu, rss, net]}" in imported.text
    words = ("metrics", "saveservice.url", "execution[0].timeout")
    assert [fate(imported, one) for one in words] == [C, T, S]
    assert check(imported) == ()


def test_a_collection_of_newman(tmp_path: Path) -> None:
    """The requests of the collection, with Taurus' pause and timeout."""
    main = tmp_path / "load.yml"
    main.write_text(
        "execution: [{executor: newman, scenario: s}]\n"
        "scenarios: {s: {script: c.json, think-time: 2s, timeout: 3s}}\n"
    )
    (tmp_path / "c.json").write_text(
        '{"info": {"name": "C", "schema": "https://schema.getpostman.com/json/collection/v2.1.0/"},'
        ' "item": [{"name": "One", "request": {"method": "GET", "url": "http://a/x"}}]}'
    )

    imported = run("", main)

    assert missing(["get: /x", "pause: 2s", "timeout: 3s"], imported) == []

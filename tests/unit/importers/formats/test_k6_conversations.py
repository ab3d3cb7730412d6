"""k6 scripts that expect in chai's words, talk over sockets and gRPC, and keep metrics."""
# ruff: noqa: E501 - a statement and its step are one line

from __future__ import annotations

import pytest

from planrunner.importers.contract import ImportOptions
from planrunner.importers.importing import Imported, check, import_files
from planrunner.importers.sources import SourceFile
from planrunner.loss.ledger import Fate
from planrunner.plan.yaml.document import parse

HEAD = """\
import http from 'k6/http';
import ws from 'k6/ws';
import { WebSocket } from 'k6/websockets';
import grpc from 'k6/net/grpc';
import { check } from 'k6';
import { Trend, Rate, Counter } from 'k6/metrics';
import crypto from 'k6/crypto';
import { FormData } from 'https://jslib.k6.io/formdata/0.0.2/index.js';
import { Httpx } from 'https://jslib.k6.io/httpx/0.0.6/index.js';
import jsonpath from 'https://jslib.k6.io/jsonpath/1.0.2/index.js';
import faker from 'k6/x/faker';
import { describe, expect } from 'https://jslib.k6.io/k6chaijs/4.3.4.3/index.js';
const BASE = 'http://127.0.0.1';
const lag = new Trend('lag');
const errors = new Rate('errors');
const hits = new Counter('hits');
"""


def imported(code: str) -> Imported:
    text = f"{HEAD}export default function () {{\n{code}\n}}\n"
    return import_files([SourceFile(None, "load.js", text.encode())], options=ImportOptions())


def steps_of(code: str) -> list[dict[str, object]]:
    plan = parse(imported(code).text, "plan.yaml").data
    found: list[dict[str, object]] = plan["users"]["Visitor"]["steps"]
    return found


EXPECTED = [
    ("r.status).to.equal(200)", {"status": 200}),
    ("r.status).to.be.oneOf([200, 201])", {"status": [200, 201]}),
    ("r).to.have.status(204)", {"status": 204}),
    ("r).to.have.validJsonBody()", {"json": {"$": {"exists": True}}}),
    ("r.json('a').length).to.be.above(1)", {"json": {"$.a": {"length": {"min": 2}}}}),
    ("r.json().ok).to.be.true", {"json": {"$.ok": True}}),
    ("r.json().b).to.not.be.undefined", {"json": {"$.b": {"exists": True}}}),
    ("r.json()).to.have.property('x').that.is.a('string')", {"json": {"$.x": {"type": "string"}}}),
    ("r.body).to.include('hi')", {"contains": "hi"}),
    ("r.body).to.not.include('no')", {"not_contains": "no"}),
    ("r.body).to.match(/a.c/)", {"matches": "a.c"}),
    ("r.timings.duration).to.be.below(500)", {"time": "< 500ms"}),
    ("r.status).toBe(200)", {"status": 200}),
]


@pytest.mark.parametrize(("words", "expected"), EXPECTED)
def test_expect_is_a_soft_expectation(words: str, expected: dict[str, object]) -> None:
    steps = steps_of(
        f"describe('all', () => {{ const r = http.get(BASE + '/a'); expect({words}; }});"
    )
    request = {"get": "/a", "expect": {**expected, "soft": True}}
    assert steps == [{"group": "all", "do": [request]}]


def test_requests_after_an_expectation_are_named() -> None:
    made = imported(
        "describe('two', () => { const r = http.get(BASE); expect(r.status).to.equal(200); http.get(BASE); });"
    )
    assert [one.words[:8] for one in made.ledger.findings() if one.fate is Fate.CHANGED] == [
        "describe"
    ]


TALKS = [
    (
        "ws.connect('ws://127.0.0.1/c', { headers: { 'X-A': '1' } }, (s) => { s.on('open', () => s.send('a')); s.on('message', (m) => { check(m, { ok: (d) => d === 'b' }); s.close(); }); s.on('close', () => console.log('end')); });",
        [
            {"ws.connect": {"url": "ws://127.0.0.1/c", "headers": {"X-A": "1"}}},
            {"ws.send": "a"},
            {"ws.receive": {"expect": {"matches": "^b$", "soft": True}}},
            {"ws.close": {}},
            {"log": "end"},
        ],
    ),
    (
        "ws.connect('ws://127.0.0.1/c', (s) => { s.on('open', () => { s.setInterval(() => s.send('t'), 1000); s.setInterval(() => s.ping(), 9000); }); s.setTimeout(() => s.close(), 3500); });",
        [
            {"ws.connect": {"url": "ws://127.0.0.1/c"}},
            {"repeat": 3, "do": [{"think": "1s"}, {"ws.send": "t"}]},
            {"think": "500ms"},
            {"ws.close": {}},
        ],
    ),
    (
        "const s = new WebSocket('ws://127.0.0.1/c'); s.onopen = () => s.send(JSON.stringify({ n: 1 })); s.onmessage = (e) => { const m = JSON.parse(e.data); if (m.done) { s.close(); } else { s.send('more'); } };",
        [
            {"ws.connect": {"url": "ws://127.0.0.1/c"}},
            {"ws.send": {"json": {"n": 1}}},
            {"set": {"is_open": True}},
            {
                "group": "messages",
                "on_error": "stop_iteration",
                "do": [
                    {
                        "while": "is_open",
                        "do": [
                            {"ws.receive": {"extract": {"done": {"jsonpath": "$.done", "default": None}}}},
                            {"if": "done", "then": [{"ws.close": {}}, {"set": {"is_open": False}}], "else": [{"ws.send": "more"}]},
                        ],
                    }
                ],
            },
        ],
    ),
    (
        "const c = new grpc.Client(); c.connect('127.0.0.1:9', { plaintext: true, reflect: true }); const r = c.invoke('a.B/C', { n: 1 }, { metadata: { 'x-a': '1' }, timeout: '2s' }); check(r, { ok: (x) => x && x.status === grpc.StatusOK, n: (x) => x.message.n === 2 }); c.close();",
        [
            {
                "grpc.call": {
                    "method": "a.B/C",
                    "message": {"n": 1},
                    "metadata": {"x-a": "1"},
                    "timeout": "2s",
                    "expect": {"status": "OK", "json": {"$.n": 2}, "soft": True},
                }
            }
        ],
    ),
]  # fmt: skip


@pytest.mark.parametrize(("code", "steps"), TALKS, ids=range(len(TALKS)))
def test_callbacks_become_a_conversation(code: str, steps: list[object]) -> None:
    assert steps_of(code) == steps


def test_messages_that_nobody_awaits_are_named() -> None:
    made = imported(
        "ws.connect('ws://127.0.0.1/c', (s) => { s.on('message', (m) => console.log(m)); s.setTimeout(() => s.close(), 2000); });"
    )
    left = [one.words for one in made.ledger.findings() if one.fate is Fate.LEFT_OUT]
    assert left == ["console.log(m)"]
    assert parse(made.text, "plan.yaml").data["ws"] == {"max_queue": 100000}


METRICS = [
    ("lag.add(r.timings.duration, { page: 'a' });", {"tags": {"page": "a", "lag": "timed"}}),
    ("errors.add(r.status !== 200);", {"tags": {"errors": "${'true' if status != 200 else 'false'}"}}),
    ("errors.add(false);", {"tags": {"errors": "false"}}),
    ("hits.add(1);", {"tags": {"hits": "counted"}}),
    ("if (r.status >= 500) { hits.add(1); }", {"tags": {"hits": "${'counted' if (status >= 500) else 'none'}"}}),
    ("if (r.status >= 500) { errors.add(1); } else { errors.add(0); }", {"tags": {"errors": "${'true' if (status >= 500) else ('false' if (not (status >= 500)) else 'none')}"}}),
    ("if (r.status === 409) { errors.add(0); } else if (r.status === 200) { errors.add(0); } else { errors.add(1); }", {"tags": {"errors": "${'false' if (status == 409) else ('false' if (status != 409) and (status == 200) else ('true' if (status != 409) and (status != 200) else 'none'))}"}}),
    ("hits.add(3);", {"record": {"hits": "3"}}),
]  # fmt: skip


@pytest.mark.parametrize(("code", "keys"), METRICS)
def test_values_of_metrics_stand_at_their_requests(code: str, keys: dict[str, object]) -> None:
    assert steps_of(f"const r = http.get(BASE + '/a'); {code}") == [{"get": "/a", **keys}]


def test_a_value_before_a_request_goes_with_it() -> None:
    assert steps_of("hits.add(1); http.get(BASE + '/a');") == [
        {"get": "/a", "tags": {"hits": "counted"}}
    ]


def test_the_time_of_several_requests_is_that_of_a_group() -> None:
    steps = steps_of(
        "const t = Date.now(); http.get(BASE + '/a'); http.get(BASE + '/b'); lag.add(Date.now() - t);"
    )
    assert steps == [{"group": "lag", "do": [{"get": "/a"}, {"get": "/b"}]}]


CODE = [
    ("for (let i = 5; i > 0; i -= 2) { http.get(BASE + '/' + i); }", [{"foreach": "i in range(5, 0, -2)", "do": [{"get": "/${i}"}]}]),
    ("let n = 0; do { http.get(BASE + '/a'); n++; } while (n < 3);", [{"set": {"n": 0}}, {"set": {"goes_on": True}}, {"while": "goes_on", "do": [{"get": "/a"}, {"set": {"n": "${n + 1}"}}, {"set": {"goes_on": "${n < 3}"}}]}]),
    ("while (true) { const r = http.get(BASE + '/a'); if (r.status === 200) break; http.get(BASE + '/b'); }", [{"set": {"goes_on": True}}, {"while": "goes_on", "do": [{"get": "/a"}, {"if": "status == 200", "then": [{"set": {"goes_on": False}}], "else": [{"get": "/b"}]}]}]),
    ("const n = Math.floor(Math.random() * 2); switch (n) { case 0: http.get(BASE + '/a'); break; default: http.get(BASE + '/b'); }", [{"set": {"n": "${rand.int(0, 1)}"}}, {"switch": "n", "cases": {"0": [{"get": "/a"}], "else": [{"get": "/b"}]}}]),
    ("const a = () => http.get(BASE + '/a'); const b = () => http.get(BASE + '/b'); [a, b, a][Math.floor(Math.random() * 3)]();", [{"choose": [{"weight": 2, "do": [{"get": "/a"}]}, {"weight": 1, "do": [{"get": "/b"}]}]}]),
    ("const f = new FormData(); f.append('n', 'v'); http.post(BASE + '/f', f.body(), { headers: { 'Content-Type': 'multipart/form-data; boundary=' + f.boundary } });", [{"post": "/f", "multipart": {"n": "v"}}]),
    ("const p = new URLSearchParams([['q', 'a b']]); p.append('n', __VU); http.get(`${BASE}/s?${p.toString()}`);", [{"get": "/s?q=a%20b&n=${(user.id + 1) | urlencode}"}]),
    ("const u = new URL(BASE + '/u'); u.searchParams.append('x', 1); http.get(u.toString());", [{"get": "/u?x=1"}]),
    ("const s = new Httpx({ baseURL: BASE, headers: { A: '1' } }); s.addHeader('B', '2'); s.post('/p', { n: 1 });", [{"post": "/p", "headers": {"A": "1", "B": "2"}, "form": {"n": 1}}]),
    ("const r = http.get(BASE + '/a'); http.get(BASE + '/' + r.html().find('input[name=csrf]').first().attr('value'));", [{"get": "/a", "extract": {"csrf": {"css": "input[name=csrf]::attr(value)", "default": None}}}, {"get": "/${csrf}"}]),
    ("const r = http.get(BASE + '/a'); http.get(BASE + '/' + jsonpath.query(r.json(), '$.items[*].id')[0]);", [{"get": "/a", "extract": {"id": {"jsonpath": "$.items[*].id", "index": "first", "default": None}}}, {"get": "/${id}"}]),
    ("http.post(BASE + '/a', { n: faker.person.firstName() });", [{"post": "/a", "form": {"n": "${fake.first_name()}"}}]),
    ("http.get(BASE + '/' + crypto.createHash('sha1').update('x').digest('hex'));", [{"get": "/${'x' | hash('sha1')}"}]),
]  # fmt: skip


CODE += [
    ("let r; if (__VU > 1) { r = http.get(BASE + '/a'); } else { r = http.get(BASE + '/b'); } check(r, { ok: (x) => x.status === 200 });", [{"if": "(user.id + 1) > 1", "then": [{"get": "/a", "expect": {"status": 200, "soft": True}}], "else": [{"get": "/b", "expect": {"status": 200, "soft": True}}]}]),
]  # fmt: skip


@pytest.mark.parametrize(("code", "steps"), CODE, ids=range(len(CODE)))
def test_code_and_libraries_become_steps(code: str, steps: list[object]) -> None:
    assert steps_of(code) == steps


def test_tags_of_scenarios_are_those_of_their_requests() -> None:
    text = (
        "import http from 'k6/http';\nconst common = { executor: 'constant-vus', vus: 1, duration: '1m', exec: 'run' };\n"
        "export const options = { scenarios: { a: { ...common, tags: { kind: 'x', of: '1' } }, b: { ...common, tags: { kind: 'y', of: '1' } } },"
        " thresholds: { 'http_req_duration{kind:x}': ['avg<9'], 'http_req_duration{of:1}': ['avg<9'] } };\n"
        "export function run() { http.get('http://127.0.0.1/'); }"
    )
    made = import_files([SourceFile(None, "load.js", text.encode())], options=ImportOptions())
    plan = parse(made.text, "plan.yaml").data

    assert check(made) == ()
    tags = {"kind": '${"x" if phase.name == "a" else "y"}', "of": "1"}
    assert plan["users"]["Run"]["http"] == {"tags": tags}
    assert plan["thresholds"] == [
        "avg service_time in phase a < 9ms",
        "avg service_time of tag:of=1 < 9ms",
    ]


def test_the_plan_is_valid() -> None:
    code = "\n".join(f"{{ {one} }}" for one, _ in (*TALKS, *CODE))
    kept = "const r = http.get(BASE + '/a'); errors.add(r.status !== 200); hits.add(1);"
    assert check(imported(f"{code}\n{kept}")) == ()

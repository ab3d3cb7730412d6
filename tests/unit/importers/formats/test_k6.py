"""k6 scripts, one construct each, and the piece of a plan that it becomes."""
# ruff: noqa: E501 - a statement and its step are one line

from __future__ import annotations

from pathlib import Path
from textwrap import indent

import pytest

from planrunner.errors import UsageError
from planrunner.importers.contract import ImportOptions
from planrunner.importers.importing import Imported, check, import_files
from planrunner.importers.sources import ImportFault, SourceFile
from planrunner.loss.ledger import Construct, Fate
from planrunner.plan.yaml.document import parse

HEAD = """\
import http from 'k6/http';
import { check, sleep, group, fail } from 'k6';
import { Trend, Rate, Counter } from 'k6/metrics';
import { SharedArray } from 'k6/data';
import exec from 'k6/execution';
import encoding from 'k6/encoding';
import crypto from 'k6/crypto';
import { randomIntBetween, randomItem, uuidv4 } from 'https://jslib.k6.io/k6-utils/1.4.0/index.js';
const BASE = 'http://127.0.0.1';
const JSON_TYPE = { headers: { 'Content-Type': 'application/json' } };
const lag = new Trend('lag');
const errors = new Rate('errors');
const USERS = ['ann', 'bob'];
function fetchPage(path, tags = {}) {
  const res = http.get(`${BASE}${path}`, { tags });
  return res;
}
class Api {
  constructor(base) { this.base = base; }
  get(path) { return http.get(this.base + path); }
}
"""


def imported(text: str, name: str = "load.js") -> Imported:
    return import_files([SourceFile(None, name, text.encode())], options=ImportOptions())


def plan_of(text: str) -> dict[str, object]:
    found: dict[str, object] = parse(imported(text).text, "plan.yaml").data
    return found


def steps_of(code: str) -> object:
    body = indent(code, "  ")
    plan = plan_of(f"{HEAD}export default function () {{\n{body}\n}}\n")
    users = plan["users"]
    assert isinstance(users, dict)
    return users["Visitor"]["steps"]


CODE = [
    ("http.get(BASE + '/a');", [{"get": "/a"}]),
    ("http.get(`${BASE}/a`, { headers: { 'X-A': '1' } });", [{"get": "/a", "headers": {"X-A": "1"}}]),
    ("http.post(`${BASE}/a`, JSON.stringify({ n: 1 }), JSON_TYPE);", [{"post": "/a", "json": {"n": 1}}]),
    ("http.post(`${BASE}/a`, { n: 1 });", [{"post": "/a", "form": {"n": 1}}]),
    ("http.del(`${BASE}/a`);", [{"delete": "/a"}]),
    ("http.request('PUT', `${BASE}/a`, 'x');", [{"put": "/a", "body": "x"}]),
    ("http.get(`${BASE}/a`, { tags: { name: 'A', kind: 'page' } });", [{"get": "/a", "name": "A", "tags": {"kind": "page"}}]),
    ("http.get(`${BASE}/a`, { timeout: '5s', redirects: 0 });", [{"get": "/a", "timeout": "5s", "follow_redirects": False}]),
    ("http.batch([['GET', `${BASE}/a`], ['GET', `${BASE}/b`]]);", [{"parallel": [{"get": "/a"}, {"get": "/b"}]}]),
    ("sleep(1);", [{"think": "1s"}]),
    ("sleep(Math.random() * 2 + 1);", [{"think": "1s..3s"}]),
    ("sleep(randomIntBetween(1, 3));", [{"think": "1s..3s"}]),
    ("group('home', () => { http.get(`${BASE}/a`); });", [{"group": "home", "do": [{"get": "/a"}]}]),
    ("fetchPage('/p', { kind: 'x' });", [{"get": "/p", "tags": {"kind": "x"}}]),
    ("new Api(BASE).get('/c');", [{"get": "/c"}]),
    ("for (const u of USERS) http.get(`${BASE}/${u}`);", [{"get": "/ann"}, {"get": "/bob"}]),
    ("for (let i = 0; i < 3; i++) { http.get(`${BASE}/a`); }", [{"repeat": 3, "do": [{"get": "/a"}]}]),
    ("const id = randomItem([1, 2]); http.get(`${BASE}/${id}`);", [{"set": {"id": "${rand.choice([1, 2])}"}}, {"get": "/${id}"}]),
    ("const n = Math.floor(Math.random() * 10) + 1; http.get(`${BASE}/${n}`);", [{"set": {"n": "${rand.int(1, 10)}"}}, {"get": "/${n}"}]),
    ("http.get(`${BASE}/${__VU}/${__ITER}`);", [{"get": "/${user.id + 1}/${user.iteration}"}]),
    ("console.log('hello');", [{"log": "hello"}]),
    ("fail('no');", [{"stop": "iteration"}]),
    ("http.get(`${BASE}/${encoding.b64encode('x')}`);", [{"get": "/${'x' | b64}"}]),
    ("http.get(`${BASE}/${crypto.sha256('x', 'hex')}`);", [{"get": "/${'x' | hash('sha256')}"}]),
    ("const r = http.get(`${BASE}/a`); http.get(`${BASE}/${r.json('token')}`);", [{"get": "/a", "extract": {"token": {"jsonpath": "$.token", "default": None}}}, {"get": "/${token}"}]),
    ("const r = http.get(`${BASE}/a`); if (r.status === 200) { http.get(`${BASE}/b`); }", [{"get": "/a"}, {"if": "status == 200", "then": [{"get": "/b"}]}]),
    ("const r = http.get(`${BASE}/a`); if (r.status !== 200) { return; } http.get(`${BASE}/b`);", [{"get": "/a"}, {"if": "status == 200", "then": [{"get": "/b"}]}]),
    ("const t = Date.now(); http.get(`${BASE}/a`); lag.add(Date.now() - t);", [{"get": "/a", "tags": {"lag": "timed"}}]),
    ("http.get(`${BASE}/a`, { responseCallback: http.expectedStatuses(200, 404) });", [{"get": "/a", "expect": {"status": [200, 404]}}]),
]  # fmt: skip


@pytest.mark.parametrize(("code", "steps"), CODE)
def test_code_becomes_steps(code: str, steps: object) -> None:
    assert steps_of(code) == steps


CHECKS = [
    ("r.status === 200", {"status": 200}),
    ("r.status === 200 || r.status === 201", {"status": [200, 201]}),
    ("[200, 201].includes(r.status)", {"status": [200, 201]}),
    ("r.timings.duration < 500", {"time": "< 500ms"}),
    ("r.body.includes('ok')", {"contains": "ok"}),
    ("!r.body.includes('no')", {"not_contains": "no"}),
    ("r.json('items.0.id') === 1", {"json": {"$.items[0].id": 1}}),
    ("r.body.indexOf('ok') !== -1", {"contains": "ok"}),
    ("r.body.indexOf('ok') < 0", {"not_contains": "ok"}),
    ("r.body.length >= 20", {"matches": "\\A[\\s\\S]{20,}\\Z"}),
    ("r.json().items.length > 0", {"json": {"$.items": {"length": {"min": 1}}}}),
    ("r.json('id') !== undefined", {"json": {"$.id": {"exists": True}}}),
    ("Array.isArray(JSON.parse(r.body))", {"json": {"$": {"type": "array"}}}),
    ("r.headers['X-Trace'] === 'a'", {"header": {"X-Trace": "a"}}),
    ("/id.\\d/.test(r.body)", {"matches": "id.\\d"}),
    ("r && r.status == 200 && r.body.length > 0", {"status": 200, "matches": "[\\s\\S]"}),
    ("{ try { const b = JSON.parse(r.body); return b.id !== null; } catch (e) { return false; } }", {"json": {"$.id": {"exists": True}}}),
]  # fmt: skip


@pytest.mark.parametrize(("test", "expect"), CHECKS)
def test_a_check_is_a_soft_expectation(test: str, expect: dict[str, object]) -> None:
    steps = steps_of(
        f"const res = http.get(`${{BASE}}/a`); check(res, {{ 'is so': (r) => {test} }});"
    )
    assert steps == [{"get": "/a", "expect": {**expect, "soft": True}}]


LOADS = [
    ("vus: 2, duration: '1m'", {"users": 2, "hold": "1m"}),
    ("vus: 2, iterations: 10", {"users": 2, "iterations": 10}),
    ("stages: [{ duration: '1m', target: 5 }]", {"from": 1, "stages": [{"duration": "1m", "users": 5}]}),
    ("scenarios: { a: { executor: 'per-vu-iterations', vus: 3, iterations: 4 } }", {"name": "a", "users": 3, "iterations_per_user": 4}),
    ("scenarios: { a: { executor: 'constant-arrival-rate', rate: 90, timeUnit: '1m', duration: '2m', preAllocatedVUs: 5, maxVUs: 9 } }", {"name": "a", "rate": "90/m", "hold": "2m", "max_users": 9}),
    ("scenarios: { a: { executor: 'ramping-arrival-rate', startRate: 5, stages: [{ duration: '10s', target: 20 }], startTime: '5s', preAllocatedVUs: 5 } }", {"name": "a", "start_at": "5s", "from": "5/s", "stages": [{"duration": "10s", "rate": "20/s"}], "max_users": 5}),
]  # fmt: skip


@pytest.mark.parametrize(("options", "phase"), LOADS)
def test_options_become_a_phase(options: str, phase: object) -> None:
    plan = plan_of(
        f"{HEAD}export const options = {{ {options} }};\n"
        "export default function () { http.get(BASE + '/'); }\n"
    )
    assert plan["phases"] == [phase]


WHOLE = """\
export const options = {
  scenarios: {
    look: { executor: 'constant-vus', vus: 3, duration: '1m', exec: 'look' },
    buy: { executor: 'constant-arrival-rate', rate: 2, duration: '1m', preAllocatedVUs: 4, exec: 'buy', startTime: '10s' },
  },
  thresholds: {
    http_req_duration: ['p(95)<500', { threshold: 'avg<200', abortOnFail: true, delayAbortEval: '10s' }],
    'http_req_duration{kind:page}': ['max<900'],
    'http_req_duration{kind:none}': ['max<900'],
    'checks{scenario:look}': ['rate>0.95'],
    http_req_failed: ['p(95)<1'],
    lag: ['p(90)<300'],
    errors: ['rate<0.1'],
  },
};
let token;
export function setup() {
  const res = http.post(`${__ENV.SHOP || BASE}/login`, { user: 'ann' });
  token = res.json('token');
  return { token: res.json('token') };
}
export function look(data) {
  const res = http.get(`${BASE}/a`, { headers: { Authorization: `Bearer ${data.token}` }, tags: { kind: 'page' } });
  const ok = check(res, { fine: (r) => r.status === 200 });
  errors.add(!ok);
  lag.add(res.timings.duration);
}
export function buy() {
  http.get(`${BASE}/b`, { headers: { Authorization: `Bearer ${token}` } });
}
export function never() { http.get(`${BASE}/never`); }
export function teardown(data) { http.del(`${BASE}/login`); }
export function handleSummary(data) { return { stdout: JSON.stringify(data) }; }
"""


def test_a_whole_script_gives_classes_phases_and_thresholds() -> None:
    made = imported(HEAD + WHOLE)
    plan = parse(made.text, "plan.yaml").data

    assert check(made) == ()
    assert "handleSummary (needs you)" in made.text.partition("name: ")[0]
    assert list(plan["users"]) == ["Look", "Buy"]
    assert plan["phases"] == [
        {"name": "look", "start_at": "0s", "users": {"Look": 3}, "hold": "1m"},
        {"name": "buy", "start_at": "10s", "rate": {"Buy": "2/s"}, "hold": "1m", "max_users": 4},
    ]
    assert plan["thresholds"] == [
        "p95 service_time < 500ms",
        "avg service_time < 200ms, abort after 10s",
        "max service_time of tag:kind=page < 900ms",
        "checks in phase look > 95%",
        "p90 service_time of tag:lag=timed < 300ms",
        {
            "metric": "share of tag:errors=true among (tag:errors=true or tag:errors=false)",
            "op": "<",
            "value": "10%",
            "on_no_data": "pass",
        },
    ]


def test_mistakes_of_the_original_are_findings() -> None:
    made = imported(HEAD + WHOLE)
    found = [
        one
        for one in made.ledger.findings()
        if one.fate is Fate.SUSPICIOUS and one.place.line > HEAD.count("\n")
    ]

    assert [(one.kind, one.words) for one in sorted(found, key=lambda one: one.place)] == [
        ("threshold", "http_req_duration{kind:none}: max<900"),
        ("threshold", "http_req_failed: p(95)<1"),
        ("global", "token"),
        ("call", "http.get(`${BASE}/never`)"),
    ]


def calls_of(code: str) -> list[Construct]:
    made = imported(f"{HEAD}export default function () {{\n{code}\n}}\n")
    return [one for one in made.ledger.constructs if one.place.line > HEAD.count("\n")]


def test_a_function_that_calls_itself_is_left_out_by_name() -> None:
    made = imported(
        HEAD + "function a() { b(); }\nfunction b() { a(); }\nexport default function () { a(); }"
    )
    left = [one.words for one in made.ledger.findings() if one.fate is Fate.LEFT_OUT]
    assert left == ["a()"]


def test_what_only_the_environment_chooses_is_named() -> None:
    made = imported(
        HEAD + "const ALL = { a: { paths: ['/a'] }, b: { paths: ['/b'] } };\n"
        "const one = ALL[__ENV.KIND || 'a'];\n"
        "export default function () { http.get(BASE + one.paths[0]); }"
    )
    changed = [one.words for one in made.ledger.findings() if one.fate is Fate.CHANGED]
    assert changed == ["ALL[__ENV.KIND || 'a']"]


def test_what_is_not_known_is_left_out_by_name() -> None:
    found = calls_of("http.get(`${BASE}/a`);\nencoding.strange(1);\nunknownThing(1);")
    assert [(one.words, one.fate) for one in found] == [
        ("http.get(`${BASE}/a`)", Fate.TRANSLATED),
        ("encoding.strange(1)", Fate.LEFT_OUT),
        ("unknownThing(1)", Fate.SUSPICIOUS),
    ]


def test_local_modules_are_read_and_files_are_copied(tmp_path: Path) -> None:
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "pages.ts").write_text(
        "import http from 'k6/http';\nexport const home = (base: string) => http.get(`${base}/home`);\n"
    )
    (tmp_path / "people.json").write_text('[{"name": "ann"}]')
    script = tmp_path / "load.js"
    script.write_text(
        HEAD + "import { home } from './lib/pages';\n"
        "const people = new SharedArray('people', () => JSON.parse(open('./people.json')));\n"
        "export default function () { home(BASE); http.get(`${BASE}/${randomItem(people).name}`); }\n"
    )
    made = import_files([SourceFile(script, "load.js")], options=ImportOptions())

    assert check(made) == ()
    assert parse(made.text, "plan.yaml").data["data"] == {
        "people": {"json": "people.json", "order": "random", "per": "iteration"}
    }
    assert "get: /home" in made.text


BAD = [
    "export default function () { http.get('http://a/' ",
    "export default " + "(" * 3000,
    "import x from 'k6';\nexport default () => {" + "if (a) {" * 400 + "}" * 400 + "}",
    "import http from 'k6/http';\nexport default function () { "
    + "http.get('http://a/');" * 3000
    + "}",
    "export default function () { const a = [" + "[" * 2000 + "]" * 2000 + "]; }",
    "import http from 'k6/http';\nconst a = "
    + "[" * 3000
    + "]" * 3000
    + ";\nexport default () => http.get('http://a/');",
    "\0\0export default",
    "let a = [1, 2];"
    + "a = [...a, ...a]; a = a.concat(a);" * 40
    + "export default () => a.length;",
    f"const a = '{'a' * 40}!'.replace(/(a+)+$/, 'b').padStart(1e9).repeat(1e9);\nexport default () => a;",
    "const o = {}; o.self = o; export const options = { o };\nexport default () => JSON.stringify(o);",
    "import http from 'k6/http';\nexport default function () {"
    + "if (http.get('http://a/').status !== 200) { return; }" * 40
    + "}",
    "".join(f"function f{n}() {{ f{n + 1}(); f{n + 1}(); }}\n" for n in range(30))
    + "export default () => f0();",
    "import x from 'https://127.0.0.1:1/x.js';\nconst f = open('/etc/passwd');\nexport default () => x(f);",
]


@pytest.mark.parametrize("text", BAD, ids=range(len(BAD)))
def test_bad_scripts_are_findings_or_refused(text: str) -> None:
    try:
        made = import_files(
            [SourceFile(None, "bad.js", text.encode())], format_name="k6", options=ImportOptions()
        )
    except UsageError as error:
        assert "bad.js" in str(error)  # noqa: PT017 - either is fine
    else:
        assert made.text


COMMON_JS = """\
"use strict";
Object.defineProperty(exports, "__esModule", { value: true });
exports.default = main;
exports.options = void 0;
const http_1 = require("k6/http");
const k6_1 = require("k6");
exports.options = { vus: 2, iterations: 4 };
function main() {
  const r = http_1.default.get("http://127.0.0.1/a");
  (0, k6_1.check)(r, { ok: (r) => r.status === 200 });
}
"""


def test_a_module_of_common_js_is_read_as_compilers_write_it() -> None:
    """The same plan as that of the module that it was compiled of."""
    module = (
        COMMON_JS.split("\n", 2)[2]
        .replace("exports.default = main;", "export { main as default };")
        .replace("exports.options = void 0;", "")
        .replace('const http_1 = require("k6/http");', 'import * as http_1 from "k6/http";')
        .replace('const k6_1 = require("k6");', 'import * as k6_1 from "k6";')
        .replace("exports.options =", "export const options =")
    )
    made = [
        import_files([SourceFile(None, "a.js", text.encode())], options=ImportOptions())
        for text in (COMMON_JS, module)
    ]
    assert made[0].text == made[1].text
    assert not list(made[0].ledger.findings())


def test_all_exports_of_a_module_of_common_js_may_be_one_object() -> None:
    text = """\
const http = require("k6/http");
const options = { vus: 2, iterations: 4 };
module.exports = { options, default() { http.get("http://127.0.0.1/a"); } };
"""
    made = import_files([SourceFile(None, "a.js", text.encode())], options=ImportOptions())
    assert parse(made.text, "plan.yaml").data["users"]["Visitor"]["steps"] == [{"get": "/a"}]
    assert "iterations: 4" in made.text


def test_a_bundle_without_an_es_module_is_refused_where_it_hides_its_exports() -> None:
    text = "(() => {\n  var a = { default: () => 1 };\n  module.exports = wrap(a);\n})();\n"
    with pytest.raises(ImportFault, match=r"b\.js:3:1: no function that k6 runs") as fault:
        import_files(
            [SourceFile(None, "b.js", text.encode())], format_name="k6", options=ImportOptions()
        )
    assert "bundle them as an ES module" in fault.value.hint

"""Functions of an Artillery test: what they become where a test calls them."""

from __future__ import annotations

import re

import pytest

from planrunner.importers.contract import ImportOptions
from planrunner.importers.importing import Imported, check, import_files
from planrunner.importers.sources import SourceFile
from planrunner.loss.ledger import Fate

T, S, Y, C, L = Fate.TRANSLATED, Fate.SUSPICIOUS, Fate.NEEDS_YOU, Fate.CHANGED, Fate.LEFT_OUT


def run(flow: str, script: str = "", *, scenario: str = "") -> Imported:
    test = (
        "config: {target: http://a, processor: ./f.js, phases: [{duration: 1, arrivalRate: 1}]}\n"
        f"scenarios: [{{{scenario}flow: [{flow}]}}]\n"
    )
    files = [SourceFile(None, "load.yml", test.encode())]
    if script:
        files.append(SourceFile(None, "f.js", script.encode()))
    return import_files(files, format_name="artillery", options=ImportOptions())


def fates(imported: Imported) -> dict[str, Fate | None]:
    return {one.words.rpartition(".")[2]: one.fate for one in imported.ledger.constructs}


def one_line(text: str) -> str:
    return re.sub(r"\s+", " ", text).replace('"', "").replace("'", "")


STEP = "exports.f = function (context, events, done) { %s; return done(); }"
BEFORE = "function f(req, context, ee, next) { %s; next(); }\nmodule.exports = { f };"
AFTER = "module.exports.f = (req, response, context, ee, next) => { %s; return next(); };"
IN_FLOW = "{function: f}, {get: {url: '/{{ x }}'}}"
IN_REQUEST = "{post: {url: /a, headers: {B: c}, json: {n: 1, y: '{{ x }}'}, beforeRequest: f}}"
IN_REPLY = "{get: {url: /a, afterResponse: f}}, {get: {url: '/{{ x }}'}}"

FUNCTIONS = [
    (IN_FLOW, STEP, "context.vars.x = 7", ["set: {x: 7}", "get: /${x}"]),
    (IN_FLOW, STEP, "context.vars['x'] = `a-${Date.now()}`", ["x: a-${(now() * 1000) | int}"]),
    (IN_FLOW, STEP, "const l = ['p', 'q']; "
     "context.vars.x = l[Math.floor(Math.random() * l.length)]",
     ["x: ${rand.choice([p, q])}"]),
    (IN_FLOW, STEP, "const { faker } = require('@faker-js/faker'); "
     "context.vars.x = faker.internet.email()", ["x: ${fake.email()}"]),
    (IN_FLOW, STEP, "const { v4 } = require('uuid'); context.vars.x = v4()", ["x: ${rand.uuid()}"]),
    (IN_FLOW, STEP, "context.vars.x = require('crypto').createHash('sha256').update('a')"
     ".digest('hex')", ["${a | hash(sha256)}"]),
    (IN_FLOW, STEP, "context.vars.x = Buffer.from('a:' + context.vars.y).toString('base64')",
     ["| b64}"]),
    (IN_FLOW, STEP, "context.vars.x = Buffer.from('YQ==', 'base64').toString()", ["set: {x: a}"]),
    (IN_FLOW, STEP, "context.vars.x = Math.ceil(Math.random() * 6)", ["x: ${rand.int(1, 6)}"]),
    (IN_FLOW, STEP, "context.vars.x = Math.round(Math.random() * 6)",
     ["x: ${(rand.float(0, 1) * 6) | round | int}"]),
    (IN_FLOW, STEP, "context.vars.x = process.env.HOST || 'b'", ["default: b", "x: ${host}"]),
    (IN_FLOW, STEP, "context.vars.x = new Date().toISOString().split('T')[0]",
     ["x: ${date(%Y-%m-%d)}"]),
    (IN_FLOW, STEP, "context.vars.x = Array.from({length: 2}, (_, n) => n + 1)", ["x: [1, 2]"]),
    (IN_FLOW, STEP, "context.vars.x = new Array(3).fill('a').join('')", ["x: aaa"]),
    (IN_FLOW, STEP, "context.vars.x = [1, 2].sort(() => 0.5 - Math.random())",
     ["x: ${rand.shuffle([1, 2])}"]),
    (IN_FLOW, STEP, "context.vars.x = (Math.random() * 9).toFixed(1)", ["${%.1f % (rand.float"]),
    (IN_FLOW, STEP, "const n = Math.random() * 9; context.vars.x = n + 1", ["x: ${n + 1}"]),
    (IN_FLOW, STEP, "context.vars.x = require('crypto').randomBytes(8).toString('hex')",
     ["| replace(-, ))[:16]"]),
    (IN_FLOW, STEP, "context.vars.x = require('crypto').randomBytes(9).toString('base64')",
     ["x: ${rand.text(9) | b64}"]),
    (IN_FLOW, STEP, "context.vars.x = context.vars.$uuid",
     ["set: {visit_uuid: ${rand.uuid()}}", "set: {x: ${visit_uuid}}"]),
    *((IN_FLOW, STEP, f"context.vars.x = {one}", [f"x: {said}"]) for one, said in (
        ("new Date(Date.now() + 3600000).toISOString()", "${date(ISO, 3600)}"),
        ("new Date(Date.now() - 1.5 * 1000).toJSON()", "${date(ISO, -1.5)}"),
        ("new Date(0).toISOString()", "1970-01-01T00:00:00.000Z"),
        ("new Date(2024, 13, 1, 6).toISOString()", "2025-02-01T06:00:00.000Z"),
        ("new Date('2024-05-01').getTime()", "1714521600000"),
        ("Date.parse('2024-05-01T00:00:00Z')", "1714521600000"),
        ("new Date(Date.parse('2024-05-01')).getMonth()", "4"),
        ("new Date().getMonth() + 1", "${((date(%m) | int) - 1) + 1}"),
        ("new Date(new Date()).toLocaleDateString('en-CA')", "${date(%Y-%m-%d)}"),
        ("`at ${new Date(0)}`",
         "at Thu Jan 01 1970 00:00:00 GMT+0000 (Coordinated Universal Time)"),
        ("+new Date()", "${(now() * 1000) | int}"),
        ("{ at: new Date() }", "{at: ${date()}}"),
    )),
    *((IN_FLOW, STEP,
       f"const d = new Date(); {one}; context.vars.x = d.toISOString().split('T')[0]",
       [said]) for one, said in (
        ("d.setDate(d.getDate() + 7)", "x: ${date(%Y-%m-%d, 604800)}"),
        ("d.setHours(d.getHours() - 2)", "x: ${date(%Y-%m-%d, -7200)}"),
        ("d.setDate(d.getDate() + Math.floor(Math.random() * 7) + 1)",
         "x: ${(moment / 1000) | date(%Y-%m-%d)}"),
        ("d.setHours(0, 0, 0, 0)", "% 86400000"),
        ("d.setTime(86400000)", "x: 1970-01-02"),
    )),
    *((IN_FLOW, STEP,
       f"const {{ faker }} = require('@faker-js/faker'); context.vars.x = faker.{one}",
       [f"x: {said}"]) for one, said in (
        ("number.int({ min: 2, max: 9 })", "${rand.int(2, 9)}"),
        ("number.int(9)", "${rand.int(0, 9)}"),
        ("number.float({ min: 1, max: 2, fractionDigits: 1 })", "${rand.float(1, 2) | round(1)}"),
        ("string.numeric(4)", "${%04d % rand.int(0, 9999)}"),
        ("string.alphanumeric({ length: 5 })", "${rand.text(5)}"),
        ("string.alpha({ length: 5, casing: 'upper' })", "${rand.lower(5) | upper}"),
        ("commerce.price()", "${%.2f % rand.float(1, 1000)}"),
        ("date.soon()", "${date(ISO, rand.int(1, 86400))}"),
        ("date.past({ years: 2 }).toISOString()", "${date(ISO, -rand.int(1, 63072000))}"),
        ("helpers.arrayElements(['a', 'b'], 1)", "${rand.sample([a, b], 1)}"),
        ("company.name()", "${fake.company()}"),
        ("phone.number()", "${fake.phone_number()}"),
        ("lorem.words(3)", "${fake.words() | join( )}"),
    )),
    (IN_FLOW, STEP, "if (Math.random() < 0.5) { context.vars.x = 1 }",
     ["set: {x: }", "if:", "then: - set: {x: 1}"]),
    (IN_FLOW, STEP, "if (true) { return done(new Error('no')) }", ["stop: iteration"]),
    (IN_REQUEST, BEFORE, "context.vars.x = 2", ["set: {x: 2}", "y: ${x}"]),
    (IN_REQUEST, BEFORE, "req.headers.A = `Bearer ${context.vars.x}`; context.vars.x = 3",
     ["headers: {B: c, A: Bearer"]),
    (IN_REQUEST, BEFORE, "req.json.more = [1]", ["more: [1]", "n: 1"]),
    (IN_REQUEST, BEFORE, "req.json = { z: 1 }", ["json: {z: 1}"]),
    (IN_REQUEST, BEFORE, "req.url = req.url + '?q=1'", ["post: /a?q=1"]),
    (IN_REPLY, AFTER, "const b = JSON.parse(response.body); context.vars.x = b.items[0].id",
     ["x: {jsonpath: $.items[0].id, default: null}"]),
    (IN_REPLY, AFTER, "context.vars.x = response.headers['x-a']", ["${headers[x-a]}"]),
    (IN_REPLY, AFTER, "if (response.statusCode !== 200) { console.log('bad', response.body) }; "
     "context.vars.x = 1", ["if: status != 200", "log: bad ${body}"]),
    (IN_REPLY, AFTER, "ee.emit('histogram', 'late', response.timings.phases.firstByte); "
     "context.vars.x = 1", ["tags: {late: timed}"]),
    (IN_REPLY, AFTER, "ee.emit('counter', 'seen', 2); context.vars.x = 1", ["record: {seen: 2}"]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("flow", "shape", "code", "texts"), FUNCTIONS, ids=[one[2] for one in FUNCTIONS]
)
def test_functions_are_read_in_place(flow: str, shape: str, code: str, texts: list[str]) -> None:
    """What sets variables, requests and ends becomes steps; all of it is translated."""
    imported = run(flow, shape % code)

    found = one_line(imported.text)
    assert [one for one in texts if one.replace("'", "") not in found] == []
    calls = [one for one in imported.ledger.constructs if one.kind == "call"]
    assert {one.fate for one in calls} == {T}
    assert {fates(imported).get(key, T) for key in ("function", "beforeRequest")} == {T}


def test_conditions_of_requests_and_loops() -> None:
    """`ifTrue` and `whileTrue` are functions of what a visit knows."""
    imported = run(
        "{function: f}, {loop: [{get: {url: /a, ifTrue: is}}], whileTrue: more}",
        "exports.f = (context, events, done) => { context.vars.n = 1; done(); };\n"
        "exports.is = (vars) => vars.n > 0;\n"
        "exports.more = (context, next) => next(context.vars.n < 3);\n",
    )

    found = one_line(imported.text)
    for text in ("when: n > 0", "set: {more: true}", "while: more", "set: {more: ${n < 3}}"):
        assert text in found
    assert {one.fate for one in imported.ledger.constructs} == {T}
    assert check(imported) == ()


def test_hooks_of_a_scenario_stand_around_its_steps_and_requests() -> None:
    """`beforeScenario` runs first, and the other hooks at each request."""
    imported = run(
        "{get: {url: '/{{ a }}'}}",
        "exports.f = (context, ee, done) => { context.vars.a = 1; done(); };\n"
        "exports.h = (req, context, ee, next) => { context.vars.b = 2; next(); };\n"
        "exports.r = (req, res, context, e, next) => "
        "{ context.vars.c = res.statusCode; next(); };\n",
        scenario="beforeScenario: f, beforeRequest: h, afterResponse: r, afterScenario: f, ",
    )

    found = one_line(imported.text)
    wanted = ["set: {a: 1}", "set: {b: 2}", "get: /${a}", "set: {c: ${status}}", "set: {a: 1}"]
    places = [found.index(one) for one in wanted[:4]]
    assert places == sorted(places)
    assert found.count("set: {a: 1}") == 2


def test_code_that_computes_becomes_a_stub() -> None:
    """A function that no step says, and one that another file has, need a person."""
    code = "const d = sign(context.vars.x, 'k'); context.vars.x = d; req.headers['X-Sig'] = d"
    imported = run(
        "{function: g}, {get: {url: '/{{ x }}', beforeRequest: f}}, {function: nope}",
        "const sign = require('./signing');\n"
        f"{BEFORE % code}\n"
        "module.exports.g = (context, ee, done) => { context.vars.x = 1; done(); }",
    )

    found = one_line(imported.text)
    assert "python: {call: f, args: {x: ${x}}, as: result_of_f}" in found
    assert "X-Sig: ${result_of_f.x_sig}" in found
    hooks = imported.files["hooks.py"]
    assert isinstance(hooks, bytes)
    assert b"# const d" not in hooks or b"raise NotImplementedError" in hooks
    assert fates(imported)["beforeRequest"] is Y
    assert check(imported) == ()


def test_functions_that_are_missing() -> None:
    """Artillery runs nothing for a name that no file exports; an absent file is asked for.

    A processor may have functions for other tests, too.
    """
    imported = run("{function: nope}", "exports.f = () => { console.log(1); };")
    assert fates(imported)["function"] is S
    assert fates(imported)["log(1)"] is T

    assert fates(run("{function: f}"))["function"] is Y


def test_globals_and_counters_without_a_request_are_named() -> None:
    """Visits share no variables here; a counter needs a request."""
    imported = run(
        "{function: f}, {function: g}",
        "let n = 0;\nexports.f = (context, ee, done) => { n += 2; context.vars.n = n; done(); };\n"
        "exports.g = (context, ee, done) => { ee.emit('counter', 'c', 1); done(); };\n",
    )

    assert "call: f" in imported.text
    assert fates(imported)["emit('counter', 'c', 1)"] is L
    assert check(imported) == ()


def test_only_the_function_that_computes_is_a_stub() -> None:
    """What calls it is in the plan; the stub has the code that it needs as its comment."""
    imported = run(
        "{function: f}, {get: {url: '/{{ x }}/{{ y }}'}}",
        "const more = (n) => n.toString().split('').map((one) => one * 2);\n"
        "function sum(n, by) { return more(n).reduce((a, b) => a + b, by); }\n"
        "exports.f = (context, ee, done) => {\n"
        "  const n = Math.floor(Math.random() * 9);\n"
        "  ee.emit('histogram', 'late', sum(n, 3));\n"
        "  context.vars.x = `id-${sum(n, 3)}`; context.vars.y = Date.now(); done(); };\n",
    )

    found = one_line(imported.text)
    assert "python: {call: sum, args: {n: ${n_2}, by: 3}, as: result_of_sum}" in found
    assert "x: id-${result_of_sum_2}" in found
    assert "record: {" not in found
    hooks = imported.files["hooks.py"]
    assert isinstance(hooks, bytes)
    assert b"def sum(n, by):" in hooks
    assert b"# (n) => n.toString()" in hooks
    assert fates(imported)["function"] is T
    assert fates(imported)["now()"] is T
    assert fates(imported)["split('')"] is Y
    assert check(imported) == ()


def test_a_variable_that_counts_is_the_number_of_the_visit() -> None:
    """It is unique, as it was; what runs before all visits has none."""
    imported = run(
        "{function: f}, {get: {url: '/{{ x }}/{{ y }}'}}",
        "let n = 4;\nexports.f = (context, ee, done) => {\n"
        "  context.vars.x = n; context.vars.y = `u${++n}`; done(); };\n",
    )

    assert "x: ${iteration + 4}" in one_line(imported.text)
    assert "y: u${iteration + 5}" in one_line(imported.text)
    assert fates(imported)["n"] is C
    assert check(imported) == ()


@pytest.mark.parametrize("flow", [IN_REQUEST.replace("{{ x }}", "{{ y }}"), "{function: f}"])
def test_a_function_with_the_arguments_of_another_place(flow: str) -> None:
    """Artillery fails at once; in the plan it does what it says."""
    parameters = "req, context, ee, next" if "function" in flow else "context, ee, next"
    imported = run(flow, f"exports.f = ({parameters}) => {{ context.vars.y = 7; next(); }};")

    assert "set: {y: 7}" in one_line(imported.text)
    assert S in (fates(imported).get("beforeRequest"), fates(imported).get("function"))
    assert fates(imported)["next()"] is T

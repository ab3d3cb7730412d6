"""Collections of Postman, one construct each, and what becomes of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from planrunner.errors import UsageError
from planrunner.importers.contract import ImportOptions
from planrunner.importers.importing import Imported, check, import_files
from planrunner.importers.sources import ImportFault, SourceFile
from planrunner.loss.ledger import Fate
from planrunner.plan.yaml.document import parse

SCHEMA = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"
URL = "http://127.0.0.1/x"
# ruff: noqa: E501 - a construct and what it becomes are one line


def collection(*items: object, **keys: object) -> bytes:
    return json.dumps({"info": {"name": "Shop", "schema": SCHEMA}, "item": items, **keys}).encode()


def item(
    name: str = "one", url: object = URL, method: str = "GET", **keys: object
) -> dict[str, object]:
    events = keys.pop("event", [])
    return {"name": name, "request": {"method": method, "url": url, **keys}, "event": events}


def event(listen: str, text: str) -> dict[str, object]:
    return {"listen": listen, "script": {"exec": text.split("\n")}}


def imported(content: bytes, *others: SourceFile) -> Imported:
    return import_files([SourceFile(None, "shop.json", content), *others], options=ImportOptions())


def steps_of(done: Imported) -> list[Any]:
    (user_class,) = parse(done.text, "plan.yaml").data["users"].values()
    return list(user_class["steps"])


REQUESTS = [
    (item(url={"raw": "127.0.0.1/x?a=1&b=2", "query": [{"key": "a", "value": "1 &"}, {"key": "b", "value": "2", "disabled": True}]}), {"get": "/x?a=1%20%26"}),
    (item(url={"protocol": "http", "host": ["127", "0", "0", "1"], "port": "80", "path": ["a", ":id", "b"], "variable": [{"key": "id", "value": "7"}]}), {"get": "/a/7/b"}),
    (item(header=[{"key": "X-A", "value": "b"}, {"key": "X-B", "value": "c", "disabled": True}, {"key": "Content-Length", "value": "1"}]), {"get": "/x", "headers": {"X-A": "b"}}),
    (item(method="POST", body={"mode": "raw", "raw": '{"a": [1, "{{$guid}}"]}', "options": {"raw": {"language": "json"}}}), {"post": "/x", "json": {"a": [1, "${rand.uuid()}"]}}),
    (item(method="POST", body={"mode": "raw", "raw": '{"a": {{$randomInt}}}', "options": {"raw": {"language": "json"}}}), {"post": "/x", "headers": {"Content-Type": "application/json"}, "body": '{"a": ${rand.int(0, 1000)}}'}),
    (item(method="POST", body={"mode": "raw", "raw": "<a/>", "options": {"raw": {"language": "xml"}}}), {"post": "/x", "headers": {"Content-Type": "application/xml"}, "body": "<a/>"}),
    (item(method="POST", body={"mode": "urlencoded", "urlencoded": [{"key": "a", "value": "1"}, {"key": "a", "value": "2"}]}), {"post": "/x", "form": {"a": ["1", "2"]}}),
    (item(method="POST", body={"mode": "formdata", "formdata": [{"key": "a", "value": "1", "type": "text"}, {"key": "f", "type": "file", "src": "/tmp/cat.png"}]}), {"post": "/x", "multipart": {"a": "1", "f": {"file": "cat.png"}}}),
    (item(method="PUT", body={"mode": "file", "file": {"src": None}}), {"put": "/x", "body_file": "upload.bin"}),
    (item(method="POST", body={"mode": "graphql", "graphql": {"query": "{ a }", "variables": '{"n": 1}'}}), {"post": "/x", "graphql": {"query": "{ a }", "variables": {"n": 1}}}),
    (item(auth={"type": "basic", "basic": [{"key": "username", "value": "ada"}, {"key": "password", "value": "x"}]}), {"get": "/x", "auth": {"basic": {"username": "ada", "password": "${password}"}}}),
    (item(auth={"type": "apikey", "apikey": {"key": "X-K", "value": "v", "in": "header"}}), {"get": "/x", "auth": {"api_key": {"header": "X-K", "value": "${value}"}}}),
    (item(auth={"type": "awsv4", "awsv4": [{"key": "accessKey", "value": "a"}, {"key": "secretKey", "value": "b"}, {"key": "region", "value": "eu-west-1"}, {"key": "service", "value": "s3"}]}), {"get": "/x", "auth": {"sigv4": {"access_key": "${access_key}", "secret_key": "${secret_key}", "region": "eu-west-1", "service": "s3"}}}),
    ({**item(), "protocolProfileBehavior": {"followRedirects": False}}, {"get": "/x", "follow_redirects": False}),
    ({"name": "a\nb", "request": URL}, {"get": "/x", "name": "a b"}),
    (item(url=f"{URL}/${{a}}"), {"get": "/x/$${a}"}),
]  # fmt: skip


@pytest.mark.parametrize(("given", "step"), REQUESTS)
def test_a_request_is_a_step(given: object, step: dict[str, object]) -> None:
    done = imported(collection(given))

    assert steps_of(done) == [{"name": "one", **step}]


SCRIPTS = [
    ("pm.test('ok', () => pm.response.to.have.status(201));", {"status": 201}),
    ("pm.test('ok', function () { pm.expect(pm.response.code).to.be.oneOf([200, 201]); });", {"status": [200, 201]}),
    ("pm.response.to.be.ok;", {"status": "2xx"}),
    ("pm.test('r', () => { pm.response.to.have.status('Created') })", {"status": 201}),
    ("pm.expect(pm.response.responseTime).to.be.below(200)", {"time": "< 200ms"}),
    ("pm.response.to.have.header('X-A', 'b')", {"header": {"X-A": "b"}}),
    ("pm.expect(pm.response.headers.get('Content-Type')).to.include('json')", {"header": {"Content-Type": {"matches": "json"}}}),
    ("pm.expect(pm.response.text()).to.include('hello')", {"contains": "hello"}),
    ("const j = pm.response.json(); pm.expect(j.a['b-c'][0]).to.eql(1)", {"json": {"$.a['b-c'][0]": 1}}),
    ("const {a} = pm.response.json(); pm.expect(a).to.be.an('array').that.is.not.empty", {"json": {"$.a": {"type": "array", "length": {"min": 1}}}}),
    ("pm.expect(pm.response.json()).to.have.property('a').that.is.a('string')", {"json": {"$.a": {"type": "string"}}}),
    ("pm.expect(pm.response.json().n).to.be.within(1, 5)", {"json": {"$.n": {"min": 1, "max": 5}}}),
    ("pm.expect(pm.response.json().n).to.be.above(0)", {"json": {"$.n": {"min": 0, "matches": "^(?!0(\\.0+)?$)"}}}),
    ("pm.expect(pm.response.json().items.length).to.be.greaterThan(0)", {"json": {"$.items": {"length": {"min": 1}}}}),
    ("pm.expect(typeof pm.response.json().a).to.equal('number')", {"json": {"$.a": {"type": "number"}}}),
    ("pm.expect(pm.response.json().a).to.match(/^ab+$/i)", {"json": {"$.a": {"matches": "(?i)^ab+$"}}}),
    ("pm.expect(pm.response.json().a).to.not.eql('b.c')", {"json": {"$.a": {"matches": "^(?!b\\.c$)"}}}),
    ("pm.test; pm.test('t', () => pm.response.to.have.status(201));", {"status": 201}),
    ("tests['ok'] = responseCode.code === 200 && responseBody.has('x');", {"status": 200, "contains": "x"}),
    ("var d = JSON.parse(responseBody); tests['t'] = d.token !== undefined;", {"json": {"$.token": {"exists": True}}}),
    ("tests['h'] = postman.getResponseHeader('X-A') == 'b';", {"header": {"X-A": "b"}}),
    ("var ok = responseCode.code === 200; tests['s'] = ok;\nif (ok) { tests['a'] = 'a' in JSON.parse(responseBody); }", {"status": 200, "json": {"$.a": {"exists": True}}}),
    ("try { var j = pm.response.json() } catch (e) { pm.test('json', () => { throw e }) }", {"json": {"$": {"exists": True}}}),
    ("pm.test('s', () => pm.response.to.have.jsonSchema({type: 'object'}))", {"schema": "schemas/reply-1.json"}),
    ("const ajv = new (require('ajv'))(); const v = ajv.compile({type: 'object'}); pm.test('s', () => pm.expect(v(pm.response.json())).to.be.true)", {"schema": "schemas/reply-1.json"}),
    ("tests['s'] = tv4.validate(JSON.parse(responseBody), {type: 'object'})", {"schema": "schemas/reply-1.json"}),
]  # fmt: skip


@pytest.mark.parametrize(("script", "expect"), SCRIPTS)
def test_a_test_is_an_expectation(script: str, expect: object) -> None:
    done = imported(collection(item(event=[event("test", script)])))

    (step,) = steps_of(done)
    assert step["expect"] == expect
    assert {one.kind for one in done.ledger.findings()} <= {"default"}


KEPT = [
    ("pm.environment.set('a', pm.response.json().x[0].id)", [{"get": "/x", "name": "one", "extract": {"a": "$.x[0].id"}}]),
    ("pm.globals.set('token', pm.response.json().token)", [{"get": "/x", "name": "one", "extract": {"token": {"jsonpath": "$.token", "secret": True}}}]),
    ("postman.setEnvironmentVariable('a', postman.getResponseHeader('X-A'))", [{"get": "/x", "name": "one", "extract": {"a": {"header": "X-A"}}}]),
    ("pm.collectionVariables.set('a', 'b' + pm.response.json().c)", [{"get": "/x", "name": "one"}, {"set": {"a": "${'b' ~ json.c}"}}]),
    ("if (pm.response.json().c) { pm.environment.set('a', 1) }", [{"get": "/x", "name": "one"}, {"set": {"a": 1}, "when": "(json.c | default(''))"}]),
    ("pm.environment.unset('a')", [{"get": "/x", "name": "one"}, {"set": {"a": ""}}]),
    ("console.log('at', pm.response.code)", [{"get": "/x", "name": "one"}, {"log": "at ${status}"}]),
    ("setTimeout(function () {}, 1500)", [{"get": "/x", "name": "one"}, {"think": "1500ms"}]),
    ("pm.environment.set('a', Date.now().toString())", [{"get": "/x", "name": "one"}, {"set": {"a": "${((now() * 1000) | int) | string}"}}]),
    ("postman.setNextRequest(null)", [{"get": "/x", "name": "one"}, {"stop": "iteration"}]),
]  # fmt: skip


def test_a_request_of_a_script_is_a_step_before_its_request() -> None:
    """With what its callback does with the reply; a failed request fails by itself."""
    script = """
        const asked = {url: pm.environment.get('base') + '/login', method: 'POST',
            header: {'Content-Type': 'application/json'},
            body: {mode: 'raw', raw: JSON.stringify({user: pm.environment.get('user')})}};
        pm.sendRequest(asked, (err, res) => {
            if (err) { console.log(err); } else {
                pm.test('s', () => pm.expect(res.code).to.eql(200));
                pm.environment.set('sid', res.json().sid);
            }
        });
        if (!pm.environment.get('sid')) { pm.sendRequest(`${pm.environment.get('base')}/b`); }
    """
    done = imported(collection(item(event=[event("prerequest", script)])))

    assert steps_of(done) == [
        {
            "post": "/login",
            "json": {"user": "${user_value}"},
            "expect": {"status": 200},
            "extract": {"sid": "$.sid"},
        },
        {"if": "not ((sid | default('')))", "then": [{"get": "/b"}]},
        {"get": URL, "name": "one"},
    ]
    assert {one.kind for one in done.ledger.findings()} == {"default", "variable"}


@pytest.mark.parametrize("value", ["", "/", "/api"])
def test_an_address_without_a_server_needs_one(value: str) -> None:
    made = collection(item(url="{{baseUrl}}/x"), variable=[{"key": "baseUrl", "value": value}])
    done = imported(made)

    plan = parse(done.text, "plan.yaml").data
    assert plan["params"]["base_url"]["default"] == f"http://localhost{value.rstrip('/')}"
    assert plan["http"]["base_url"] == "${base_url}"
    assert Fate.NEEDS_YOU in {one.fate for one in done.ledger.findings()}


def test_several_environments_are_those_of_the_plan() -> None:
    """The first one's values are the defaults, and secrets have none anywhere."""
    files = [
        SourceFile(None, f"{name}.json", json.dumps({
            "name": name, "_postman_variable_scope": "environment",
            "values": [{"key": "base", "value": f"http://{name}"}, {"key": "token", "value": "t"},
                       {"key": "at", "value": "{{base}}/v1"}],
        }).encode())
        for name in ("local", "far")
    ]  # fmt: skip
    made = collection(item(url="{{at}}/x?t={{token}}"))
    done = imported(made, *files)
    plan = parse(done.text, "plan.yaml").data

    assert plan["environments"] == {
        name: {"base": f"http://{name}", "at": "${base}/v1"} for name in ("local", "far")
    }
    assert plan["params"]["base"]["default"] == "http://local"
    assert [one.words for one in done.ledger.findings() if one.kind == "key"] == [
        "values[1].value"
    ] * 2
    assert check(done) == ()


@pytest.mark.parametrize(("script", "steps"), KEPT)
def test_what_a_script_keeps_is_extracted_or_set(script: str, steps: object) -> None:
    assert steps_of(imported(collection(item(event=[event("test", script)])))) == steps


def test_what_runs_before_a_request_stands_before_it() -> None:
    script = (
        "pm.variables.set('id', Math.floor(Math.random() * 10));\npm.variables.set('t', Date.now())"
    )

    steps = steps_of(imported(collection(item(event=[event("prerequest", script)]))))

    assert steps[:2] == [
        {"set": {"id": "${rand.int(0, 9)}"}},
        {"set": {"t": "${(now() * 1000) | int}"}},
    ]


LOST = [
    "const crypto = require('crypto-js'); pm.environment.set('s', crypto.MD5('a').toString())",
    "pm.test('x', () => { pm.expect(pm.response.json().map(x => x.id)).to.include(1) })",
    "if (pm.response.json().a) { pm.test('b', () => pm.response.to.have.status(201)) }",
    "postman.setNextRequest('three')",
    "for (let i = 0; i < 3; i++) { console.log(i) }",
    "pm.sendRequest('http://127.0.0.1/', (error, reply) => { console.log(reply) })",
]


@pytest.mark.parametrize("script", LOST)
def test_code_that_computes_is_left_out_by_name(script: str) -> None:
    done = imported(collection(item(event=[event("test", f"// first\n{script}")]), item("two")))

    (first, *_) = [one for one in done.ledger.findings() if one.fate is Fate.LEFT_OUT]
    assert first.kind == "call"
    assert "TODO import: shop.json:1" in done.text


def test_a_test_that_cannot_fail_is_suspicious() -> None:
    scripts = ["tests['a'] = true", "pm.test('x', () => pm.expect(true).to.be.true)", "let = ;"]

    for script in scripts:
        done = imported(collection(item(event=[event("test", script)])))
        assert any(one.fate is Fate.SUSPICIOUS for one in done.ledger.findings()), script


def test_folders_are_groups_and_hand_down_auth_and_scripts(tmp_path: Path) -> None:
    """A nearer `auth` counts; names that stand twice get their folders; the plan validates."""
    (tmp_path / "cat.png").write_bytes(b"cat")
    bearer = {"type": "bearer", "bearer": [{"key": "token", "value": "{{token}}"}]}
    folder = {
        "name": "Items",
        "auth": {"type": "noauth"},
        "event": [event("test", "pm.test('ok', () => pm.response.to.have.status(200))")],
        "item": [item("get", "{{baseUrl}}/items/{{id}}"), item("two")],
    }
    upload = {"mode": "formdata", "formdata": [{"key": "f", "type": "file", "src": "cat.png"}]}
    rest = item("get", "{{baseUrl}}/me", "POST", body=upload)
    login = item(
        "login",
        "{{baseUrl}}/login",
        event=[event("test", "pm.environment.set('id', pm.response.json().id)")],
    )
    main = tmp_path / "shop.json"
    main.write_bytes(
        collection(login, folder, rest, auth=bearer, variable=[{"key": "id", "value": "1"}])
    )
    environment = {
        "name": "local",
        "_postman_variable_scope": "environment",
        "values": [
            {"key": "baseUrl", "value": "http://127.0.0.1/api"},
            {"key": "token", "value": "abc", "type": "secret"},
        ],
    }

    done = import_files(
        [
            SourceFile(None, "env.json", json.dumps(environment).encode()),
            SourceFile(main, str(main)),
        ],
        options=ImportOptions(),
    )

    plan = parse(done.text, "plan.yaml").data
    steps = steps_of(done)
    assert not check(done)
    assert plan["http"] == {"base_url": "${base_url}"}
    assert plan["params"]["token"] == {
        "type": "str",
        "secret": True,
        "help": "`token` of the collection",
    }
    assert plan["users"]["Shop"]["state"] == {"id": "1"}
    assert steps[1] == {
        "group": "Items",
        "do": [
            {
                "get": "/items/${id}",
                "name": "Items / get",
                "auth": "none",
                "expect": {"status": 200},
            },
            {"get": URL, "name": "two", "auth": "none", "expect": {"status": 200}},
        ],
    }
    assert steps[2]["auth"] == {"bearer": "${token}"}
    assert done.files == {"cat.png": tmp_path / "cat.png"}
    assert "abc" not in done.text


def test_a_data_file_of_the_runner_gives_columns() -> None:
    table = SourceFile(None, "rows.csv", b"id,name\n1,a\n2,b\n")

    done = imported(collection(item(url="http://127.0.0.1/{{id}}")), table)

    plan = parse(done.text, "plan.yaml").data
    assert steps_of(done)[0]["get"] == "/${rows.id}"
    assert plan["phases"] == [{"name": "main", "users": 1, "iterations": 2}]
    assert not check(done)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'{"info": {"schema": "schema.getpostman.com/json/collection/v2"', "shop.json:1:63: not JSON"),
        (collection(item(method="LINK")), "no request that planrunner can send"),
        (b'{"info": {"schema": "schema.getpostman.com/json/collection/v2"}}', "not a Postman collection"),
        (collection() + b"[" * 3, "not JSON"),
    ],
)  # fmt: skip
def test_what_is_no_collection_is_said_with_its_place(content: bytes, message: str) -> None:
    with pytest.raises(ImportFault, match=message):
        imported(content)


def test_an_environment_alone_is_no_test() -> None:
    with pytest.raises(UsageError, match="not a test that planrunner knows"):
        imported(
            b'{"values": [{"key": "a", "value": "b"}], "_postman_variable_scope": "environment"}'
        )

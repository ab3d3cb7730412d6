"""A request step becomes an exchange: URL, query, headers, bodies, credentials, faults."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic import ValidationError

from planrunner.language.expressions.expression import EvaluationError, to_text
from planrunner.protocols.base import Scope
from planrunner.protocols.http.compile.settings import compile_settings
from planrunner.protocols.http.operation import DynamicBody, FileBody, HttpOperation, StaticBody
from planrunner.protocols.http.spec import RequestSpec
from planrunner.protocols.http.spec_settings import HttpModel
from planrunner.protocols.http.target import caveat, choose_client
from planrunner.protocols.http.url import Origin
from planrunner.units import NS_PER_S
from tests.support.http_specs import (
    MemoryFiles,
    compile_http,
    compile_request,
    exchange_of,
    scope_of,
)
from tests.support.missing import hidden

OAUTH2 = {"token_url": "/t", "client_id": "a", "client_secret": "b"}
SHOP = Origin("http", "shop.test", 80)


def operation_of(step: dict[str, Any], **options: Any) -> HttpOperation:
    operation = exchange_of(step, **options).operation
    assert isinstance(operation, HttpOperation)
    return operation


def render(parts: Iterable[object], scope: Scope) -> str:
    return "".join(part if isinstance(part, str) else to_text(part(scope)) for part in parts)


def headers_of(operation: HttpOperation, **names: object) -> dict[str, str]:
    scope = scope_of(**names)
    return {header.name: render(header.value, scope) for header in operation.headers}


def body_of(step: dict[str, Any], **names: object) -> tuple[bytes, str]:
    body = operation_of({"post": "/", **step}).body
    if isinstance(body, StaticBody):
        return body.content, body.content_type
    assert isinstance(body, DynamicBody)
    return body.evaluate(scope_of(**names)), body.content_type


def faults_of(step: dict[str, Any], **options: Any) -> list[tuple[tuple[str | int, ...], str]]:
    compiled = compile_request(step, **options)
    return [(fault.path, fault.code.value) for fault in compiled.faults]


# -- URL -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("base", "url", "origin", "target"),
    [
        ("http://shop.test", "/a?b=1", SHOP, ("/a?b=1",)),
        ("http://shop.test/", "/a", SHOP, ("/a",)),
        ("http://shop.test/api/", "/a", SHOP, ("/api/a",)),
        ("http://shop.test", "https://x.test:8443", Origin("https", "x.test", 8443), ("/",)),
        ("http://shop.test", "http://[::1]:81?q", Origin("http", "::1", 81), ("/?q",)),
        ("http://shop.test", "/a b/ü#part", SHOP, ("/a%20b/%C3%BC",)),
        ("http://shop.test", "/a%20b", SHOP, ("/a%20b",)),
        ("${base}", "/a", SHOP, ("/a",)),
    ],
)
def test_constant_urls(base: str, url: str, origin: Origin, target: tuple[str, ...]) -> None:
    """base_url stands in front of paths, absolute URLs stay, and all is encoded once."""
    constants = {"base": "http://shop.test"}
    http = compile_http({"base_url": base}, constants=constants)

    parts = operation_of({"get": url}, http=http).url

    assert (parts.origin, parts.parts) == (origin, target)


def test_variable_in_the_path_keeps_the_origin() -> None:
    """Only what varies is rendered per request."""
    parts = operation_of({"get": "/kv/${key}/x?y"}).url

    assert parts.origin == SHOP
    assert render(parts.parts, scope_of(key="k1")) == "/kv/k1/x?y"


@pytest.mark.parametrize(
    ("url", "whole"),
    [
        ("${link}", "http://other.test/a"),
        ("${path}", "http://shop.test/p"),
        ("http://${host}/a", "http://h.test/a"),
        ("http://h.test:${port}/a", "http://h.test:81/a"),
    ],
)
def test_variable_in_the_host_gives_the_whole_url(url: str, whole: str) -> None:
    """What comes from a reply may be absolute, or a path on base_url."""
    names = {"link": "http://other.test/a", "path": "/p", "host": "h.test", "port": 81}

    parts = operation_of({"get": url}).url

    assert parts.origin is None
    assert render(parts.parts, scope_of(**names)) == whole


@pytest.mark.parametrize(
    ("url", "http", "code"),
    [
        ("a/b", {"base_url": "http://shop.test"}, "invalid-value"),
        ("", {"base_url": "http://shop.test"}, "invalid-value"),
        ("/a", {}, "missing-key"),
        ("http://sh op/a", {}, "invalid-value"),
        ("http://h:99999/", {}, "invalid-value"),
        ("/${1 / 0}", {"base_url": "http://shop.test"}, "expression-failed"),
    ],
)
def test_broken_urls_are_faults(url: str, http: dict[str, str], code: str) -> None:
    """A URL that can't be sent is found before the run, at the verb."""
    found = faults_of({"get": url}, http=compile_http(http))

    assert found[0] == (("get",), code)


def test_credentials_in_the_url_become_a_header() -> None:
    """`user:password@` is sent as Basic, and is no part of the origin."""
    operation = operation_of({"get": "http://ada:s%20x@h.test/"})

    assert headers_of(operation) == {"Authorization": "Basic YWRhOnMgeA=="}


@pytest.mark.parametrize(
    ("step", "name"),
    [
        ({"get": "/kv/${key}?a=1", "query": {"b": 2}}, "GET /kv/${key}?a=1"),
        ({"delete": "http://x.test/a"}, "DELETE http://x.test/a"),
    ],
)
def test_default_name_is_verb_and_url_as_written(step: dict[str, Any], name: str) -> None:
    """The series name is the template, without base_url."""
    spec = RequestSpec.model_validate(step)

    assert spec.default_name(spec.verb()) == name


# -- query, headers ------------------------------------------------------------------------


def test_query_lists_repeat_their_key() -> None:
    """Constant values are text already; lists give one entry each, null none."""
    operation = operation_of(
        {"get": "/", "query": {"a": 1, "b": ["x", True], "c": None, "d": "${v}"}}
    )
    pairs = [(item.name, item.value) for item in operation.query]

    assert pairs[:3] == [(("a",), "1"), (("b",), "x"), (("b",), "true")]
    assert operation.query[3].name == ("d",)
    assert operation.query[3].value({"v": [1, 2]}) == [1, 2]  # type: ignore[operator]


def test_headers_of_plan_and_step_merge() -> None:
    """The step's win in any case, and null takes one away."""
    http = compile_http(
        {"base_url": "http://shop.test", "headers": {"Accept": "a", "X-Plan": 1, "X-Off": "o"}}
    )

    operation = operation_of(
        {"get": "/", "headers": {"accept": "b", "x-off": None, "X-Id": "i${n}"}}, http=http
    )

    assert headers_of(operation, n=5) == {"accept": "b", "X-Plan": "1", "X-Id": "i5"}


@pytest.mark.parametrize(
    ("step", "own"),
    [
        ({}, set()),
        ({"headers": {"X-A": "1", "x-b": None}}, {"x-a", "x-b"}),
        ({"auth": "none"}, {"authorization"}),
        ({"auth": {"api_key": {"header": "X-Key", "value": "k"}}}, {"authorization", "x-key"}),
    ],
)
def test_a_step_knows_which_headers_are_its_own(step: dict[str, Any], own: set[str]) -> None:
    """Those of the plan are not: a user may have set others for all of its requests."""
    http = compile_http({"base_url": "http://shop.test", "headers": {"X-Plan": "1"}})

    assert operation_of({"get": "/", **step}, http=http).own_names == own


@pytest.mark.parametrize(
    ("headers", "path", "code"),
    [
        ({"A B": "x"}, "A B", "invalid-value"),
        ({"A": "x\ny"}, "A", "invalid-value"),
        ({"A": ["x"]}, "A", "wrong-type"),
        ({"${later}": "x"}, "${later}", "not-allowed"),
    ],
)
def test_broken_headers_are_faults(headers: dict[str, object], path: str, code: str) -> None:
    """Names are tokens, values one line of text."""
    assert faults_of({"get": "/", "headers": headers})[0] == (("headers", path), code)


# -- auth ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("auth", "headers"),
    [
        ({"basic": {"username": "ada", "password": "x"}}, {"Authorization": "Basic YWRhOng="}),
        ({"basic": {"username": "ada", "password": "${x}"}}, {"Authorization": "Basic YWRhOng="}),
        ({"bearer": "${token}"}, {"Authorization": "Bearer t"}),
        ({"api_key": {"header": "X-Key", "value": "k"}}, {"X-Key": "k"}),
        ({"api_key": {"cookie": "key", "value": "k"}}, {"Cookie": "key=k"}),
        ("none", {}),
    ],
)
def test_auth_becomes_headers(auth: object, headers: dict[str, str]) -> None:
    """A request's own scheme replaces the plan's."""
    http = compile_http({"base_url": "http://shop.test", "auth": {"bearer": "plan"}})

    operation = operation_of({"get": "/", "auth": auth}, http=http)

    assert headers_of(operation, x="x", token="t") == headers


def test_api_key_in_the_query() -> None:
    """The key is one more query parameter."""
    operation = operation_of({"get": "/", "auth": {"api_key": {"query": "key", "value": "k"}}})

    assert [(item.name, item.value) for item in operation.query] == [(("key",), "k")]


# -- bodies --------------------------------------------------------------------------------


def test_constant_json_is_encoded_before_the_run() -> None:
    """Compact, UTF-8, in the order the plan has."""
    body = operation_of({"post": "/", "json": {"b": [1, None, True], "a": "ü"}}).body

    assert body == StaticBody('{"b":[1,null,true],"a":"ü"}'.encode(), "application/json")


def test_json_null_is_a_body() -> None:
    """`json: null` sends `null`."""
    assert body_of({"json": None}) == (b"null", "application/json")


def test_dynamic_json_leaves() -> None:
    """A single `${…}` keeps its type, text around one makes it text, quotes are escaped."""
    step = {"json": {"n": "${n}", "list": ["${o}", 1], "text": 'a"${s}"\n', "t": "${t}"}}

    content, kind = body_of(step, n=1.5, o={"k": None}, s='"\\', t="x")

    assert kind == "application/json"
    assert content.decode() == '{"n":1.5,"list":[{"k":null},1],"text":"a\\"\\"\\\\\\"\\n","t":"x"}'


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(JSON, JSON)
def test_any_value_survives_in_any_place(constant: object, variable: object) -> None:
    """What a server parses is what the plan and the variable hold."""
    # `${` and `{{` in a plan's own text mean something.
    assume("{" not in json.dumps(constant).replace('{"', "").replace("{}", ""))

    content, _ = body_of({"json": {"c": constant, "v": ["${v}"]}}, v=variable)

    assert json.loads(content) == {"c": constant, "v": [variable]}


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (float("nan"), "nan can't be written as JSON"),
        (b"\xff", "bytes can't be written as JSON"),
        ({1, 2}, "a `set` can't be written as JSON"),
        (
            {"a": [0, {"b": object()}]},
            "a `object` can't be written as JSON, which is what `a[1].b`",
        ),
        (
            [{(1, 2): 3}],
            "a mapping with keys that aren't text can't be .*, which is what `[0]` is",
        ),
    ],
)
def test_value_without_json_form_fails_the_request(value: object, words: str) -> None:
    """Nothing is sent that isn't JSON, and it is said where in the value that is."""
    with pytest.raises(EvaluationError, match=words.replace("[", r"\[")):
        body_of({"json": {"v": "${v}"}}, v=value)


def test_a_value_that_is_part_of_itself_fails_the_request() -> None:
    """As text without an end would be sent."""
    value: list[object] = []
    value.append(value)

    with pytest.raises(EvaluationError, match="a list is nested too deeply for JSON"):
        body_of({"json": "${v}"}, v=value)


def test_a_body_that_is_one_expression_may_be_bytes() -> None:
    """They are sent as they are; in the midst of text they must be text."""
    assert body_of({"body": "${v}"}, v=b"\x00\xff")[0] == b"\x00\xff"
    assert body_of({"body": "${v}"}, v=b"")[0] == b""
    assert body_of({"body": "${v}"}, v={"a": "\u00fc"})[0] == '{"a":"\u00fc"}'.encode()
    for template, value in (("<${v}>", b"\xff"), ("${v}", "\ud800"), ("${v}", object())):
        with pytest.raises(EvaluationError):
            body_of({"body": template}, v=value)


def test_missing_variable_fails_the_request() -> None:
    """An undefined leaf is an error, not an empty value."""
    with pytest.raises(EvaluationError):
        body_of({"json": {"v": "${v}"}})


def test_forms_are_urlencoded() -> None:
    """Lists repeat their key, null is left out; constant forms are encoded before the run."""
    constant = operation_of({"post": "/", "form": {"a b": "ü&", "l": [1, 2], "n": None}}).body
    dynamic, kind = body_of({"form": {"a": "${a}", "b": "x y"}}, a=[1, "&"])

    assert constant == StaticBody(b"a+b=%C3%BC%26&l=1&l=2", "application/x-www-form-urlencoded")
    assert (dynamic, kind) == (b"a=1&a=%26&b=x+y", "application/x-www-form-urlencoded")


def test_text_bodies() -> None:
    """As written, UTF-8."""
    assert body_of({"body": "ü${n}"}, n=1) == ("ü1".encode(), "text/plain; charset=utf-8")


def test_file_body_names_the_file() -> None:
    """Its path is relative to the plan, its type comes from the name."""
    body = operation_of({"post": "/", "body_file": "a.json"}, files={"a.json": b"{}"}).body

    assert body == FileBody(Path("plans/a.json"), "application/json")


@pytest.mark.parametrize(
    ("step", "path", "code"),
    [
        ({"body_file": "none.bin"}, ("body_file",), "no-such-file"),
        ({"body_file": "${later}"}, ("body_file",), "not-allowed"),
        ({"json": {"a": ["${1 / 0}"]}}, ("json", "a", 0), "expression-failed"),
        ({"json": {"${later}": 1}}, ("json", "${later}"), "not-allowed"),
        ({"multipart": {"a": {"file": "none.bin"}}}, ("multipart", "a", "file"), "no-such-file"),
        ({"multipart": {"a": [1, "${1 / 0}"]}}, ("multipart", "a", 1), "expression-failed"),
        ({"retry": {"times": 1, "on": ["5xx", "exect"]}}, ("retry", "on", 1), "invalid-value"),
        ({"retry": {"times": 1, "on": ["expect"]}}, ("retry", "on", 0), "invalid-value"),
        ({"timeout": "0s"}, ("timeout",), "invalid-value"),
    ],
)
def test_faults_name_their_place(
    step: dict[str, Any], path: tuple[str | int, ...], code: str
) -> None:
    """Each fault has the path of the key in the plan's own words."""
    assert faults_of({"post": "/", **step}) == [(path, code)]


def test_all_faults_are_found_at_once() -> None:
    """One compilation shows everything that is wrong."""
    step = {"get": "x", "headers": {"A B": "x"}, "expect": {"time": "1s"}, "extract": {"v": "y"}}

    assert {path[0] for path, _ in faults_of(step)} == {"get", "headers", "expect", "extract"}


# -- settings ------------------------------------------------------------------------------


def test_timeout_comes_from_step_then_plan_then_default() -> None:
    """The nearest one counts."""
    plan = compile_http({"base_url": "http://shop.test", "timeout": "10s"})

    assert exchange_of({"get": "/"}).timeout_ns == 30 * NS_PER_S
    assert exchange_of({"get": "/"}, http=plan).timeout_ns == 10 * NS_PER_S
    assert exchange_of({"get": "/", "timeout": "2s"}, http=plan).timeout_ns == 2 * NS_PER_S
    assert (
        exchange_of({"get": "/", "timeout": "${t}"}, constants={"t": 1.5}).timeout_ns
        == 1_500_000_000
    )


def test_redirects_are_followed_unless_told_otherwise() -> None:
    """The step decides over the plan."""
    plan = compile_http({"base_url": "http://shop.test", "follow_redirects": False})

    assert operation_of({"get": "/"}).follow_redirects
    assert not operation_of({"get": "/"}, http=plan).follow_redirects
    assert operation_of({"get": "/", "follow_redirects": True}, http=plan).follow_redirects


def test_settings_resolve_files_and_addresses() -> None:
    """Certificates are relative to the plan, hosts are addresses."""
    settings = compile_http(
        {
            "ca": "ca.pem",
            "cert": {"cert": "c.pem", "key": "k.pem"},
            "verify": False,
            "hosts": {"Shop.test": "${ip}"},
            "proxy": "http://proxy.test:3128",
            "client": "httpx",
        },
        files=dict.fromkeys(("ca.pem", "c.pem", "k.pem"), b""),
        constants={"ip": "::1"},
    ).settings

    assert (settings.ca, settings.cert, settings.key) == (
        Path("plans/ca.pem"),
        Path("plans/c.pem"),
        Path("plans/k.pem"),
    )
    assert (settings.verify, settings.client) == (False, "httpx")
    assert (settings.hosts, settings.proxy) == ({"shop.test": "::1"}, "http://proxy.test:3128")


@pytest.mark.parametrize(
    ("block", "path", "code"),
    [
        ({"base_url": "localhost:80"}, ("base_url",), "invalid-value"),
        ({"ca": "none.pem"}, ("ca",), "no-such-file"),
        ({"hosts": {"a": "b"}}, ("hosts", "a"), "invalid-value"),
        ({"proxy": "ftp://x"}, ("proxy",), "invalid-value"),
        ({"headers": {"A": "\n"}}, ("headers", "A"), "invalid-value"),
    ],
)
def test_broken_settings_are_faults(
    block: dict[str, Any], path: tuple[str, ...], code: str
) -> None:
    """Their paths begin below `http`."""
    compiled = compile_settings(
        HttpModel.model_validate(block), constants={}, files=MemoryFiles({})
    )

    assert [(fault.path, fault.code.value) for fault in compiled.faults] == [(path, code)]


def test_settings_of_a_class_lie_over_the_plans() -> None:
    """What the class doesn't say stays; headers merge; connections can be its own."""
    plan = compile_http(
        {"base_url": "http://shop.test", "headers": {"A": "1", "B": "2"}, "timeout": "5s"}
    )
    model = HttpModel.model_validate(
        {"headers": {"b": "3"}, "follow_redirects": False, "verify": False}
    )

    compiled = compile_settings(
        model, constants={}, files=MemoryFiles({}), over=plan, channel="http:Editor"
    )
    operation = operation_of({"get": "/"}, http=compiled.defaults)

    assert compiled.faults == ()
    assert (plan.settings.verify, compiled.defaults.settings.verify) == (True, False)
    assert (plan.channel, compiled.defaults.channel) == ("http", "http:Editor")
    assert headers_of(operation) == {"A": "1", "b": "3"}
    assert (operation.url.origin, operation.follow_redirects) == (SHOP, False)
    assert compiled.defaults.settings.timeout_ns == 5 * NS_PER_S


# -- headers that belong together ----------------------------------------------------------


@pytest.mark.parametrize(
    ("plan", "step", "sent"),
    [
        ({}, {}, "key=k"),
        ({"Cookie": "a=1"}, {}, "key=k; a=1"),
        ({"Cookie": "a=1"}, {"cookie": "b=${two}"}, "key=k; b=2"),
        ({"Cookie": "a=1"}, {"COOKIE": None}, "key=k"),
    ],
)
def test_a_key_in_a_cookie_goes_beside_other_cookies(
    plan: dict[str, str], step: dict[str, str | None], sent: str
) -> None:
    """Neither takes the other's place: both are asked for."""
    auth = {"api_key": {"cookie": "key", "value": "k"}}
    http = compile_http({"base_url": "http://shop.test", "auth": auth, "headers": plan})

    operation = operation_of({"get": "/", "headers": step}, http=http)

    assert headers_of(operation, two=2) == {"Cookie": sent}


@pytest.mark.parametrize("name", ["Content-Length", "transfer-encoding"])
def test_what_frames_a_request_is_not_the_plans(name: str) -> None:
    """It used to vanish; taking it away asks for nothing."""
    assert faults_of({"get": "/", "headers": {name: "5"}}) == [(("headers", name), "not-allowed")]
    assert faults_of({"get": "/", "headers": {name: None}}) == []


def test_pool_limits_the_life_of_connections() -> None:
    """Durations, or params; without them a connection lives as long as its user."""
    block = {"pool": {"max_age": "5m", "max_idle": "${idle}"}}

    settings = compile_http(block, constants={"idle": "30s"}).settings
    without = compile_http({"pool": {"keepalive": True}}).settings

    assert (settings.max_age_ns, settings.max_idle_ns) == (300 * NS_PER_S, 30 * NS_PER_S)
    assert (without.max_age_ns, without.max_idle_ns) == (0, 0)


def test_a_connection_without_a_life_is_a_fault() -> None:
    """`keepalive: false` is the word for it."""
    model = HttpModel.model_validate({"pool": {"max_idle": "0s"}})

    (fault,) = compile_settings(model, constants={}, files=MemoryFiles({})).faults

    assert (fault.path, fault.code.value) == (("pool", "max_idle"), "invalid-value")
    assert "keepalive: false" in fault.hint


@pytest.mark.parametrize(
    ("block", "client"),
    [
        ({}, "wire"),
        ({"proxy": "http://p:3128"}, "wire"),
        ({"proxy": "HTTP://p:3128"}, "wire"),
        ({"proxy": "https://p:3128"}, "httpx"),
        ({"proxy": "http://p:3128", "client": "httpx"}, "httpx"),
    ],
)
def test_the_fast_client_sends_unless_it_cannot(block: dict[str, str], client: str) -> None:
    """It speaks HTTP to proxies; what httpx does to the numbers is said."""
    settings = compile_http(block).settings

    assert choose_client(settings).name == client
    assert bool(caveat(settings)) == (client == "httpx")


@pytest.mark.parametrize("proxy", ["socks5://p:1080", "https://p:3128"])
def test_the_wire_client_does_not_pass_by_a_proxy(proxy: str) -> None:
    """Sending without it would be another test than the plan's."""
    model = HttpModel.model_validate({"client": "wire", "proxy": proxy})

    (fault,) = compile_settings(model, constants={}, files=MemoryFiles({})).faults

    assert (fault.path, fault.code.value) == (("client",), "not-allowed")


@pytest.mark.parametrize(
    ("block", "path", "words"),
    [
        ({"version": 3}, None, "write `auto`, `1.1` or `2`"),
        ({"version": "2", "client": "httpx"}, ("version",), "speaks HTTP/1.1 only"),
        ({"version": 2, "proxy": "socks5://p:1080"}, ("version",), "speaks HTTP/1.1 only"),
        ({"version": 1.1, "streams": 4}, ("streams",), "HTTP/1.1 has no streams"),
        ({"streams": 1_001}, ("streams",), "at most 1000 requests"),
    ],
)
def test_a_version_that_cannot_be_spoken_is_a_fault(
    block: dict[str, Any], path: tuple[str, ...] | None, words: str
) -> None:
    """Before anything is sent, where the plan says it."""
    if path is None:
        with pytest.raises(ValidationError, match="is not a version of HTTP"):
            HttpModel.model_validate(block)
        return
    model = HttpModel.model_validate(block)

    (fault,) = compile_settings(model, constants={}, files=MemoryFiles({})).faults

    assert fault.path == path
    assert words in fault.message


def test_http2_without_its_package() -> None:
    """`version: 2` is an error that says what to install; `auto` speaks 1.1 and says why."""
    over_tls = {"base_url": "https://shop.test"}
    with hidden("jh2"):
        model = HttpModel.model_validate({"version": 2})
        (fault,) = compile_settings(model, constants={}, files=MemoryFiles({})).faults
        auto = compile_http(over_tls).settings

        assert (fault.path, "HTTP/2 needs the package jh2" in fault.message) == (("version",), True)
        assert "http2" in fault.hint or "jh2" in fault.hint
        assert not auto.may_speak_http2
        assert "HTTP/1.1 (HTTP/2 needs `pip install" in choose_client(auto).reason

    assert compile_http(over_tls).settings.may_speak_http2


@pytest.mark.parametrize(
    ("block", "words"),
    [
        ({"base_url": "http://shop.test"}, "HTTP/1.1 without a proxy"),
        ({"base_url": "https://shop.test", "version": 1.1}, "HTTP/1.1 without a proxy"),
        ({"base_url": "https://shop.test"}, "HTTP/2 where TLS offers it, else HTTP/1.1"),
        ({"base_url": "${SHOP}"}, "HTTP/2 where TLS offers it, else HTTP/1.1"),
        ({"base_url": "http://shop.test", "version": 2, "proxy": "http://p"}, "HTTP/2 through"),
    ],
)
def test_what_may_be_spoken_is_said_beforehand(block: dict[str, Any], words: str) -> None:
    """As far as the plan tells."""
    constants = {"SHOP": "https://shop.test"} if "version" in block else {}

    assert words in choose_client(compile_http(block, constants=constants).settings).reason

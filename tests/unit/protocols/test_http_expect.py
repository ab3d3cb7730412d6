"""expect: what makes a reply acceptable, and what is said when it isn't."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import ValidationError

from planrunner.language.expressions.values import EvaluationError
from planrunner.protocols.base import Reply
from planrunner.units import NS_PER_MS, NS_PER_S
from tests.support.http_specs import compile_http, compile_request, exchange_of, reply_of, scope_of


def first_fault(expect: dict[str, Any], reply: Reply, **names: object) -> str | None:
    """Judge a reply as the engine does after its status was accepted."""
    exchange = exchange_of({"get": "/", "expect": expect})
    found = (check(reply, scope_of(**names)) for check in exchange.checks)
    return next((words for words in found if words is not None), None)


def faults_of(expect: dict[str, Any], **options: Any) -> list[tuple[tuple[str | int, ...], str]]:
    compiled = compile_request({"get": "/", "expect": expect}, **options)
    return [(fault.path, fault.code.value) for fault in compiled.faults]


# -- status --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "accepted", "refused"),
    [
        (None, [200, 204, 302, 399], [199, 400, 500]),
        (200, [200], [201, 404]),
        ("2xx", [200, 299], [300, 199]),
        ("5*", [500, 503], [404]),
        ([200, "4xx"], [200, 404], [201, 500]),
        ("${wanted}", [418], [200]),
    ],
)
def test_statuses(status: object, accepted: list[int], refused: list[int]) -> None:
    """Codes, classes, lists of both, and params; without `status` 2xx and 3xx."""
    expect = {} if status is None else {"expect": {"status": status}}
    exchange = exchange_of({"get": "/", **expect}, constants={"wanted": 418})

    assert [code in exchange.accept for code in accepted] == [True] * len(accepted)
    assert [code in exchange.accept for code in refused] == [False] * len(refused)


@pytest.mark.parametrize(
    ("status", "code", "accepted", "refused"),
    [
        ("${code}", 404, [404], [200]),
        ("${code}", "404", [404], [200]),
        ("${code}", "4xx", [404, 499], [200]),
        ("${code}", [201, "3*"], [201, 304], [200, 404]),
        ([204, "${code}"], 404, [204, 404], [200]),
    ],
)
def test_a_status_may_stand_in_a_row_of_data(
    status: object, code: object, accepted: list[int], refused: list[int]
) -> None:
    """A table of URLs and what each has to answer; it is a check like others then."""
    expect = {"status": status}

    assert [first_fault(expect, reply_of(status=n), code=code) for n in accepted] == [
        None for _ in accepted
    ]
    assert all(first_fault(expect, reply_of(status=n), code=code) for n in refused)


def test_a_status_that_only_the_user_knows_is_told_in_full() -> None:
    """By its words before the run, by its value when it isn't met."""
    exchange = exchange_of({"get": "/", "expect": {"status": "${code}", "time": "< 1s"}})

    assert exchange.expected == ("status any", "status ${code}", "time < 1s")
    assert not exchange.states_status
    words = exchange.checks[0](reply_of(status=500), scope_of(code=404))
    assert words == "status 500, expected 404"
    with pytest.raises(EvaluationError, match="`\\$\\{code\\}` is not a status"):
        exchange.checks[0](reply_of(status=200), scope_of(code="ok"))


def test_a_soft_status_from_data_accepts_what_others_do() -> None:
    """And the one that is hoped for; a 500 stays a failure."""
    exchange = exchange_of({"get": "/", "expect": {"status": "${code}", "soft": True}})
    [hard], [soft] = exchange.checks, exchange.soft_checks

    found = [(hard(reply_of(status=n), scope_of(code=404)) is None) for n in (200, 404, 500)]
    assert found == [True, True, False]
    assert soft(reply_of(status=200), scope_of(code=404)) == "status 200, expected 404"


@pytest.mark.parametrize(
    ("value", "code"), [([200, "4xx"], 404), ("2*", 200), ([], None), ("ok", None), (99, None)]
)
def test_a_param_may_hold_statuses(value: object, code: int | None) -> None:
    """A code, a class or a list of them; anything else is found before the run."""
    step = {"get": "/", "expect": {"status": "${wanted}"}}
    if code is None:
        [fault] = compile_request(step, constants={"wanted": value}).faults
        assert (fault.path, fault.message) == (("expect", "status"), "`${wanted}` is not a status")
    else:
        assert code in exchange_of(step, constants={"wanted": value}).accept


def test_a_status_in_quotes_is_a_fault_that_says_so() -> None:
    """It is neither a code nor a class."""
    with pytest.raises(ValidationError, match="`200` is not a status") as failed:
        exchange_of({"get": "/", "expect": {"status": "200"}})

    assert failed.value.errors()[0]["ctx"]["hint"] == "write `200` without quotes"


# -- time ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("limit", "took_ns", "holds"),
    [
        ("< 1s", NS_PER_S - 1, True),
        ("< 1s", NS_PER_S, False),
        ("<= 1s", NS_PER_S, True),
        ("<=250ms", 251 * NS_PER_MS, False),
    ],
)
def test_time_limits_are_exact(limit: str, took_ns: int, holds: bool) -> None:  # noqa: FBT001
    """`<` excludes the limit and `<=` includes it, to the nanosecond."""
    assert (first_fault({"time": limit}, reply_of(took_ns=took_ns)) is None) is holds


@pytest.mark.parametrize("limit", ["< ${limit}", "< ${limit}s", "<= ${limit - 0.001}"])
def test_a_time_limit_may_be_a_param(limit: str) -> None:
    """Its value is in seconds, as in every expression."""
    exchange = exchange_of({"get": "/", "expect": {"time": limit}}, constants={"limit": 0.5})
    [check] = exchange.checks

    assert check(reply_of(took_ns=499 * NS_PER_MS), {}) is None
    assert (check(reply_of(took_ns=500 * NS_PER_MS), {}) or "").startswith(
        "took 500 ms, expected <"
    )


def test_time_says_what_it_took() -> None:
    """The message names the time and the limit."""
    words = first_fault({"time": "< 1s"}, reply_of(took_ns=1_500 * NS_PER_MS))

    assert words == "took 1.5 s, expected < 1s"


@pytest.mark.parametrize(
    ("limit", "code"), [("1s", "invalid-value"), ("> 1s", "invalid-value"), ("< 5", "invalid-unit")]
)
def test_broken_time_is_a_fault(limit: str, code: str) -> None:
    """Only `<` and `<=` with a duration make a limit."""
    assert faults_of({"time": limit}) == [(("expect", "time"), code)]


# -- body ----------------------------------------------------------------------------------


def test_contains_looks_for_bytes_of_the_text() -> None:
    """Constant or with a variable, UTF-8."""
    reply = reply_of("größe 7".encode())

    assert first_fault({"contains": ["größe", "${n}"]}, reply, n=7) is None
    assert first_fault({"contains": "Größe"}, reply) == (
        "`Größe` is not in a body of 9 bytes that is not JSON"
    )


@pytest.mark.parametrize(
    ("expect", "words"),
    [
        ({"not_contains": ["Sorry", "${other}"]}, None),
        ({"not_contains": "größe"}, "`größe` is in a body of 9 bytes that is not JSON"),
        ({"not_contains": "${n}"}, "`${n}` is in a body of 9 bytes that is not JSON"),
        ({"not_matches": "[a-z]+ [a-z]"}, None),
        ({"not_matches": r"\d$"}, r"a match of `\d$` in a body of 9 bytes that is not JSON"),
        ({"not_matches": "8", "contains": "9"}, "`9` is not in a body of 9 bytes that is not JSON"),
    ],
)
def test_what_must_not_be_there_is_named(expect: dict[str, Any], words: str | None) -> None:
    """As text or as a pattern; what must be there is looked for first."""
    reply = reply_of("größe 7".encode())

    assert first_fault(expect, reply, n=7, other="away") == words


# -- url -----------------------------------------------------------------------------------

URL = "http://shop.test/app/orders/7?from=a%20b"


@pytest.mark.parametrize(
    ("expected", "holds"),
    [
        (URL, True),
        ("http://shop.test/app/orders/7", False),
        ("HTTP://SHOP.test:80/app/orders/7?from=a b#top", True),
        ("/orders/7?from=a b", True),
        ("/app/orders/7?from=a%20b", False),
        ("/orders/${n}?from=a b", True),
        ("${base}/orders/7?from=a b", True),
        ({"matches": "^/orders/[0-9]+"}, True),
        ({"matches": "^http://shop"}, True),
        ({"matches": "^/app"}, False),
        ({"is": "/orders/7?from=a%20b"}, True),
        ({"in": ["/login", "/orders/7?from=a%20b"]}, True),
        ({"in": ["/login"]}, False),
        ({"in": ["/orders/7?from=a%20b"], "matches": "x"}, False),
    ],
)
def test_where_a_reply_came_from(expected: object, holds: bool) -> None:  # noqa: FBT001
    """The whole URL, or what follows base_url in it; spelled as a plan spells URLs."""
    http = compile_http({"base_url": "http://shop.test/app/"})
    exchange = exchange_of({"get": "/", "expect": {"url": expected}}, http=http)
    reply = reply_of(b"")
    reply.url = URL
    [check] = exchange.checks

    assert (check(reply, {"n": 7, "base": "http://shop.test/app"}) is None) is holds
    assert exchange.operation.needs_url


def test_a_reply_from_elsewhere_says_from_where() -> None:
    """The URL is shown whole, or not at all: half a secret in it could not be masked."""
    reply = reply_of(b"")
    reply.url = "http://shop.test/login"

    assert first_fault({"url": "/home"}, reply) == (
        "the reply came from `http://shop.test/login`, expected `/home`"
    )
    reply.url += "?" + "x" * 200
    assert first_fault({"url": {"matches": "^/home"}}, reply) == (
        "the reply came from a URL of 223 characters, expected a match of `^/home`"
    )


def test_another_base_is_another_url() -> None:
    """The same path of another host is not what the plan means by a path."""
    reply = reply_of(b"")
    reply.url = "http://shop.test.evil/home"

    assert first_fault({"url": "/home"}, reply) is not None


@pytest.mark.parametrize(
    ("soft", "hard", "softly"),
    [
        (None, 3, 0),
        (True, 0, 3),
        (["url", "not_contains", "not_matches"], 0, 3),
        (["url"], 2, 1),
    ],
)
def test_each_expectation_may_be_soft(soft: object, hard: int, softly: int) -> None:
    """All of them, or those that are named."""
    expect = {"url": "/a", "not_contains": "x", "not_matches": "y", "soft": soft}
    if soft is None:
        del expect["soft"]
    exchange = exchange_of({"get": "/", "expect": expect})

    assert (len(exchange.checks), len(exchange.soft_checks)) == (hard, softly)
    assert exchange.expectations == 3


@pytest.mark.parametrize(
    ("charset", "text"),
    [
        ("iso-8859-1", "Café Zürich"),
        ("WINDOWS-1252", "10 €"),
        ("Shift_JIS", "東京"),
        ('"gb2312"', "北京"),
        ("utf-16", "naïve"),
        ("us-ascii", "Café"),
        ("no-such-charset", "Café"),
        ("punycode", "Café"),
    ],
)
def test_contains_reads_the_charset(charset: str, text: str) -> None:
    """A text is looked for as the reply's Content-Type spells it, constant or with a variable."""
    spelled = charset.strip('"')
    body = f"<p>{text}</p>"
    known = spelled not in ("us-ascii", "no-such-charset", "punycode")
    headers = (("Content-Type", f"text/html; charset={charset}"),)
    reply = reply_of(body.encode(spelled if known else "utf-8"), headers=headers)

    assert first_fault({"contains": [text, "${wanted}"]}, reply, wanted=text) is None
    assert first_fault({"contains": text[::-1]}, reply) is not None


def test_json_in_another_charset_than_it_should_be_in() -> None:
    """JSON is UTF-8; where it isn't, and the reply says so, it is read all the same."""
    body = '{"city": "Zürich"}'.encode("latin-1")
    declared = reply_of(body, headers=(("Content-Type", "application/json; charset=latin-1"),))

    assert first_fault({"json": {"$.city": "Zürich"}}, declared) is None
    assert first_fault({"json": {"$.city": "Zürich"}}, reply_of(body)) is not None


def test_matches_reads_the_charset() -> None:
    """A body in another charset is decoded as its Content-Type says."""
    headers = (("Content-Type", "text/html; charset=ISO-8859-1"),)
    reply = reply_of("größe 7".encode("latin-1"), headers=headers)

    assert first_fault({"matches": r"größe \d"}, reply) is None
    assert first_fault({"matches": "x+"}, reply) is not None


def test_broken_pattern_is_a_fault_at_its_place() -> None:
    """A regular expression is compiled before the run."""
    assert faults_of({"matches": ["a", "("]}) == [(("expect", "matches", 1), "invalid-value")]


TRAP = "a" * 5_000 + "!"


@pytest.mark.parametrize(
    ("expect", "place"),
    [
        ({"matches": "%s"}, " in "),
        ({"json": {"$.text": {"matches": "%s"}}}, "`$.text`"),
        ({"json": {"$[?search(@, '%s')]": {"type": "string"}}}, "`$[?search"),
        ({"header": {"X-Text": {"matches": "%s"}}}, "header `X-Text`"),
    ],
)
@pytest.mark.parametrize(
    ("pattern", "said"), [("(a+)+$", ""), ("(?:a|aa)+?(?!a)$", "took over 250 ms")]
)
def test_a_pattern_that_traps_is_a_failed_check(
    expect: dict[str, Any], place: str, pattern: str, said: str
) -> None:
    """Wherever patterns meet text of servers, in either engine: words, and soon."""
    written = json.loads(json.dumps(expect).replace("%s", pattern))
    reply = reply_of({"text": TRAP}, headers=(("X-Text", TRAP),))

    words = first_fault(written, reply)

    assert words is not None
    assert place in words
    assert said in words


def test_a_pattern_for_the_slower_engine_is_said_at_its_place() -> None:
    """Not an error: the plan is valid."""
    compiled = compile_request(
        {
            "get": "/",
            "expect": {"matches": ["a", "(?<=a)b"], "json": {"$.x": {"matches": "(a)\\1"}}},
            "extract": {"x": {"regex": "(?!a)b"}},
        }
    )

    assert not compiled.faults
    assert [(notice.path, notice.message.partition(", so")[0]) for notice in compiled.notices] == [
        (("expect", "matches", 1), "the pattern `(?<=a)b` has look-around"),
        (("expect", "json", "$.x", "matches"), "the pattern `(a)\\1` has a backreference"),
        (("extract", "x", "regex"), "the pattern `(?!a)b` has look-around"),
    ]


# -- JSON ----------------------------------------------------------------------------------

DOCUMENT = {"ok": True, "n": 1, "none": None, "name": "ada", "tags": ["a", "b"], "o": {"x": 1}}


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("$.ok", True),
        ("$.n", 1),
        ("$.n", 1.0),
        ("$.none", None),
        ("$.tags", ["a", "b"]),
        ("$.o", {"is": {"x": 1}}),
        ("$.name", "${who}"),
        ("$.n", {"type": "integer", "min": 1, "max": 1}),
        ("$.n", {"type": "float"}),
        ("$.name", {"matches": "^a", "length": 3, "in": ["ada", "bob"]}),
        ("$.tags", {"type": "list", "length": {"min": 1, "max": 2}}),
        ("$.missing", {"exists": False}),
        ("$.none", {"exists": True}),
        ("$.tags[*]", {"type": "string"}),
        ("$.tags[*]", ["a", "b"]),
        ("$.none", {"type": "null"}),
        ("$.none", {"is": None}),
        ("$", {"is": {**DOCUMENT, "name": "${who}"}}),
    ],
)
def test_json_expectations_that_hold(path: str, expected: object) -> None:
    """Literals compare as JSON does, rules word by word, wildcards for each value."""
    assert first_fault({"json": {path: expected}}, reply_of(DOCUMENT), who="ada") is None


@pytest.mark.parametrize(
    ("path", "expected", "words"),
    [
        ("$.n", True, "`$.n` is 1, expected true"),
        ("$.ok", 1, "`$.ok` is true, expected 1"),
        ("$.name", "${who}", '`$.name` is "ada", expected `${who}`'),
        ("$.n", {"type": "string"}, "`$.n` is 1, expected a string"),
        ("$.ok", {"type": "integer"}, "`$.ok` is true, expected an integer"),
        ("$.n", {"min": 2}, "`$.n` is 1, expected a number of at least 2"),
        ("$.name", {"max": 2}, '`$.name` is "ada", expected a number of at most 2'),
        ("$.n", {"in": [2, 3]}, "`$.n` is 1, expected one of 2, 3"),
        ("$.tags", {"length": 3}, '`$.tags` is ["a", "b"], expected a length of 3'),
        ("$.ok", {"exists": False}, "`$.ok` is present, expected none"),
        (
            "$.miss",
            {"exists": True},
            "nothing at `$.miss` in a JSON object with the keys ok, n, none, name …",
        ),
    ],
)
def test_json_expectations_that_fail(path: str, expected: object, words: str) -> None:
    """The message shows what was found and what the plan expects, as the plan writes it."""
    assert first_fault({"json": {path: expected}}, reply_of(DOCUMENT), who="bob") == words


def test_long_values_are_described_not_cut() -> None:
    """Half a secret would escape whatever masks secrets."""
    words = first_fault({"json": {"$.t": 1}}, reply_of({"t": "s" * 300}))

    assert words == "`$.t` is text of 300, expected 1"


def test_body_that_is_not_json_fails() -> None:
    """Not a JSON body is nothing at any path."""
    words = first_fault({"json": {"$.a": 1}}, reply_of(b"<html>"))

    assert words == "nothing at `$.a` in a body of 6 bytes that is not JSON"


def test_literal_object_without_is_is_refused() -> None:
    """A mapping is always a rule, so a forgotten `is` is found."""
    with pytest.raises(ValueError, match="unknown key `x`"):
        compile_request({"get": "/", "expect": {"json": {"$.o": {"x": 1}}}})


def test_broken_path_is_a_fault_with_its_offset() -> None:
    """The fault points into the key."""
    compiled = compile_request({"get": "/", "expect": {"json": {"$.a[": 1}}})

    assert [(f.path, f.code.value) for f in compiled.faults] == [
        (("expect", "json", "$.a["), "invalid-value")
    ]


@pytest.mark.parametrize("word", [None, "null"])
def test_null_is_a_type_with_and_without_quotes(word: object) -> None:
    """YAML takes the word for nothing; JSON has it as a type."""
    expect = {"json": {"$.a": {"type": word}}}

    assert first_fault(expect, reply_of({"a": None})) is None
    assert first_fault(expect, reply_of({"a": 0})) == "`$.a` is 0, expected null"


# -- header --------------------------------------------------------------------------------

HEADERS = (("Content-Type", "application/json"), ("X-Count", "7"), ("Set-Cookie", "a=1"))


@pytest.mark.parametrize(
    "expected",
    [
        {"content-type": "application/json"},
        {"Content-Type": {"matches": "json"}},
        {"X-Count": 7},
        {"X-Count": {"min": 7, "max": 7}},
        {"X-Count": {"in": [6, 7]}},
        {"X-None": {"exists": False}},
        {"X-Count": {"exists": True}},
    ],
)
def test_header_expectations_that_hold(expected: dict[str, object]) -> None:
    """Names in any case; numbers in the plan hold for the header's text."""
    assert first_fault({"header": expected}, reply_of(headers=HEADERS)) is None


def test_header_expectations_that_fail() -> None:
    """A missing header and a wrong one say so."""
    reply = reply_of(headers=HEADERS)

    assert first_fault({"header": {"X-Other": "1"}}, reply) == "no header `X-Other` in the reply"
    assert first_fault({"header": {"X-Count": 8}}, reply) == 'header `X-Count` is "7", expected 8'
    assert first_fault({"header": {"X-Count": {"exists": False}}}, reply) == (
        "header `X-Count` is present, expected none"
    )


# -- schema --------------------------------------------------------------------------------

SCHEMA = {"type": "object", "required": ["id"], "properties": {"id": {"type": "integer"}}}


def schema_fault(body: object) -> str | None:
    files = {"s.json": json.dumps(SCHEMA).encode()}
    exchange = exchange_of({"get": "/", "expect": {"schema": "s.json"}}, files=files)
    return exchange.checks[0](reply_of(body), scope_of())


def test_schema_judges_the_body() -> None:
    """The message names the place and the schema's rule, and no value of the body."""
    assert schema_fault({"id": 1}) is None
    assert schema_fault({"id": "secret"}) == '`$.id` breaks the schema\'s `type: "integer"`'
    assert schema_fault({}) == '`$` breaks the schema\'s `required: ["id"]`'
    assert (
        schema_fault(b"x") == "a body of 1 bytes that is not JSON, expected what s.json describes"
    )


@pytest.mark.parametrize(
    ("files", "code"),
    [
        ({}, "no-such-file"),
        ({"s.json": b"{"}, "invalid-value"),
        ({"s.json": b'{"type": 5}'}, "invalid-value"),
        ({"s.json": b'{"$ref": "http://elsewhere.test/x"}'}, "not-allowed"),
        ({"s.json": b'{"items": {"pattern": "("}}'}, "invalid-value"),
        (
            {"s.json": b'{"patternProperties": {"(a+)+$": {}}, "unevaluatedProperties": false}'},
            "not-allowed",
        ),
    ],
)
def test_broken_schema_is_a_fault(files: dict[str, bytes], code: str) -> None:
    """A schema is read and checked before the run, and never fetches another."""
    assert faults_of({"schema": "s.json"}, files=files) == [(("expect", "schema"), code)]


# -- soft, order, needs --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rules", "good", "bad"),
    [
        ({"pattern": "^(a+)+$"}, "aaa", TRAP),
        ({"patternProperties": {"^(a+)+$": False}}, {TRAP: 1}, {"aaa": 1}),
        (
            {"patternProperties": {"^(a+)+$": {"type": "string"}}, "additionalProperties": False},
            {"aa": "x"},
            {TRAP: "x"},
        ),
        (
            {"properties": {"id": {}}, "additionalProperties": {"pattern": "^(a+)+$"}},
            {"id": TRAP, "more": "aa"},
            {"id": "aa", "more": TRAP},
        ),
    ],
)
def test_patterns_of_a_schema_cannot_trap(
    rules: dict[str, object], good: object, bad: object
) -> None:
    """What replies hold, names of properties included, is matched in linear time."""
    files = {"s.json": json.dumps({"properties": {"v": rules}}).encode()}
    [check] = exchange_of({"get": "/", "expect": {"schema": "s.json"}}, files=files).checks

    assert check(reply_of({"v": good}), scope_of()) is None
    assert "breaks the schema's" in str(check(reply_of({"v": bad}), scope_of()))


@pytest.mark.slow
def test_a_pattern_of_a_schema_that_needs_backtracking_gives_up() -> None:
    """The body fails, in words of its own."""
    files = {"s.json": json.dumps({"items": {"pattern": r"(a+)+\1$"}}).encode()}
    [check] = exchange_of({"get": "/", "expect": {"schema": "s.json"}}, files=files).checks

    assert "took over 250 ms" in str(check(reply_of([TRAP]), scope_of()))


def test_soft_expectations_stand_apart() -> None:
    """`soft: true` takes all of them, a list those it names; the status then is a check too."""
    every = exchange_of({"get": "/", "expect": {"status": 200, "time": "< 1s", "soft": True}})
    named = exchange_of({"get": "/", "expect": {"status": 200, "time": "< 1s", "soft": ["time"]}})
    words = every.soft_checks[0](reply_of(status=301), scope_of())

    assert (len(every.checks), len(every.soft_checks)) == (0, 2)
    assert (len(named.checks), len(named.soft_checks), 301 in named.accept) == (0, 1, False)
    assert words == "status 301, expected 200"


@pytest.mark.parametrize(
    ("status", "accepted"),
    [(200, {200, 302}), (404, {200, 302, 404}), ("4xx", {200, 302, 404})],
)
def test_a_soft_status_leaves_the_usual_rule_in_force(
    status: int | str, accepted: set[int]
) -> None:
    """It is accepted beside 2xx and 3xx; a 500 that nobody hoped for stays a failure."""
    exchange = exchange_of({"get": "/", "expect": {"status": status, "soft": True}})

    assert {one for one in (200, 302, 404, 500) if one in exchange.accept} == accepted


def test_only_what_is_read_is_asked_for() -> None:
    """Bodies and heads that nothing looks at are not collected."""
    plain = exchange_of({"get": "/", "expect": {"time": "< 1s"}}).operation
    body = exchange_of({"get": "/", "expect": {"json": {"$.a": 1}}}).operation
    head = exchange_of({"get": "/", "expect": {"header": {"a": "b"}}}).operation

    assert (plain.needs_body, plain.needs_head) == (False, False)
    assert body.needs_body
    assert (head.needs_body, head.needs_head) == (False, True)


def test_messages_are_short() -> None:
    """No message is longer than 200 characters, whatever plan and server write."""
    path = "$.a" + ".b" * 200
    keys = {f"{'k' * 300}{n}": n for n in range(50)}
    long_text = "x" * 500

    for expect in (
        {"json": {path: 1}},
        {"contains": long_text},
        {"matches": long_text},
        {"json": {"$": {"in": [long_text, long_text]}}},
    ):
        words = first_fault(expect, reply_of(keys))
        assert words is not None
        assert len(words) <= 200


def test_an_expected_object_is_named_as_the_plan_writes_it() -> None:
    """Expressions in it too: reports list what was expected."""
    expect = {"json": {"$.a": {"is": {"text": "${text}", "tags": ["${tag}", 1]}}}}

    words = exchange_of({"get": "/", "expect": expect}).expected

    assert words[1] == "json $.a: is {text: ${text}, tags: [${tag}, 1]}"

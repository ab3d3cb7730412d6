"""extract: values from replies into variables."""

from __future__ import annotations

from typing import Any

import pytest

from planrunner.protocols.base import Reply
from tests.support.http_specs import compile_request, exchange_of, reply_of, scope_of

DOCUMENT = {"token": "t1", "none": None, "items": [{"id": 1}, {"id": 2}, {"id": 3}]}
HTML = b"""<html><body><form><input name=csrf value='c&amp;1'></form>
<a class=item href=/a>First</a> <a class=item href=/b>Sec<b>ond</b></a></body></html>"""


def extracted(extract: dict[str, Any], reply: Reply, **names: object) -> dict[str, object]:
    """Return the variables that one request's extractions write."""
    scope = scope_of(**names)
    before = dict(scope)
    exchange = exchange_of({"get": "/", "extract": extract})
    assert [extractor(reply, scope) for extractor in exchange.extractors] == [None] * len(extract)
    return {name: value for name, value in scope.items() if name not in before}


def words_of(extract: dict[str, Any], reply: Reply) -> str | None:
    return exchange_of({"get": "/", "extract": extract}).extractors[0](reply, scope_of())


@pytest.mark.parametrize(
    ("spec", "value"),
    [
        ("$.token", "t1"),
        ("$.none", None),
        ("$.items[1].id", 2),
        ("$.items[?@.id == 3]", {"id": 3}),
        ({"jsonpath": "$.items[*].id"}, 1),
        ({"jsonpath": "$.items[*].id", "index": "last"}, 3),
        ({"jsonpath": "$.items[*].id", "index": "all"}, [1, 2, 3]),
        ({"jsonpath": "$.token", "index": "all"}, ["t1"]),
        ({"jsonpath": "$.items[${n}].id"}, 3),
        ({"regex": '"token": "(\\w+)"'}, "t1"),
        ({"regex": "t[0-9]"}, "t1"),
        ({"regex": '"id": ([0-9])', "index": "all"}, ["1", "2", "3"]),
        ({"header": "location"}, "/next"),
        ({"cookie": "sid"}, "s 1"),
        ({"jsonpath": "$.miss", "default": None}, None),
        ({"jsonpath": "$.miss", "default": "${n + 1}"}, 3),
    ],
)
def test_values_are_found(spec: object, value: object) -> None:
    """Every source, every index, defaults when nothing is there."""
    headers = (("Location", "/next"), ("Set-Cookie", "other=1"), ("Set-Cookie", "sid=s 1; Path=/"))

    assert extracted({"x": spec}, reply_of(DOCUMENT, headers=headers), n=2) == {"x": value}


def test_random_index_comes_from_the_users_stream() -> None:
    """The same seed picks the same match."""
    spec = {"x": {"jsonpath": "$.items[*].id", "index": "random"}}

    picks = [extracted(spec, reply_of(DOCUMENT))["x"] for _ in range(3)]

    assert picks[0] in (1, 2, 3)
    assert len(set(picks)) == 1


@pytest.mark.parametrize(
    ("spec", "value"),
    [
        ({"css": "a.item"}, "First"),
        ({"css": "a.item", "index": "last"}, "Second"),
        ({"css": "a.item::attr(href)", "index": "all"}, ["/a", "/b"]),
        ({"css": "a.item::text", "index": "all"}, ["First", "Sec"]),
        ({"css": "input[name=csrf]::attr(value)"}, "c&1"),
        ({"xpath": "//a/@href"}, "/a"),
        ({"xpath": "count(//a)"}, 2),
        ({"xpath": "count(//a) div 4"}, 0.5),
        ({"xpath": "string(//a)"}, "First"),
    ],
)
def test_markup_is_searched(spec: dict[str, str], value: object) -> None:
    """CSS and XPath over HTML as browsers read it."""
    found = extracted({"x": spec}, reply_of(HTML))

    assert found == {"x": value}
    assert type(found["x"]) is type(value)


def test_xml_is_searched_and_its_entities_stay_closed() -> None:
    """An entity that names a file is not followed."""
    body = b"""<?xml version="1.0" encoding="ISO-8859-1"?>
    <!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/hostname">]><r><id>7\xe9</id><f>&x;</f></r>"""

    assert extracted({"x": {"xpath": "//id"}}, reply_of(body)) == {"x": "7é"}
    assert extracted({"x": {"xpath": "//f"}}, reply_of(body)) == {"x": "&x;"}


@pytest.mark.parametrize(
    "body", [b"", b"<!DOCTYPE html>", b"\0\xff", b"<?xml version='1.0'?>", b"<?xml ?><html>"]
)
def test_broken_markup_finds_nothing(body: bytes) -> None:
    """Whatever the server sends, nothing raises."""
    assert words_of({"x": {"css": "a.item"}}, reply_of(body)) is not None


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        (
            "$.user.id",
            "`x`: nothing at jsonpath `$.user.id` in a JSON object with the keys token, none, "
            "items",
        ),
        (
            {"regex": "zzz"},
            "`x`: nothing at regex `zzz` in a JSON object with the keys token, none, items",
        ),
        ({"header": "X-Id"}, "`x`: nothing at header `X-Id` in the reply's headers"),
        ({"cookie": "sid"}, "`x`: nothing at cookie `sid` in the cookies that the reply sets"),
    ],
)
def test_failure_says_what_was_looked_for_in_what(spec: object, words: str) -> None:
    """A required extraction that finds nothing fails, and shows no value of the reply."""
    assert words_of({"x": spec}, reply_of(DOCUMENT)) == words


@pytest.mark.parametrize("index", ["first", "last", "all"])
def test_a_pattern_that_takes_too_long_is_a_failed_extraction(index: str) -> None:
    """It says what it looked for, where, and for how long; a default doesn't hide it."""
    spec = {"regex": r"(a+)+\1$", "index": index, "default": "x"}

    words = words_of({"x": spec}, reply_of(b"a" * 5_000 + b"!"))

    assert (
        words
        == r"`x`: looking for `(a+)+\1$` took over 250 ms in a body of 5001 bytes that is not JSON"
    )


@pytest.mark.parametrize(
    ("spec", "value"),
    [
        ({"regex": r"(\w+)$"}, "größe"),
        ({"regex": r"\d", "index": "all"}, ["1", "٣"]),
        ({"regex": "x*", "index": "all"}, [""] * 10),
        ({"regex": "(x)?", "default": "none"}, "none"),
        ({"regex": r"(?<=٣ )gr", "index": "last"}, "gr"),
    ],
)
def test_patterns_give_what_python_gives(spec: dict[str, object], value: object) -> None:
    """Letters and digits are Unicode's, and `$` matches before the last newline."""
    assert extracted({"x": spec}, reply_of("1٣ größe\n".encode())) == {"x": value}


def test_optional_variable_stays_as_it_is() -> None:
    """`required: false` without a default leaves the variable alone."""
    spec = {"x": {"jsonpath": "$.miss", "required": False}}
    scope = scope_of(x="before")

    assert exchange_of({"get": "/", "extract": spec}).extractors[0](reply_of({}), scope) is None
    assert scope["x"] == "before"


def test_body_is_parsed_once_for_all() -> None:
    """Extractions, expectations and later expressions share one parsed document."""
    step = {
        "get": "/",
        "expect": {"json": {"$.items": {"type": "array"}}},
        "extract": {"a": "$.items", "b": "$.items"},
    }
    exchange, reply, scope = exchange_of(step), reply_of(DOCUMENT), scope_of()

    results = [each(reply, scope) for each in (*exchange.checks, *exchange.extractors)]

    assert results == [None, None, None]
    assert scope["a"] is scope["b"]


@pytest.mark.parametrize(
    ("spec", "path"),
    [
        ("token", ("extract", "x")),
        ({"jsonpath": "$["}, ("extract", "x", "jsonpath")),
        ({"regex": "("}, ("extract", "x", "regex")),
        ({"css": "a["}, ("extract", "x", "css")),
        ({"css": "a, " * 13_000 + "b"}, ("extract", "x", "css")),
        ({"css": ":not(" * 8_000 + "a" + ")" * 8_000}, ("extract", "x", "css")),
        ({"css": "a > " * 10_000 + "b"}, ("extract", "x", "css")),
        ({"xpath": "//a" * 13_000}, ("extract", "x", "xpath")),
        ({"xpath": "a" * 500_000 + "("}, ("extract", "x", "xpath")),
        ({"xpath": "//["}, ("extract", "x", "xpath")),
        ({"xpath": "//a\x01"}, ("extract", "x", "xpath")),
    ],
)
def test_broken_selectors_are_faults(spec: object, path: tuple[str, ...]) -> None:
    """All selectors are compiled before the run; the fault stands where the selector does."""
    compiled = compile_request({"get": "/", "extract": {"x": spec}})

    assert [(f.path, f.code.value) for f in compiled.faults] == [(path, "invalid-value")]


def test_two_sources_are_a_fault() -> None:
    """A variable comes from one place."""
    with pytest.raises(ValueError, match="can't be combined with"):
        compile_request({"get": "/", "extract": {"x": {"regex": "a", "css": "b"}}})


def test_headers_alone_leave_the_body_alone() -> None:
    """What only reads headers doesn't make the client keep bodies."""
    operation = exchange_of({"get": "/", "extract": {"x": {"header": "Location"}}}).operation

    assert (operation.needs_body, operation.needs_head) == (False, True)


XML = (
    b'<?xml version="1.0"?><s:E xmlns:s="http://schemas.test/" xmlns:x="urn:x"><s:Body>'
    b"<!-- note --><?go now?><id x:href='/a'>42</id><id>43</id></s:Body></s:E>"
)


@pytest.mark.parametrize(
    ("spec", "value"),
    [
        ({"xpath": "//s:Body/id"}, "42"),
        ({"xpath": "/s:E/child::s:Body/id[2]"}, "43"),
        ({"css": "s|Body > id"}, "42"),
        ({"xpath": "//@x:href"}, "/a"),
        ({"xpath": "//comment()"}, "note"),
        ({"xpath": "//processing-instruction()"}, "now"),
        ({"xpath": "count(//id)"}, 2),
        ({"xpath": "count(//id) div 4"}, 0.5),
        ({"xpath": "//other:Body/id", "default": "none"}, "none"),
        ({"xpath": "number(//comment())", "default": "none"}, "none"),
    ],
)
def test_xml_is_read_with_the_prefixes_of_its_root(spec: object, value: object) -> None:
    """Of other prefixes there is nothing; whole numbers have no point."""
    assert extracted({"x": spec}, reply_of(XML)) == {"x": value}


@pytest.mark.parametrize(
    ("xpath", "said"),
    [
        ("lower-case(//id)", "lower-case"),
        ("//id[matches(., 'a')]", "matches"),
        ("re:test(//id, 'a')", "re:test"),
        ("document('x')", "document"),
        ("2-matches(//id, 'a')", "matches"),
        ("child::foo(1)", "foo"),
        ("//id[$n]", "$n"),
    ],
)
def test_what_xpath_does_not_have_is_a_fault_of_the_plan(xpath: str, said: str) -> None:
    """A reply would find it out otherwise."""
    compiled = compile_request({"get": "/", "extract": {"x": {"xpath": xpath}}})

    (fault,) = compiled.faults
    assert f"`{said}`" in fault.message
    assert fault.path == ("extract", "x", "xpath")
    assert fault.hint

"""JavaScript is read with places, never run; what can't be read is a place, never an exception."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planrunner.importers.javascript.chains import arguments_of, body_of, chain_of, parameters_of
from planrunner.importers.javascript.constants import NOT_CONSTANT, constants_of, fold
from planrunner.importers.javascript.script import Script, parse, text_of, words_of
from planrunner.loss.ledger import SourcePlace
from tests.support.cpu_time import within_cpu


def script(text: str) -> Script:
    return parse(text, lambda line, column: SourcePlace("a.js", line, column))


@pytest.mark.parametrize(
    ("text", "path", "arguments"),
    [
        ("pm.expect(x).to.be.below(5)", "pm.expect.to.be.below", ["5"]),
        ("(await http.get(u, {a: 1})).json('x')", "http.get.json", ["'x'"]),
        ("r['body'].find(1, /* two */ 2)", "r.body.find", ["1", "2"]),
        ("new Trend('t').add(3)", "Trend.add", ["3"]),
        ("check?.(r)", "check", ["r"]),
        ("f()(2)", "f", ["2"]),
        ("[1, 2].map(f)", ".map", ["f"]),
    ],
)
def test_a_call_is_a_chain_of_names(text: str, path: str, arguments: list[str]) -> None:
    """The names lead from the root to the call, whatever is wrapped around it."""
    call = next(script(text).calls())

    assert chain_of(call).path == path
    assert [text_of(one) for one in chain_of(call).arguments] == arguments


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("`${base}/items`", "http://h/items"),
        ("base + '/' + 1", "http://h/1"),
        ("60 * 5 - 0x10", 284),
        (
            "{a: [1, 2.5, -3], 'b-c': null, [base]: true}",
            {"a": [1, 2.5, -3], "b-c": None, "http://h": True},
        ),
        ("'caf\\u00e9\\n\\x41\\\n'", "café\nA"),
        ("JSON.stringify({n: base})", '{"n":"http://h"}'),
        ("undefined || 'x'", "x"),
        ("list[1].name", "two"),
        ("list.length > 1 ? 1 : 2", NOT_CONSTANT),
        ("base.repeat(9e9)", NOT_CONSTANT),
        ("{...other}", NOT_CONSTANT),
        ("Math.random()", NOT_CONSTANT),
        ("1 / 0", NOT_CONSTANT),
    ],
)
def test_what_is_the_same_in_every_run_folds(text: str, value: object) -> None:
    """Everything else is no constant, and nothing is computed that could take long."""
    names = {"base": "http://h", "list": [{"name": "one"}, {"name": "two"}]}
    statement = script(f"x = ({text})").root.named_children[0].named_children[0]
    right = statement.child_by_field_name("right")

    assert right is not None
    assert fold(right, names) == value


def test_only_names_that_are_never_written_again_are_constants() -> None:
    """An assignment, a count or a `push`, anywhere below, makes a variable."""
    text = "const a = 1, b = a + 1; export const c = 'x'; let d = 1; d++; const e = []; e.push(2);"

    assert constants_of(script(text).root.named_children) == {"a": 1, "b": 2, "c": "x"}


def test_functions_have_parameters_and_a_body() -> None:
    """Both forms of an arrow, and functions; anything else has no body."""
    one, two, three = arguments_of(
        next(script("f(r => r.ok, function (a, b) { c(); d(); }, 1)").calls())
    )

    assert (parameters_of(one), [text_of(s) for s in body_of(one) or ()]) == (("r",), ["r.ok"])
    assert (parameters_of(two), len(body_of(two) or ())) == (("a", "b"), 2)
    assert body_of(three) is None


def test_places_count_characters_from_one() -> None:
    """Also behind characters of several bytes, in any order of asking."""
    parsed = script("a();\né = 'ü'; b(); c();")
    calls = list(parsed.calls())

    places = [parsed.place(one) for one in [*calls, calls[1]]]

    assert [(one.line, one.column) for one in places] == [(1, 1), (2, 10), (2, 15), (2, 10)]


def test_a_script_with_errors_gives_what_can_be_read() -> None:
    """The fault has its place; calls before and after it are found."""
    parsed = script("a(1);\nlet x = ;\nb(2);")

    assert [words_of(one) for one in parsed.calls()] == ["a(1)", "b(2)"]
    assert [parsed.place(one).line for one in parsed.faults()] == [2]


@settings(max_examples=40)
@given(st.text(alphabet="a(){}[]`${}'\"\\;,.=> é\n", max_size=60))
def test_no_text_makes_reading_fail(text: str) -> None:
    """Whatever stands in a script, its calls have chains and its names fold or don't."""
    parsed = script(text)

    for call in parsed.calls():
        assert parsed.place(call).line >= 1
        chain_of(call)
        fold(call)
    constants_of(parsed.root.named_children)


@pytest.mark.slow
def test_a_bundle_in_one_line_is_read_in_time() -> None:
    """Five megabytes of minified code: a place for each call, without counting from the start."""
    text = "x={a:function(e){return f.g(e,'ü')}};" * 130_000

    def places() -> int:
        parsed = script(text)
        return sum(parsed.place(one).column > 0 for one in parsed.calls())

    assert within_cpu(10, places) == 130_000

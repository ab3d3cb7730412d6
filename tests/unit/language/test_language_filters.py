"""Filters, tests and random draws: what they give, and that none escapes its budget."""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import Any
from uuid import UUID

import pytest
from jinja2.filters import FILTERS
from jinja2.tests import TESTS

from planrunner.language.expressions.builtins import filters, names
from planrunner.language.expressions.builtins.random_draws import MAX_TEXT
from planrunner.language.expressions.expression import EvaluationError, ExpressionError, Rand, parse
from planrunner.language.expressions.values import UNDEFINED
from tests.support.cpu_time import within_cpu

SCOPE: dict[str, object] = {
    "s": "some <b>text</b>",
    "n": [3, 1, 2],
    "one": 1,
    "rows": [{"n": 2, "k": "b"}, {"n": 1, "k": "a"}],
    "by_key": {"b": 2, "a": 1},
}


def value_of(source: str) -> Any:
    return parse(source).lower().evaluate({**SCOPE, "rand": Rand(Random(1))})


def test_every_filter_and_test_of_jinja_is_there() -> None:
    """The lists for suggestions are sorted and complete."""
    own = {"b64", "bytes", "date", "hash", "hmac", "json", "jwt"}

    assert set(names.FILTER_NAMES) == set(FILTERS) | own
    assert set(names.TEST_NAMES) == set(TESTS)
    assert set(filters.filters()) == set(names.FILTER_NAMES) - {"random"}
    assert set(filters.tests()) == set(names.TEST_NAMES)
    for listed in (names.FILTER_NAMES, names.TEST_NAMES, names.ROOT_HELPERS):
        assert list(listed) == sorted(listed)


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("-3 | abs", 3),
        ("by_key | attr('a')", 1),
        ("s | b64", "c29tZSA8Yj50ZXh0PC9iPg=="),
        ("'\u00e9' | bytes", b"\xc3\xa9"),
        ("'\u00e9' | bytes | length", 2),
        ("'\u00e9' | bytes | b64", "w6k="),
        ("n | batch(2)", [[3, 1], [2]]),
        ("'abc' | capitalize", "Abc"),
        ("'ab' | center(6)", "  ab  "),
        ("by_key | dictsort", [("a", 1), ("b", 2)]),
        ("s | e", "some &lt;b&gt;text&lt;/b&gt;"),
        ("(s | e) ~ '<'", "some &lt;b&gt;text&lt;/b&gt;<"),
        ("1500 | filesizeformat", "1.5 kB"),
        ("n | first", 3),
        ("n | last", 2),
        ("'1.5' | float", 1.5),
        ("'%s-%05.1f' | format(true, 1.25)", "true-001.2"),
        ("'%(a)s' | format(a=none)", "null"),
        ("rows | groupby('k') | map(attribute='grouper')", ["a", "b"]),
        ("(rows | groupby('k'))[0].list[0].n", 1),
        ("'a\nb' | indent(2)", "a\n  b"),
        ("'7' | int + 1", 8),
        ("'ff' | int(base=16)", 255),
        ("by_key | items", [["b", 2], ["a", 1]]),
        ("[1, true, none, 'x'] | join(', ')", "1, true, null, x"),
        ("rows | join('-', attribute='k')", "b-a"),
        ("{'a': [1, 'x', none]} | json", '{"a":[1,"x",null]}'),
        ("s | json", '"some <b>text</b>"'),
        ("true | json", "true"),
        ("n | length", 3),
        ("n | count", 3),
        ("'abc' | list", ["a", "b", "c"]),
        ("by_key | list", ["b", "a"]),
        ("'ABC' | lower", "abc"),
        ("true | upper", "TRUE"),
        ("n | map('string')", ["3", "1", "2"]),
        ("rows | map(attribute='n')", [2, 1]),
        ("rows | map(attribute='zz', default=0)", [0, 0]),
        ("n | max", 3),
        ("rows | min(attribute='n')", {"n": 1, "k": "a"}),
        ("n | reject('odd')", [2]),
        ("rows | rejectattr('n', 'equalto', 2)", [{"n": 1, "k": "a"}]),
        ("'a.b' | replace('.', 1)", "a1b"),
        ("'aaa' | replace('a', 'b', 2)", "bba"),
        ("n | reverse", [2, 1, 3]),
        ("'abc' | reverse", "cba"),
        ("2.567 | round(1)", 2.6),
        ("n | select('odd')", [3, 1]),
        ("rows | selectattr('k', 'equalto', 'a')", [{"n": 1, "k": "a"}]),
        ("n | slice(2)", [[3, 1], [2]]),
        ("n | sort(reverse=true)", [3, 2, 1]),
        ("rows | sort(attribute='n') | map(attribute='k')", ["a", "b"]),
        ("[1, true] | string", "[1,true]"),
        ("s | striptags", "some text"),
        ("n | sum", 6),
        ("n | sum(start=0.5)", 6.5),
        ("rows | sum(attribute='n')", 3),
        ("'a b' | title", "A B"),
        ("{'a': '<'} | tojson", '{"a": "\\u003c"}'),
        ("' x ' | trim", "x"),
        ("'some long text' | truncate(8, true, '..', 0)", "some l.."),
        ("[1, 2, 1] | unique", [1, 2]),
        ("'a/b c\u00e9' | urlencode", "a%2Fb%20c%C3%A9"),
        ("'safe-_.~1' | urlencode", "safe-_.~1"),
        ("{'q': 'a b', 'n': 1} | urlencode", "q=a%20b&n=1"),
        ("[['q', true]] | urlencode", "q=true"),
        ("5 | urlencode", "5"),
        ("'some words' | wordcount", 2),
        ("'some words' | wordwrap(5)", "some\nwords"),
        ("{'a': 1} | xmlattr", ' a="1"'),
        ("n | join(*['-'])", "3-1-2"),
        ("n | sort(**{'reverse': true})", [3, 2, 1]),
    ],
)
def test_a_filter_gives_plain_data(source: str, value: object) -> None:
    """Lists instead of generators, text instead of markup, and texts as the plan writes them."""
    result = value_of(source)

    assert result == value
    assert type(result) is type(value)


@pytest.mark.parametrize(
    "source",
    [
        "'a' * 2000000000",
        "['a'] * 2000000000",
        "2000000000 * 'a'",
        "10 ** 10 ** 10 ** 10 ** 10",
        "9 ** 99999999",
        "2 ** 4096",
        "(2 ** 4000) * (2 ** 4000)",
        "range(10 ** 9) | list",
        "range(0, -(10 ** 9), -1)",
        "('x' * 900000) + ('x' * 900000)",
        "('x' * 900000) ~ ('x' * 900000)",
        "['x' * 1000000] * 100000",
        "[['x' * 1000000] * 3, 1]",
        "'a' | center(10 ** 9)",
        "'a' | indent(10 ** 9)",
        "('\n' * 10000) | indent('x' * 10000)",
        "'%1000000000d' | format(1)",
        "'%1000000000d' % 1",
        "'%*d' | format(1000000000, 1)",
        "'%.1000000000f' | format(1)",
        "('%(a)s' * 1000) | format(a='x' * 100000)",
        "'' | replace('', 'x' * 1000001)",
        "('a' * 10000) | replace('a', 'x' * 10000)",
        "['x' * 1000] * 10000 | join",
        "[1] * 10000 | join('x' * 10000)",
        "1.5 | round(10 ** 9)",
        "1 | tojson(indent=10 ** 9)",
        "'x' * 200000 | tojson('x' * 200000)",
        "'x' * 200000 | tojson([1] * 20000)",
        "[1] * 1000 | batch(10 ** 9, 0) | list",
        "[1] | slice(10 ** 9) | list",
        "('<!---->' * 100000) | striptags",
        "('www.a.b ' * 100000) | urlize",
        "('a' * 900000) | trim('b' * 90000 ~ 'a')",
        "('a' * 10000) | wordwrap(1, true, 'x' * 100000)",
        "range(100000) | map('center', 1000) | list",
        "(['x' * 1000000] * 3) | map('wordcount') | list",
        "[[[1] * 1000] * 100] * 100 | map('sum') | list",
        "('f' * 100000) | int(base=16)",
        "[['x'] * 1000] * 1000 | sum(start=[])",
        "('a' * 999999) | upper ~ ('a' * 999999) | upper ~ ('a' * 999999) | upper",
        "(" * 1000 + "1" + ")" * 1000,
        "[" * 40 + "]" * 40,
        "not " * 5000 + "1",
        "-" * 5000 + "1",
        "1" + " + 1" * 2000,
        "1" + "|abs" * 2000,
        "a" + ".a" * 2000,
        "a" + "[0]" * 2000,
        "1 if 1 else " * 800 + "1",
        "a" * 100_000,
        "[" + "1," * 50_000 + "1]",
        "9" * 5000,
        "{" * 9000,
        "'" + "\\'" * 4000,
    ],
)
def test_an_explosion_ends_in_an_error_at_once(source: str) -> None:
    """Validating a plan from a stranger takes neither time nor memory."""

    def read() -> ExpressionError:
        with pytest.raises(ExpressionError) as caught:
            parse(source).lower()
        return caught.value

    fault = within_cpu(0.8, read)

    assert len(fault.message) < 200


@pytest.mark.parametrize(
    "source",
    [
        "'a' * (one * 2000000000)",
        "n * (one * 2000000000)",
        "9 ** (one * 99999999)",
        "'a' | center(one * 2000000000)",
        "range(one * 10 ** 9)",
        "rand.text(one * 10 ** 9)",
        "[s * 60000] * (one * 1000) | join",
        "n | batch(one * 10 ** 9, 0)",
        "[s * 60000, s * 60000] | string",
        "[s * 60000, s * 60000] | json",
        "n | map('center', one * 10 ** 9) | list",
    ],
)
def test_an_explosion_at_run_time_is_a_failure(source: str) -> None:
    """What only the user's variables make too large fails the step, not the run."""

    def read() -> None:
        with pytest.raises(EvaluationError):
            value_of(source)

    within_cpu(0.8, read)


# --- draws --------------------------------------------------------------------------------------


def test_draws_repeat_with_the_seed() -> None:
    """The same stream gives the same values, filter `random` included."""
    source = (
        "[rand.int(1, 1000), rand.float(0, 1), rand.text(9), rand.lower(9), rand.uuid(),"
        " rand.choice([1, 2, 3]), n | random]"
    )

    first, second = value_of(source), value_of(source)

    assert first == second
    assert parse(source).lower().evaluate({**SCOPE, "rand": Rand(Random(2))}) != first


def test_draws_stay_in_their_range() -> None:
    """Both ends of an integer range can come up; letters are what was asked for."""
    rand = Rand(Random(3))

    assert {rand.int(1, 3) for _ in range(200)} == {1, 2, 3}
    assert all(2.5 <= rand.float(2.5, 2.75) <= 2.75 for _ in range(100))
    assert {rand.choice("ab") for _ in range(100)} == {"a", "b"}
    assert rand.choice({"k": 1}) == "k"
    assert {rand.pick([1, 2]) for _ in range(100)} == {1, 2}
    assert rand.pick([]) is UNDEFINED
    assert UUID(rand.uuid()).version == 4
    assert UUID(rand.uuid()).variant == "specified in RFC 4122"


@pytest.mark.parametrize("length", [0, 1, 2, 17, 1000])
def test_a_random_text_has_its_length(length: int) -> None:
    """Whatever share of the drawn bytes is thrown away."""
    rand = Rand(Random(4))

    assert len(rand.text(length)) == length
    assert len(rand.lower(length)) == length


def test_each_letter_of_a_random_text_is_as_likely() -> None:
    """Chi-squared over 62 letters, far from the 99.9 % point of 61 degrees of freedom (100)."""
    drawn = Counter(Rand(Random(5)).text(62_000))
    lower = Counter(Rand(Random(5)).lower(26_000))

    assert len(drawn) == 62
    assert "".join(drawn).isalnum()
    assert sum((count - 1000) ** 2 / 1000 for count in drawn.values()) < 100
    assert "".join(sorted(lower)) == "abcdefghijklmnopqrstuvwxyz"
    assert sum((count - 1000) ** 2 / 1000 for count in lower.values()) < 53


@pytest.mark.parametrize("length", [-1, 1.5, "3", MAX_TEXT + 1])
def test_an_impossible_length_is_refused(length: Any) -> None:
    """Negative, not whole, or too long."""
    with pytest.raises(EvaluationError):
        Rand(Random(1)).text(length)

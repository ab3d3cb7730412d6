"""What expressions mean: values, names, undefined, constants."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from planrunner.language.diagnostics import Code
from planrunner.language.expressions.expression import (
    RESERVED,
    UNDEFINED,
    EvaluationError,
    ExpressionError,
    Rand,
    Reference,
    parse,
    to_text,
)

UNFINISHED = "finish the expression, or remove what it ends with"


def scope() -> dict[str, object]:
    """Return names as a user has them after a request whose body was not JSON."""
    return {
        "a": 1,
        "s": "text",
        "nothing": None,
        "numbers": [3, 1, 2],
        "empty": [],
        "row": {"id": 7, "items": "a key", "deep": {"list": [{"x": "found"}]}},
        "rows": [{"n": 1, "k": "x"}, {"n": 2, "k": "y"}],
        "json": UNDEFINED,
        "rand": Rand(Random(1)),
        "now": lambda: 12.5,
    }


def value_of(source: str, **constants: object) -> Any:
    return parse(source).lower(constants).evaluate(scope())


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("a", 1),
        ("row.id", 7),
        ("{'class': 1, 'if': 2, 'not': 3}.if", 2),
        ("row['id']", 7),
        ("row.deep.list[0].x", "found"),
        ("numbers[-1]", 2),
        ("numbers[a]", 1),
        ("numbers[1:]", [1, 2]),
        ("numbers[:a]", [3]),
        ("s[::-1]", "txet"),
        ("s[0]", "t"),
        ("nothing", None),
        ("true and not false", True),
        ("a + 1 - 2 * 3 / 4", 0.5),
        ("7 // 2 + 7 % 4", 6),
        ("2 ** 3 ** 2", 64),
        ("-a + +a", 0),
        ("'x' * 3", "xxx"),
        ("[1] + [2]", [1, 2]),
        ("'%03d|%s' % (a, true)", "001|true"),
        ("s ~ a ~ true ~ none ~ 1.5 ~ [1, 'x'] ~ {'k': none}", 'text1truenull1.5[1,"x"]{"k":null}'),
        ("1 < 2 <= 2 != 3", True),
        ("1 < 2 > 5", False),
        ("a in numbers and 9 not in numbers", True),
        ("'ex' in s and 'id' in row", True),
        ("'yes' if a else 'no'", "yes"),
        ("'yes' if not a else 'no'", "no"),
        ("0 or 'last'", "last"),
        ("0 and unknown_later", 0),
        ("[a, (a, s), {'k': a}]", [1, (1, "text"), {"k": 1}]),
        ("{'k': a}.k", 1),
        ("range(2, 8, 3)", [2, 5]),
        ("dict(a=1, b=a)", {"a": 1, "b": 1}),
        ("now()", 12.5),
        ("a is defined and a is not none and a is odd", True),
        ("row is mapping and s is string and a is number", True),
        ("a is divisibleby 1", True),
        ("'a' 'b'", "ab"),
        (r"'\d\n\u00e9\x41'", "\\d\n\u00e9A"),
    ],
)
def test_an_expression_has_the_value_that_jinja_gives_it(source: str, value: object) -> None:
    """Jinja2's language over plain data, with texts as the plan language writes them."""
    result = value_of(source)

    assert result == value
    assert type(result) is type(value)


def test_a_key_called_like_a_method_is_a_key() -> None:
    """`json.items` is what a reply calls items."""
    assert value_of("row.items") == "a key"


@pytest.mark.parametrize(
    "source",
    [
        "s.__class__",
        "s.upper",
        "numbers.append",
        "a.real",
        "row.keys",
        "row.__init__",
        "rows[0].get",
        "now.__globals__",
        "s | attr('__class__')",
        "[s] | map(attribute='__class__') | list",
        "[s] | map('attr', '__class__') | list",
        "rows | selectattr('__class__', 'defined') | first",
        "rows | sort(attribute='__class__')",
        "rows | groupby('__class__')",
        "rows | sum(attribute='__class__')",
        "rows | join(attribute='__class__')",
        "rows | max(attribute='__class__')",
        "rows | unique(attribute='__class__')",
        "s.upper()",
        "row.items()",
        "rand.choice.__self__",
        "rand._rng",
        "rand.pick([1])",
        "rand.__class__()",
        "rand",
        "rand['_rng']",
        "now",
        "fake",
        "(rand)",
        "[rand]",
        "range.__class__",
        "cycler.__init__",
        "lipsum()",
        "namespace(a=1)",
        "self._TemplateReference__context",
        "''.__class__.__mro__",
        "'{0.__class__}'.format(a)",
        "s | map('attr')",
    ],
)
def test_nothing_of_a_python_object_is_reachable(source: str) -> None:
    """Attributes are keys, calls are listed helpers, filters look items up."""
    with pytest.raises((ExpressionError, EvaluationError)):
        value_of(source)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("json", "`json` is undefined"),
        ("json.a.b", "`json.a.b` is undefined, since `json` is"),
        ("row.none.b", "`row.none.b` is undefined, since `row.none` is"),
        ("row['no such']", "`row['no such']` is undefined"),
        ("numbers[9]", "`numbers[9]` is undefined"),
        ("row[s]", "`row[\u2026]` is undefined in `row[s]`"),
        ("absent", "`absent` is undefined"),
        ("empty | first", "`empty | first` is undefined"),
        ("empty | random", "`empty | random` is undefined"),
        ("json.a + 1", "`json.a` is undefined, since `json` is in `json.a + 1`"),
        ("not json", "`json` is undefined in `not json`"),
        ("json or 1", "`json` is undefined in `json or 1`"),
        ("1 if json else 2", "`json` is undefined in `1 if json else 2`"),
        ("json == none", "`json` is undefined in `json == none`"),
        ("[json]", "`json` is undefined in `[json]`"),
        ("json ~ ''", "`json` is undefined in `json ~ ''`"),
        ("json | upper", "`json` is undefined in `json | upper`"),
        ("s | default(json) ~ json", "`json` is undefined in `s | default(json) ~ json`"),
        ("absent | default(json.x)", "`json.x` is undefined, since `json` is"),
        ("rows | map(attribute='z') | list", "an item has no such key"),
    ],
)
def test_using_what_is_undefined_says_which_part_is_missing(source: str, message: str) -> None:
    """A missing name, attribute or item fails where it is used, and is named."""
    with pytest.raises(EvaluationError) as caught:
        value_of(source)

    assert caught.value.message.startswith(message)


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("json.a.b | default(3)", 3),
        ("json.a.b | d", ""),
        ("absent.x | default(json.y) | default('z')", "z"),
        ("row.deep.missing[0].x | default(none)", None),
        ("row[s].x | default(0)", 0),
        ("(json if a else json) | default(5)", 5),
        ("(a and json.x) | default(6)", 6),
        ("(1 if a > 5) | default(7)", 7),
        ("empty | first | default('none')", "none"),
        ("'' | default('x', true)", "x"),
        ("'' | default('x', boolean=true)", "x"),
        ("'' | default('x')", ""),
        ("json.a is defined", False),
        ("json.a is undefined", True),
        ("row.id is defined", True),
        ("absent is not defined", True),
        ("a | default(absent)", 1),
    ],
)
def test_default_and_is_defined_accept_what_is_undefined(source: str, value: object) -> None:
    """It stays undefined through further attributes until one of them asks."""
    assert value_of(source) == value


def test_a_condition_without_else_fails_when_it_is_false() -> None:
    """There is no silent empty value."""
    with pytest.raises(EvaluationError) as caught:
        value_of("1 if a > 5")

    assert caught.value.hint == "add an `else`: `a if b else c`"


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("a + s", "`+` can't take a number and text in `a + s`"),
        ("a < s", "`<` can't take a number and text in `a < s`"),
        ("0 < a < s", "`<` can't take a number and text in `0 < a < s`"),
        ("a in a", "`in` can't take a number and a number in `a in a`"),
        ("a / 0", "division by zero in `a / 0`"),
        ("2.5 ** (a * 9999)", "the result of `**` is too large in `2.5 ** (a * 9999)`"),
        ("(a - 9) ** 0.5", "the root of a negative number is not a real number"),
        ("-s", "text has no sign in `-s`"),
        ("numbers | upper + a", "`+` can't take text and a number"),
        ("a | first", "the filter `first` can't use a number this way in `a | first`"),
        ("a is divisibleby(a - a)", "the test `divisibleby` can't use a number this way"),
        ("s is divisibleby a", "the test `divisibleby` can't use text this way"),
        ("rand.int(5, 1)", "`rand.int` can't use these arguments in `rand.int(5, 1)`"),
        ("rand.int(a, s)", "`rand.int` can't use these arguments in `rand.int(a, s)`"),
        ("rand.choice(empty)", "can't choose from an empty list"),
        ("rand.text(-a)", "a random text needs a length: a whole number from 0"),
        ("range(s)", "`range` can't use these arguments in `range(s)`"),
        ("{numbers: 1}", "`{numbers: 1}` has no value"),
    ],
)
def test_a_value_that_cannot_be_had_names_the_expression(source: str, message: str) -> None:
    """Kinds and the expression, never Python's words."""
    with pytest.raises(EvaluationError) as caught:
        value_of(source)

    assert caught.value.message.startswith(message)


@pytest.mark.parametrize(
    "source",
    [
        "secret + 1", "secret / 2", "secret < 1", "secret | round", "secret | first | round",
        "row[secret]", "secret.a.b", "rand.int(secret, 1)", "secret | format(1) | round",
        "secret is divisibleby 2", "[secret] | sum", "{'k': secret} | sum", "range(secret)",
        "secret | items", "[{'k': secret}] | groupby('x')", "[secret] | map('round') | list",
        "'%d' % secret",
        "-secret",
        "[secret] | map(attribute='x') | list", "secret | batch(secret)", "secret | sort(secret)",
        "secret | tojson(secret)", "dict(secret)",
        "[{'k': secret}] | map('wrong' ~ secret) | list",
    ],
)  # fmt: skip
def test_no_message_holds_a_value(source: str) -> None:
    """The value may be a secret."""
    names = {**scope(), "secret": "hunter2"}

    with pytest.raises(EvaluationError) as caught:
        parse(source).lower().evaluate(names)

    assert "hunter2" not in caught.value.message + caught.value.hint
    assert caught.value.__suppress_context__


# --- references ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "references"),
    [
        ("a", [Reference("a", (), 0)]),
        (" a.b['c'][0].d ", [Reference("a", ("b", "c"), 1)]),
        ("a[b.c].d", [Reference("a", (), 0), Reference("b", ("c",), 2)]),
        ("x | default(y)", [Reference("x", (), 0, optional=True), Reference("y", (), 12)]),
        (
            "x.q | default(y) | default(1)",
            [Reference("x", ("q",), 0, optional=True), Reference("y", (), 14, optional=True)],
        ),
        ("x is defined and y", [Reference("x", (), 0, optional=True), Reference("y", (), 17)]),
        ("rand.int(1, n)", [Reference("rand", ("int",), 0), Reference("n", (), 12)]),
        ("now() - t", [Reference("now", (), 0), Reference("t", (), 8)]),
        ("range(n)", [Reference("n", (), 6)]),
        ("l | map('x' ~ y)", [Reference("l", (), 0), Reference("y", (), 14)]),
        ("f(*[]) if 0 else 1", None),
        ("dict(k=v)", [Reference("v", (), 7)]),
        ("{'k': v}.k.b", [Reference("v", (), 6)]),
        ("true and none", []),
    ],
)
def test_the_names_an_expression_reads_are_known_with_their_place(
    source: str, references: list[Reference] | None
) -> None:
    """The compiler resolves them before any load is sent."""
    if references is None:
        with pytest.raises(ExpressionError):
            parse(source)
        return

    assert list(parse(source).references) == references


@pytest.mark.parametrize(
    ("source", "offset", "message", "hint"),
    [
        ("a +", 2, "unexpected end of the expression", UNFINISHED),
        ("a b", 2, "unexpected `b`", ""),
        ("a = 1", 2, "`=` assigns nothing here", "compare with `==`"),
        ("a && b", 2, "unexpected `&`", "write `and`"),
        ("!a", 0, "unexpected `!`", "write `not x`, or `x != y`"),
        ("a || b", 3, "expected token `name`, got `|`", "write `or`"),
        ("'abc", 0, "a text is not closed", ""),
        ("a}", 1, "unexpected `}`", ""),
        ("(a", 1, "unexpected end of the expression, expected `)`",
         UNFINISHED),
        ("\r\n$", 2, "unexpected `$`", ""),
        ("", 0, "the expression is empty", "write a name: `${x}`"),
        ("a | upperr", 4, "there is no filter `upperr`", "did you mean `upper`?"),
        ("a is strin", 2, "there is no test `strin`", "did you mean `string`?"),
        ("[] | map('nope')", 9, "there is no filter `nope`", ""),
        ("[] | map('random')", 9, "there is no filter `random`", ""),
        ("[] | select('ood')", 12, "there is no test `ood`", "did you mean `odd`?"),
        ("[] | selectattr('x', 'ood')", 21, "there is no test `ood`", "did you mean `odd`?"),
        ("rand.itn(1)", 4, "there is no helper `rand.itn`", "did you mean `rand.int`?"),
        ("x + rand", 4, "`rand` must be called", "write `rand.int(\u2026)`"),
        ("rand.uuid", 0, "`rand` must be called", "write `rand.uuid(\u2026)`"),
        ("now", 0, "`now` must be called", "write `now()`"),
        ("upper(a)", 0, "there is no helper `upper`", "`upper` is a filter: write `x | upper`"),
        ("rang(3)", 0, "there is no helper `rang`", "did you mean `range`?"),
        ("a.upper()", 7, "a value can't be called", "write the filter: `| upper`"),
        ("a.b()", 3, "a value can't be called", "`.b` is the key `b`"),
        ("rnad.int(1, 2)", 8, "a value can't be called", "did you mean `rand`?"),
        ("a | uper", 4, "there is no filter `uper`", "did you mean `upper`?"),
        ("a | base64", 4, "there is no filter `base64`", "write `b64`"),
        (
            *("a | qqq", 4, "there is no filter `qqq`"),
            "filters are `default`, `int`, `float`, `string`, `length`, `lower`, `upper`, "
            "`replace`, `join`, `first`, `random`, `json` … and all that "
            "`planrunner schema expressions` lists",
        ),
        ("a[0]()", 4, "a value can't be called", ""),
    ],
)  # fmt: skip
def test_a_wrong_expression_says_where_and_what_to_write(
    source: str, offset: int, message: str, hint: str
) -> None:
    """The offset is that of the faulty character in the source."""
    with pytest.raises(ExpressionError) as caught:
        parse(source)

    assert (caught.value.offset, caught.value.message) == (offset, message)
    if hint:
        assert caught.value.hint == hint


def test_an_unknown_helper_is_an_unknown_name() -> None:
    """Syntax and names have slugs of their own."""
    with pytest.raises(ExpressionError) as unknown:
        parse("rang(3)")
    with pytest.raises(ExpressionError) as syntax:
        parse("a +")

    assert unknown.value.code is Code.UNKNOWN_NAME
    assert syntax.value.code is Code.EXPRESSION_SYNTAX


# --- constants ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("1 + 2", 3),
        ("size * 2", 20),
        ("cfg.url | upper", "HTTP://X"),
        ("cfg.missing | default(size)", 10),
        ("cfg.missing is defined", False),
        ("[size, {'k': size}]", [10, {"k": 10}]),
        ("'a' if size > 5 else user_name", "a"),
        ("off and user_name", False),
        ("size or user_name", 10),
        ("100 / off if off else 0", 0),
    ],
)
def test_what_depends_on_constants_only_is_folded(source: str, value: object) -> None:
    """It needs no scope, and branches that can't be reached aren't looked at."""
    lowered = parse(source).lower({"size": 10, "cfg": {"url": "http://x"}, "off": False})

    assert lowered.is_constant
    assert lowered.value == value
    assert lowered.evaluate({}) is lowered.value


@pytest.mark.parametrize("source", ["size + a", "rand.int(1, 2)", "now()", "[1] | random", "a"])
def test_what_depends_on_the_user_is_not_folded(source: str) -> None:
    """Draws and the time differ each time."""
    assert not parse(source).lower({"size": 10}).is_constant


@pytest.mark.parametrize(
    ("source", "offset", "message"),
    [
        ("a + 1 / 0", 4, "division by zero"),
        ("cfg.missing", 3, "`cfg.missing` is undefined"),
        ("cfg.a.b + 1", 5, "`cfg.a.b` is undefined, since `cfg.a` is"),
        ("a ~ ('x' + 1)", 5, "`+` can't take text and a number"),
        ("{[]: 1}", 0, "the expression has no value"),
    ],
)
def test_a_constant_part_without_value_is_found_when_compiling(
    source: str, offset: int, message: str
) -> None:
    """Before any load is sent, with its place."""
    with pytest.raises(ExpressionError) as caught:
        parse(source).lower({"cfg": {"url": 1}})

    assert (caught.value.offset, caught.value.message) == (offset, message)
    assert caught.value.code is Code.EXPRESSION_FAILED
    assert caught.value.failed


def test_equal_sources_are_parsed_once() -> None:
    """A plan repeats its expressions."""
    assert parse("a.b | upper") is parse("a.b | upper")


# --- rendering ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("x", "x"), (1, "1"), (1.5, "1.5"), (1e16, "1e+16"), (True, "true"), (False, "false"),
        (None, "null"), ([1, "\u00e9", None], '[1,"\u00e9",null]'), ((1, 2), "[1,2]"),
        ({"a": {"b": [True]}}, '{"a":{"b":[true]}}'), ({1: 2}, '{"1":2}'), (b"abc", "abc"),
        ([b"abc"], '["abc"]'), ([10**40], f"[{10**40}]"),
    ],
)  # fmt: skip
def test_values_read_as_in_json(value: object, text: str) -> None:
    """Not as in Python: `true`, not `True`."""
    assert to_text(value) == text


@pytest.mark.parametrize(
    "value",
    [float("nan"), float("inf"), [float("inf")], b"\xff", object(), {(1, 2): 3}, [10**5000],
     ["x" * 600_000] * 2],
)  # fmt: skip
def test_what_has_no_text_fails(value: object) -> None:
    """Nothing that isn't JSON is sent by accident."""
    with pytest.raises(EvaluationError):
        to_text(value)


def test_the_reserved_names_are_those_of_the_language() -> None:
    """Names that no param, data source, state or variable may take."""
    assert " ".join(sorted(RESERVED)) == (
        "body fake files headers iteration json now phase pool rand run services status user"
    )

"""Properties of expressions: the same values as Jinja2, folded or not, and no stray exception."""

from __future__ import annotations

import json
import math
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jinja2 import StrictUndefined
from jinja2.sandbox import SandboxedEnvironment

from planrunner.language.expressions.expression import (
    EvaluationError,
    ExpressionError,
    Rand,
    parse,
    to_text,
)
from tests.support.cpu_time import within_cpu

NAMES: dict[str, Any] = {
    "i": 3,
    "f": 0.5,
    "t": "text",
    "l": [3, 1, 2],
    "m": {"a": 1, "b": {"c": "x"}},
    "rows": [{"n": 2, "k": "b"}, {"n": 1, "k": "a"}],
}
JINJA = SandboxedEnvironment(undefined=StrictUndefined, optimized=False)

numbers = st.sampled_from(["i", "f", "m.a", "l[0]", "0", "1", "2.5", "7", "l | sum", "rows[1].n"])
texts = st.sampled_from(["t", "m.b.c", "'a'", "'Some Text'", "''", "l | join('-')", "t | upper"])
lists = st.sampled_from(
    ["l", "[1, i]", "[]", "l | sort", "rows | map(attribute='n') | list", "range(4) | list"]
)


def _number(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    operators = st.sampled_from(["+", "-", "*", "/", "//", "%"])
    return st.one_of(
        st.tuples(inner, operators, inner).map(lambda p: f"({p[0]} {p[1]} {p[2]})"),
        inner.map(lambda n: f"-({n})"),
        inner.map(lambda n: f"({n}) | abs"),
        inner.map(lambda n: f"({n}) | round(1)"),
        st.tuples(inner, _condition(inner), inner).map(lambda p: f"({p[0]} if {p[1]} else {p[2]})"),
    )


def _condition(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    compare = st.sampled_from(["<", "<=", "==", "!=", ">", ">="])
    single = st.tuples(inner, compare, inner).map(lambda p: f"({p[0]} {p[1]} {p[2]})")
    chained = st.tuples(inner, compare, inner, compare, inner).map(lambda p: f"({' '.join(p)})")
    tests = st.tuples(inner, st.sampled_from(["number", "odd", "none", "defined"])).map(
        lambda p: f"({p[0]} is {p[1]})"
    )
    inside = st.tuples(inner, lists).map(lambda p: f"({p[0]} in ({p[1]}))")
    plain = st.one_of(single, chained, tests, inside)
    return st.one_of(
        plain,
        st.tuples(plain, st.sampled_from(["and", "or"]), plain).map(lambda p: f"({' '.join(p)})"),
        plain.map(lambda c: f"(not {c})"),
    )


number_expressions = st.recursive(numbers, _number, max_leaves=8)
text_expressions = st.one_of(
    texts,
    st.tuples(texts, texts).map(lambda p: f"({p[0]}) ~ ({p[1]})"),
    st.tuples(texts, st.sampled_from(["lower", "title", "trim", "length", "reverse"])).map(
        lambda p: f"({p[0]}) | {p[1]}"
    ),
    st.tuples(texts, st.integers(-3, 3), st.integers(-3, 3)).map(
        lambda p: f"({p[0]})[{p[1]}:{p[2]}]"
    ),
)
list_expressions = st.one_of(
    st.tuples(lists, lists).map(lambda p: f"({p[0]}) + ({p[1]})"),
    st.tuples(lists, st.sampled_from(["length", "unique | list", "reverse | list", "sum"])).map(
        lambda p: f"({p[0]}) | {p[1]}"
    ),
)
expressions = st.one_of(
    number_expressions, _condition(number_expressions), text_expressions, list_expressions
)


def _jinja(source: str) -> tuple[str, Any]:
    try:
        return "value", JINJA.compile_expression(source, undefined_to_none=False)(**NAMES)
    except (TypeError, ValueError, ArithmeticError, LookupError):
        return "failed", None


def _ours(source: str, constants: dict[str, Any]) -> tuple[str, Any]:
    names = {name: value for name, value in NAMES.items() if name not in constants}
    try:
        return "value", parse(source).lower(constants).evaluate(names)
    except (ExpressionError, EvaluationError):
        return "failed", None


@settings(max_examples=60)
@given(expressions)
def test_the_value_is_the_one_that_jinja_gives(source: str) -> None:
    """The language is Jinja2's, only the machinery is ours."""
    kind, expected = _jinja(source)
    ours, value = _ours(source, {})

    assert ours == kind
    assert value == expected or (isinstance(value, float) and math.isnan(value))
    assert type(value) is type(expected)


@settings(max_examples=60)
@given(expressions, st.sets(st.sampled_from(sorted(NAMES))))
def test_folding_changes_no_value(source: str, constant: set[str]) -> None:
    """Which names are known before the run makes no difference to the result."""
    _, expected = _ours(source, {})
    kind, value = _ours(source, {name: NAMES[name] for name in constant})

    if kind == "value":
        assert value == expected or (isinstance(value, float) and math.isnan(value))


# fmt: off
TOKENS = st.sampled_from([
    "a", "b.c", "json.x", "rows", "${", "}", "(", ")", "[", "]", "{", "}", ",", ":", ";", ".",
    "|", "+", "-", "*", "/", "//", "%", "**", "~", "==", "!=", "<", ">", "=", "and", "or", "not",
    "in", "is", "if", "else", "true", "none", "0", "1", "9999999", "1.5", "'x'", '"y"', "'", '"',
    "upper", "first", "default", "map", "select", "attribute=", "join", "center", "round",
    "rand.int", "rand.text", "now()", "range", "dict", "__class__", "$", "#", "!", "\\",
    "\u4e2d", "\n",
])
# fmt: on


@pytest.mark.slow
@settings(max_examples=500)
@given(st.lists(TOKENS, max_size=14))
def test_no_text_gets_past_the_two_errors(tokens: list[str]) -> None:
    """Whatever is written: an error with a place, a failed step, or a value; and at once."""
    source = " ".join(tokens)
    scope = {"a": 1, "b": {"c": "t"}, "rows": NAMES["rows"], "rand": Rand(Random(1)),
             "now": lambda: 1.0}  # fmt: skip

    def offset() -> int:
        try:
            to_text(parse(source).lower({"one": 1}).evaluate(scope))
        except ExpressionError as error:
            return error.offset
        except EvaluationError:
            pass
        return 0

    assert 0 <= within_cpu(1, offset) <= len(source)


json_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text(), st.floats(allow_nan=False,
                                                                         allow_infinity=False)),
    lambda inner: st.one_of(st.lists(inner), st.dictionaries(st.text(), inner)),
    max_leaves=10,
)  # fmt: skip


@settings(max_examples=40)
@given(json_values)
def test_json_reads_back(value: Any) -> None:
    """What `json` and the rendering of a list write is JSON of the same value."""
    text = parse("x | json").lower().evaluate({"x": value})

    assert json.loads(str(text)) == value
    if isinstance(value, list | dict):
        assert to_text(value) == text

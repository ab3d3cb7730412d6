"""Whatever a reply puts into an expression, it gives a value or its own error."""

from __future__ import annotations

import contextlib
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planrunner.language.expressions.builtins.filters_table import FILTERS
from planrunner.language.expressions.builtins.helpers_table import METHODS
from planrunner.language.expressions.builtins.tests_table import TESTS
from planrunner.language.expressions.expression import (
    EvaluationError,
    ExpressionError,
    Rand,
    parse,
    to_text,
)
from tests.support.hostile import HOSTILE

FILTER_NAMES = sorted({one.name for one in FILTERS})
TEST_NAMES = sorted({one.name for one in TESTS})
CALLS = ("", "(a)", "(a, b)", "(a, b, c)", "(2)", "('x')", "(0)", "(none)", "(b, a=1)")


def gives_a_value_or_its_error(source, **scope):
    """Evaluate, and write what comes out as text."""
    try:
        lowered = parse(source).lower()
    except ExpressionError:
        return  # what is known beforehand is refused beforehand
    with contextlib.suppress(EvaluationError):
        to_text(lowered.evaluate({"rand": Rand(Random(7)), **scope}))


@settings(max_examples=60, deadline=None)
@given(
    name=st.sampled_from(FILTER_NAMES),
    call=st.sampled_from(CALLS),
    values=st.tuples(HOSTILE, HOSTILE, HOSTILE, HOSTILE),
)
def test_a_filter_raises_nothing_else(name, call, values):
    """Half characters, zero bytes, line ends, deep and wrong values included."""
    x, a, b, c = values

    gives_a_value_or_its_error(f"x | {name}{call}", x=x, a=a, b=b, c=c)


@settings(max_examples=60, deadline=None)
@given(
    name=st.sampled_from(TEST_NAMES),
    call=st.sampled_from(CALLS),
    values=st.tuples(HOSTILE, HOSTILE, HOSTILE, HOSTILE),
)
def test_a_test_raises_nothing_else(name, call, values):
    """The same of `is`."""
    x, a, b, c = values

    gives_a_value_or_its_error(f"x is {name}{call}", x=x, a=a, b=b, c=c)


@settings(max_examples=60, deadline=None)
@given(
    name=st.sampled_from(
        [f"{root}.{one.name}" for root, found in METHODS.items() for one in found]
    ),
    call=st.sampled_from(CALLS[1:]),
    values=st.tuples(HOSTILE, HOSTILE, HOSTILE),
)
def test_a_helper_raises_nothing_else(name, call, values):
    """Whose arguments may come from a reply too."""
    a, b, c = values

    gives_a_value_or_its_error(f"{name}{call}", a=a, b=b, c=c)


@settings(max_examples=60, deadline=None)
@given(
    operator=st.sampled_from(["+", "-", "*", "/", "//", "%", "**", "~", "<", "==", "in", "and"]),
    values=st.tuples(HOSTILE, HOSTILE),
)
def test_an_operator_raises_nothing_else(operator, values):
    """Nor does an item that is looked up."""
    x, a = values

    gives_a_value_or_its_error(f"x {operator} a", x=x, a=a)
    gives_a_value_or_its_error("x[a].y", x=x, a=a)


@pytest.mark.parametrize(
    "source",
    ["x | truncate(2)", "x | round('a')", "x | batch('two')", "x is divisibleby(0)"],
)
def test_constant_arguments_that_suit_no_value_are_refused_beforehand(source):
    """Whatever `x` is, they would fail."""
    with pytest.raises(ExpressionError, match="can't take these arguments") as refused:
        parse(source).lower()

    assert refused.value.hint


def test_arguments_that_a_reply_gives_fail_with_the_expression():
    """As nobody can know them beforehand."""
    evaluate = parse("x | truncate(n)").lower().evaluate

    with pytest.raises(EvaluationError, match="truncate"):
        evaluate({"x": "abcdef", "n": 1})

"""Every test: what may follow `is`, and what `select` and its like take by name."""

from __future__ import annotations

from typing import Final

from planrunner.language.expressions.described import Described

__all__ = ["TESTS"]

TESTS: Final = (
    Described("!=", "!= other", "the two differ", "[1, 2] | select('!=', 1)", "[2]"),
    Described("<", "< other", "it is less", "[1, 2] | select('<', 2)", "[1]"),
    Described("<=", "<= other", "it is less or equal", "[1, 2] | select('<=', 1)", "[1]"),
    Described("==", "== other", "the two are equal", "[1, 2] | select('==', 2)", "[2]"),
    Described(">", "> other", "it is greater", "[1, 2] | select('>', 1)", "[2]"),
    Described(">=", ">= other", "it is greater or equal", "[1, 2] | select('>=', 2)", "[2]"),
    Described("boolean", "boolean", "it is `true` or `false`", "true is boolean", "true"),
    Described(
        "callable",
        "callable",
        "it can be called; no value of a plan can be",
        "1 is callable",
        "false",
    ),
    Described("defined", "defined", "it has a value", "missing is defined", "false"),
    Described("divisibleby", "divisibleby(n)", "`n` divides it", "9 is divisibleby(3)", "true"),
    Described("eq", "eq(other)", "the same as `==`", "1 is eq(1)", "true"),
    Described("equalto", "equalto(other)", "the same as `==`", "1 is equalto(2)", "false"),
    Described(
        "escaped",
        "escaped",
        "it is marked as safe HTML; no value of a plan is",
        "'a' is escaped",
        "false",
    ),
    Described("even", "even", "it is even", "4 is even", "true"),
    Described("false", "false", "it is `false` itself", "0 is false", "false"),
    Described("filter", "filter", "a filter of that name exists", "'upper' is filter", "true"),
    Described(
        "float", "float", "it is a number with a fraction, such as `1.0`", "1.0 is float", "true"
    ),
    Described("ge", "ge(other)", "the same as `>=`", "2 is ge(2)", "true"),
    Described(
        "greaterthan", "greaterthan(other)", "the same as `>`", "2 is greaterthan(2)", "false"
    ),
    Described("gt", "gt(other)", "the same as `>`", "3 is gt(2)", "true"),
    Described("in", "in(items)", "it is one of the items", "2 is in([1, 2])", "true"),
    Described("integer", "integer", "it is a whole number", "1 is integer", "true"),
    Described(
        "iterable",
        "iterable",
        "it has items: a list, a mapping or a text",
        "[] is iterable",
        "true",
    ),
    Described("le", "le(other)", "the same as `<=`", "2 is le(2)", "true"),
    Described("lessthan", "lessthan(other)", "the same as `<`", "1 is lessthan(2)", "true"),
    Described("lower", "lower", "the text is in lower case", "'abc' is lower", "true"),
    Described("lt", "lt(other)", "the same as `<`", "1 is lt(2)", "true"),
    Described("mapping", "mapping", "it is a mapping", "{} is mapping", "true"),
    Described("ne", "ne(other)", "the same as `!=`", "1 is ne(2)", "true"),
    Described("none", "none", "it is `null`", "none is none", "true"),
    Described("number", "number", "it is a number", "1.5 is number", "true"),
    Described("odd", "odd", "it is odd", "3 is odd", "true"),
    Described(
        "sameas",
        "sameas(other)",
        "it is the very same value: `true`, `false` or `null`",
        "true is sameas(true)",
        "true",
    ),
    Described(
        "sequence", "sequence", "it is a list, a mapping or a text", "'ab' is sequence", "true"
    ),
    Described("string", "string", "it is a text", "'1' is string", "true"),
    Described("test", "test", "a test of that name exists", "'odd' is test", "true"),
    Described("true", "true", "it is `true` itself", "1 is true", "false"),
    Described("undefined", "undefined", "it has no value", "missing is undefined", "true"),
    Described("upper", "upper", "the text is in upper case", "'ABC' is upper", "true"),
)
"""In the order of the reference."""

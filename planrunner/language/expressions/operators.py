"""Operators of expressions, each within its budget: what would be too large is never built."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from planrunner.language.expressions.described import Described
from planrunner.language.expressions.values import (
    MAX_BITS,
    EvaluationError,
    check_result,
    check_size,
    to_text,
)
from planrunner.late_pattern import late_pattern
from planrunner.values import dataclass

__all__ = ["BINARY", "COMPARE", "SYNTAX", "BinaryOperator", "format_text", "join_texts"]

_SEQUENCES: Final = (str, bytes, list, tuple)


def _add(left: Any, right: Any) -> object:  # noqa: ANN401 - whatever a plan computes with
    if isinstance(left, _SEQUENCES) and isinstance(right, _SEQUENCES):
        check_size(_weight(left) + _weight(right))
    return check_result(left + right)


def _multiply(left: Any, right: Any) -> object:  # noqa: ANN401
    # Anything else times a sequence is an error, which Python finds at once.
    if isinstance(left, _SEQUENCES) and isinstance(right, int):
        check_size(_weight(left) * right)
    elif isinstance(right, _SEQUENCES) and isinstance(left, int):
        check_size(_weight(right) * left)
    return check_result(left * right)


def _power(base: Any, exponent: Any) -> object:  # noqa: ANN401
    # A number of n bits to the power e has at least (n - 1) * e bits: no need to compute those.
    if (
        isinstance(base, int)
        and isinstance(exponent, int)
        and (base.bit_length() - 1) * exponent > MAX_BITS
    ):
        raise EvaluationError(f"the result has more than {MAX_BITS:,} bits")
    result = base**exponent
    if isinstance(result, complex):
        raise EvaluationError("the root of a negative number is not a real number")
    return check_result(result)


def _modulo(left: Any, right: Any) -> object:  # noqa: ANN401
    if isinstance(left, str):
        return format_text(left, right if isinstance(right, tuple) else (right,))
    return left % right


def _weight(value: Sequence[object]) -> int:
    return len(value) if isinstance(value, str | bytes) else len(value) * 8


_CONVERSION: Final = late_pattern(
    r"%(?:\((?P<key>[^)]*)\))?[#0\- +]*(?P<width>\d+|\*)?(?:\.(?P<precision>\d+|\*))?"
)
_MAX_FORMAT_WIDTH: Final = 1_000


def format_text(template: str, values: Sequence[object] | Mapping[str, object]) -> str:
    """Return `template % values`, with values rendered as in any text and widths bounded."""
    check_size(len(template) + template.count("%") * _MAX_FORMAT_WIDTH)
    for found in _CONVERSION.finditer(template):
        for width in (found["width"], found["precision"]):
            if width and (width == "*" or len(width) > 4 or int(width) > _MAX_FORMAT_WIDTH):
                raise EvaluationError(f"a width must be written out, up to {_MAX_FORMAT_WIDTH:,}")
    if isinstance(values, Mapping):
        named = {key: _formatted(value) for key, value in values.items()}
        check_size(template.count("%") * max(map(_text_length, named.values()), default=0))
        return template % named
    filled = tuple(_formatted(value) for value in values)
    check_size(sum(map(_text_length, filled)))
    return template % filled


def _formatted(value: object) -> object:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return value if is_number else to_text(value)


def _text_length(value: object) -> int:
    return len(value) if isinstance(value, str) else 0


def join_texts(values: Sequence[object], separator: str = "") -> str:
    """Return the values as one text."""
    texts = [to_text(value) for value in values]
    check_size(sum(map(len, texts)) + len(separator) * len(texts))
    return separator.join(texts)


@dataclass(frozen=True, slots=True)
class BinaryOperator:
    """An operator between two values.

    Attributes:
        meaning: For the reference, like the two below.
    """

    symbol: str
    compute: Callable[[Any, Any], object]
    meaning: str
    example: str
    result: str


def _contains(left: Any, right: Any) -> object:  # noqa: ANN401
    return left in right


def _lacks(left: Any, right: Any) -> object:  # noqa: ANN401
    return left not in right


BINARY: Final[Mapping[str, BinaryOperator]] = {
    "Add": BinaryOperator(
        "+", _add, "the sum of numbers; lists or texts joined", "[1] + [2]", "[1,2]"
    ),
    "Sub": BinaryOperator("-", operator.sub, "the difference", "5 - 2", "3"),
    "Mul": BinaryOperator(
        "*", _multiply, "the product; a list or text repeated", "'ab' * 2", "abab"
    ),
    "Div": BinaryOperator("/", operator.truediv, "the quotient, with its fraction", "7 / 2", "3.5"),
    "FloorDiv": BinaryOperator(
        "//", operator.floordiv, "the quotient, rounded down", "7 // 2", "3"
    ),
    "Mod": BinaryOperator("%", _modulo, "the remainder; a text with `%s` filled in", "7 % 4", "3"),
    "Pow": BinaryOperator("**", _power, "the power", "2 ** 10", "1024"),
}

COMPARE: Final[Mapping[str, BinaryOperator]] = {
    "eq": BinaryOperator("==", operator.eq, "equal", "1 == 1.0", "true"),
    "ne": BinaryOperator("!=", operator.ne, "not equal", "'a' != 'A'", "true"),
    "lt": BinaryOperator("<", operator.lt, "less; chains work", "1 < 2 < 3", "true"),
    "lteq": BinaryOperator("<=", operator.le, "less or equal", "2 <= 1", "false"),
    "gt": BinaryOperator(">", operator.gt, "greater", "2 > 1", "true"),
    "gteq": BinaryOperator(">=", operator.ge, "greater or equal", "2 >= 2", "true"),
    "in": BinaryOperator(
        "in", _contains, "an item, a key or a part of a text", "'b' in 'abc'", "true"
    ),
    "notin": BinaryOperator("not in", _lacks, "the opposite", "4 not in [1, 2]", "true"),
}

SYNTAX: Final = (
    Described(
        "literals",
        "1, 1.5, 'text', \"text\", true, false, none",
        "values",
        "[1, 'a', none]",
        '[1,"a",null]',
    ),
    Described("list", "[a, b]", "a list", "[1, 2 + 3]", "[1,5]"),
    Described("mapping", "{'key': a}", "a mapping", "{'id': 7}", '{"id":7}'),
    Described(
        "attribute",
        "a.key, a['key']",
        "the value of a key; Python's attributes do not exist here",
        "{'id': 7}.id",
        "7",
    ),
    Described(
        "item", "a[0], a[-1]", "an item, counted from 0 or from the end", "[3, 4, 5][-1]", "5"
    ),
    Described("slice", "a[1:3]", "a part of a list or text", "'abcd'[1:3]", "bc"),
    Described("not", "not a", "true for what is false, 0, empty or null", "not []", "true"),
    Described("and", "a and b", "`a` if that is false or empty, else `b`", "1 and 'b'", "b"),
    Described("or", "a or b", "`a` unless that is false or empty, else `b`", "'' or 'b'", "b"),
    Described(
        "if", "a if condition else b", "one of two values", "'big' if 7 > 5 else 'small'", "big"
    ),
    Described("join", "a ~ b", "both as one text", "'a' ~ 1", "a1"),
    Described("sign", "-a, +a", "the number with that sign", "-(3)", "-3"),
    Described(
        "filter",
        "a | filter(…)",
        "a filter applied; binds closer than any operator",
        "'a' ~ 'b' | upper",
        "aB",
    ),
    Described("test", "a is test, a is not test", "whether a test holds", "3 is not even", "true"),
)
"""What else an expression is made of."""

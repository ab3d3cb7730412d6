"""Operators of expressions, each within its budget: what would be too large is never built."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from planrunner.language.expressions.values import (
    MAX_BITS,
    EvaluationError,
    check_result,
    check_size,
    to_text,
)

__all__ = ["BINARY", "COMPARE", "format_text", "join_texts"]

_SEQUENCES: Final = (str, bytes, list, tuple)


def _add(left: Any, right: Any) -> object:  # noqa: ANN401 - whatever a plan computes with
    if isinstance(left, _SEQUENCES) and isinstance(right, _SEQUENCES):
        check_size(_weight(left) + _weight(right))
    return check_result(left + right)


def _multiply(left: Any, right: Any) -> object:  # noqa: ANN401
    if isinstance(left, _SEQUENCES):
        check_size(_weight(left) * right)
    elif isinstance(right, _SEQUENCES):
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
        raise EvaluationError("a root of a negative number is no number")
    return check_result(result)


def _modulo(left: Any, right: Any) -> object:  # noqa: ANN401
    if isinstance(left, str):
        return format_text(left, right if isinstance(right, tuple) else (right,))
    return left % right


def _weight(value: Sequence[object]) -> int:
    return len(value) if isinstance(value, str | bytes) else len(value) * 8


_CONVERSION: Final = re.compile(
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


BINARY: Final[Mapping[str, tuple[str, Callable[[Any, Any], object]]]] = {
    "Add": ("+", _add),
    "Sub": ("-", operator.sub),
    "Mul": ("*", _multiply),
    "Div": ("/", operator.truediv),
    "FloorDiv": ("//", operator.floordiv),
    "Mod": ("%", _modulo),
    "Pow": ("**", _power),
}

COMPARE: Final[Mapping[str, tuple[str, Callable[[Any, Any], object]]]] = {
    "eq": ("==", operator.eq),
    "ne": ("!=", operator.ne),
    "lt": ("<", operator.lt),
    "lteq": ("<=", operator.le),
    "gt": (">", operator.gt),
    "gteq": (">=", operator.ge),
    "in": ("in", lambda left, right: left in right),
    "notin": ("not in", lambda left, right: left not in right),
}

"""What expressions compute with: budgets, the undefined value, and how a value becomes text."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from planrunner.errors import PlanrunnerError
from planrunner.language.diagnostics import Code
from planrunner.values import dataclass

__all__ = [
    "FAULTS",
    "MAX_BITS",
    "MAX_RANGE",
    "MAX_SIZE",
    "UNDEFINED",
    "Evaluate",
    "EvaluationError",
    "ExpressionError",
    "Lowered",
    "Scope",
    "Undefined",
    "bounded_list",
    "check_result",
    "check_size",
    "constant",
    "deep_size",
    "evaluation_error",
    "kind_of",
    "to_text",
]

Scope = dict[str, object]
"""The names an expression sees while a virtual user runs; a name that has no value is absent."""

Evaluate = Callable[[Scope], Any]
"""A lowered expression or text; raises `EvaluationError` when its value cannot be had."""

MAX_SIZE: Final = 1_000_000
"""Most characters, or bytes of references, that one operation may build."""

MAX_BITS: Final = 4096
MAX_RANGE: Final = 100_000

FAULTS: Final = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    MemoryError,
    RecursionError,
    RuntimeError,
    TypeError,
    ValueError,
)
"""What Python raises when values don't fit an operation.

Whatever else it may raise stops at the boundary: see `evaluation_error`.
"""

_REFERENCE_SIZE: Final = 8


class ExpressionError(PlanrunnerError):
    """An expression or text of the plan is wrong.

    Attributes:
        offset: Where, in characters from the start of the source that was parsed.
        code: The slug of its diagnostic.
        path: Keys and indices that lead to the source, when a whole value was lowered.
    """

    def __init__(
        self,
        message: str,
        *,
        hint: str = "",
        offset: int = 0,
        code: Code = Code.EXPRESSION_SYNTAX,
        path: tuple[str | int, ...] = (),
    ) -> None:
        super().__init__(message, hint=hint)
        self.offset = offset
        self.code = code
        self.path = path

    @property
    def failed(self) -> bool:
        """True when it is well-formed, but its constants have no value (division by zero …)."""
        return self.code is Code.EXPRESSION_FAILED

    def moved(self, offset: int = 0, key: str | int | None = None) -> ExpressionError:
        """Return the same error as seen from a text or value around the source."""
        path = self.path if key is None else (key, *self.path)
        return ExpressionError(
            self.message, hint=self.hint, offset=self.offset + offset, code=self.code, path=path
        )


class EvaluationError(PlanrunnerError):
    """An expression has no value now; the message names the expression, never a value."""


def evaluation_error(error: Exception, what: str) -> EvaluationError:
    """Return what a boundary raises for anything that went wrong behind it.

    Args:
        error: What was raised.
        what: What has no value, for words that never show one.
    """
    if isinstance(error, EvaluationError):
        return error
    if isinstance(error, UnicodeError):
        return EvaluationError(f"{what} holds half a character, which no text can")
    return EvaluationError(f"{what} has no value ({type(error).__name__})")


@dataclass(frozen=True, slots=True)
class Undefined:
    """What a missing name, attribute or item evaluates to until something needs the value.

    Attributes:
        missing: The shortest path that is missing: `json.items` when `json.items.first` was read.
    """

    missing: str = ""


UNDEFINED: Final = Undefined()
"""May stand in a scope for a name without a value; leaving the name out does the same."""


@dataclass(frozen=True, slots=True)
class Lowered:
    """An expression or text ready to run.

    Attributes:
        evaluate: Raises `EvaluationError` when there is no value.
        is_constant: True when no scope is needed; `evaluate` then returns `value` itself, the
            same object each time, so a caller that changes a list or mapping copies it first.
    """

    evaluate: Callable[[Scope], object]
    is_constant: bool = False
    value: object = None


def constant(value: object) -> Lowered:
    """Return a lowered form that is always `value`."""
    return Lowered(lambda _: value, is_constant=True, value=value)


def to_text(value: object) -> str:
    """Return how a value reads in text: `true`, `null`, JSON numbers, compact JSON.

    Raises:
        EvaluationError: The value has no text: not a number, a helper, bytes beyond UTF-8.
    """
    if value.__class__ is str:
        return value
    try:
        if value.__class__ is int:
            return str(value)
        return _render(value)
    except FAULTS:
        raise EvaluationError(f"{kind_of(value)} can't be written as text") from None


def _render(value: object) -> str:
    if isinstance(value, str):
        return str(value)
    if isinstance(value, bytes | bytearray):
        return value.decode()
    if isinstance(value, list | tuple | Mapping) and deep_size(value) > MAX_SIZE:
        raise EvaluationError("the text would be larger than 1 MB")
    return json.dumps(
        value, ensure_ascii=False, separators=(",", ":"), allow_nan=False, default=_plain_json
    )


def _plain_json(value: object) -> object:
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, bytes | bytearray):
        return value.decode()
    raise TypeError


def kind_of(value: object) -> str:
    """Return a plan author's word for the type of a value; values stay out of messages."""
    if value is None:
        return "null"
    for types, word in _KINDS:
        if isinstance(value, types):
            return word
    return "a helper"


_KINDS: Final[tuple[tuple[type | tuple[type, ...], str], ...]] = (
    (bool, "true or false"),
    ((int, float), "a number"),
    (str, "text"),
    ((bytes, bytearray), "bytes"),
    ((list, tuple, range, set, frozenset), "a list"),
    (Mapping, "a mapping"),
    (Undefined, "an undefined value"),
)


def deep_size(value: object, limit: int = MAX_SIZE) -> int:
    """Return about how many bytes `value` takes written out; stops counting beyond `limit`."""
    total = 0
    waiting: list[object] = [value]
    while waiting and total <= limit:
        item = waiting.pop()
        total += _REFERENCE_SIZE
        if isinstance(item, str | bytes | bytearray):
            total += len(item)
        elif isinstance(item, int):
            total += item.bit_length() // 8
        elif isinstance(item, Mapping):
            waiting += item.keys()
            waiting += item.values()
        elif isinstance(item, list | tuple):
            waiting += item if len(item) * _REFERENCE_SIZE <= limit else item[: limit // 8 + 2]
    return total


def check_size(count: int) -> None:
    """Refuse to build something of `count` characters, before it is built."""
    if count > MAX_SIZE:
        raise EvaluationError("the result would be larger than 1 MB")


def check_result(value: object) -> object:
    """Return a computed `value` unless it is over a budget."""
    if isinstance(value, int):
        if value.bit_length() > MAX_BITS:
            raise EvaluationError(f"the result has more than {MAX_BITS:,} bits")
    elif isinstance(value, str | bytes):
        check_size(len(value))
    elif isinstance(value, list | tuple | Mapping):
        check_size(len(value) * _REFERENCE_SIZE)
    return value


def bounded_list(items: Iterable[object]) -> list[object]:
    """Return the items as a list; stops an endless or huge source at the budget."""
    built: list[object] = []
    total = 0
    for item in items:
        total += _REFERENCE_SIZE + (len(item) if isinstance(item, str | bytes | list) else 0)
        check_size(total)
        built.append(item)
    return built

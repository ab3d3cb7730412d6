"""Rules of `expect:` over one value: a literal, or words such as `type`, `min`, `matches`.

A condition returns None when it holds, else what was expected, as the end of a sentence. Expected
values are shown as the plan writes them, so that no param's value gets into a message.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sized
from contextlib import suppress
from typing import Any, Final

from planrunner.language.diagnostics import Code
from planrunner.language.expressions.expression import EvaluationError, Lowered, to_text
from planrunner.language.expressions.values import kind_of
from planrunner.language.fields.mapping import PlanMapping
from planrunner.language.fields.text import Text
from planrunner.language.fields.types import Deferred
from planrunner.language.patterns.pattern import MatchTimeoutError
from planrunner.language.patterns.words import took_too_long
from planrunner.late_pattern import late_pattern
from planrunner.protocols.base import Check, Reply, Scope
from planrunner.protocols.lowering import Lowering, SpecPath
from planrunner.units import (
    UnitError,
    format_duration,
    parse_duration,
    seconds_to_ns,
    write_duration,
)

__all__ = [
    "Condition",
    "compile_condition",
    "compile_limit",
    "compile_matches",
    "compile_time",
    "count_bounds",
    "is_same",
    "rule_words",
    "shorten",
    "show",
    "source_of",
]

Condition = Callable[[Any, Scope], str | None]

_TYPES: Final[dict[str, tuple[str, type | tuple[type, ...]]]] = {
    "string": ("a string", str),
    "number": ("a number", (int, float)),
    "integer": ("an integer", int),
    "boolean": ("a boolean", bool),
    "array": ("an array", list),
    "object": ("an object", dict),
    "null": ("null", type(None)),
}
_SYNONYMS: Final = {
    "str": "string",
    "float": "number",
    "int": "integer",
    "bool": "boolean",
    "list": "array",
}
_SHOWN: Final = 40
_TIME: Final = late_pattern(r"\s*(<=?)\s*(.*?)\s*", re.DOTALL)


def shorten(text: str, limit: int) -> str:
    """Cut `text` to `limit` characters, with an ellipsis where it was cut."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def compile_condition(expected: object, lowering: Lowering, path: SpecPath) -> Condition:
    """Compile a literal or a rule."""
    if not isinstance(expected, PlanMapping):
        return _equals(lowering.value(expected, path), source_of(expected))
    conditions = tuple(_conditions(expected, lowering, path))
    if len(conditions) == 1:
        return conditions[0]

    def holds(value: Any, scope: Scope) -> str | None:  # noqa: ANN401 - JSON
        for condition in conditions:
            if (wanted := condition(value, scope)) is not None:
                return wanted
        return None

    return holds


def source_of(value: object) -> str:
    """Return a value as the plan writes it, short; expressions are not evaluated."""
    source = getattr(value, "source", value)
    return show(source) if not isinstance(source, str) or source is value else f"`{source}`"


def rule_words(expected: object) -> str:
    """Return an expected value as a plan writes it, with what stands before it in a sentence."""
    words = _fields(expected) if isinstance(expected, PlanMapping) else _written(expected)
    return ": " + shorten(words, 80)


def _fields(rule: PlanMapping) -> str:
    fields = type(rule).model_fields
    given = (name for name in fields if name in rule.model_fields_set)
    return ", ".join(
        f"{fields[name].alias or name} {_written(getattr(rule, name))}" for name in given
    )


def _written(value: object) -> str:
    if isinstance(value, Deferred):
        value = value.text
    source = getattr(value, "source", None)
    if isinstance(source, str):
        return source
    if isinstance(value, PlanMapping):
        return f"{{{_fields(value)}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_written, value))}]"
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{key}: {_written(item)}' for key, item in value.items())}}}"
    return to_text(value) if value is None or isinstance(value, bool | int | float) else str(value)


def show(value: object) -> str:
    """Return a JSON value for a message; a long one by its kind and size.

    A value is never cut: half a secret would not be recognised by what masks secrets.
    """
    try:
        text = json.dumps(value, ensure_ascii=False, default=str)
    except (TypeError, ValueError, RecursionError):
        return "a value"
    if len(text) <= _SHOWN:
        return text
    return f"{kind_of(value)} of {len(value) if isinstance(value, Sized) else len(text)}"


def is_same(left: object, right: object) -> bool:
    """Compare as JSON does: 1 is 1.0, true is not 1."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, list | tuple) and isinstance(right, list | tuple):
        return len(left) == len(right) and all(map(is_same, left, right))
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(is_same(left[key], right[key]) for key in left)
    return left == right


def _conditions(rule: Any, lowering: Lowering, path: SpecPath) -> Iterator[Condition]:  # noqa: ANN401
    """Yield the words of a rule, the cheapest first; not every protocol has all of them."""
    given = rule.model_fields_set
    if "type" in given:
        yield _has_type(rule.type)
    if "is_" in given:
        yield _equals(lowering.value(rule.is_, (*path, "is")), source_of(rule.is_))
    if getattr(rule, "in_", None) is not None:
        choices = [
            lowering.value(item, (*path, "in", index)) for index, item in enumerate(rule.in_)
        ]
        yield _is_one_of(choices, ", ".join(map(source_of, rule.in_)))
    least, most = getattr(rule, "min", None), getattr(rule, "max", None)
    if least is not None:
        yield _bound(least, lowering, (*path, "min"), at_least=True)
    if most is not None:
        yield _bound(most, lowering, (*path, "max"), at_least=False)
    _check_order(least, most, lowering, path)
    if "length" in given:
        yield _has_length(*count_bounds(rule.length, lowering, (*path, "length")))
    if getattr(rule, "matches", None) is not None:
        yield _matches(compile_matches(rule.matches, lowering, (*path, "matches")), rule.matches)


Matches = Callable[[str], str | None]
"""Says what speaks against a match in a text: None when there is one, empty when there is none."""


def compile_matches(text: Text, lowering: Lowering, path: SpecPath) -> Matches:
    """Compile a regular expression of the plan; a broken one is a fault."""
    source = lowering.constant(text, path)
    pattern = None if source is None else lowering.pattern(source, path, shown=text.source)
    if pattern is None:
        return lambda _: None
    is_in, too_long = pattern.is_in, took_too_long(text.source)

    def matches(value: str) -> str | None:
        try:
            return None if is_in(value) else ""
        except MatchTimeoutError:
            return too_long

    return matches


def _equals(expected: Lowered, shown: str) -> Condition:
    message = f"expected {shown}"
    if not expected.is_constant:
        evaluate = expected.evaluate
        return lambda value, scope: None if is_same(value, evaluate(scope)) else message
    wanted = expected.value
    if wanted is None or isinstance(wanted, bool):
        return lambda value, _: None if value is wanted else message
    if isinstance(wanted, str):
        return lambda value, _: None if value == wanted else message
    return lambda value, _: None if is_same(value, wanted) else message


def _has_type(word: str) -> Condition:
    shown, types = _TYPES[_SYNONYMS.get(word, word)]
    message = f"expected {shown}"
    if types is bool or not issubclass(bool, types):
        return lambda value, _: None if isinstance(value, types) else message
    # JSON Schema's reading: 1.0 is an integer, true is no number.
    whole = types is int

    def holds(value: Any, _: Scope) -> str | None:  # noqa: ANN401 - JSON
        if isinstance(value, bool):
            return message
        if isinstance(value, types) or (whole and isinstance(value, float) and value.is_integer()):
            return None
        return message

    return holds


def _is_one_of(choices: list[Lowered], shown: str) -> Condition:
    message = f"expected one of {shorten(shown, 60)}"
    evaluates = tuple(choice.evaluate for choice in choices)

    def holds(value: Any, scope: Scope) -> str | None:  # noqa: ANN401 - JSON
        found = any(is_same(value, evaluate(scope)) for evaluate in evaluates)
        return None if found else message

    return holds


def _bound(limit: object, lowering: Lowering, path: SpecPath, *, at_least: bool) -> Condition:
    lowered = lowering.value(limit, path)
    if lowered.is_constant and _number(lowered.value) is None:
        lowering.fault(path, Code.WRONG_TYPE, f"{source_of(limit)} is not a number")
    evaluate = lowered.evaluate
    message = f"expected a number of at {'least' if at_least else 'most'} {source_of(limit)}"

    def holds(value: Any, scope: Scope) -> str | None:  # noqa: ANN401 - JSON
        if (number := _number(value)) is None:
            return message
        if (wanted := _number(evaluate(scope))) is None:
            raise EvaluationError(f"{source_of(limit)} is not a number")
        return None if (number >= wanted if at_least else number <= wanted) else message

    return holds


def _number(value: object) -> int | float | None:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def count_bounds(count: Any, lowering: Lowering, path: SpecPath) -> tuple[int, int | None]:  # noqa: ANN401 - a number, or `{min, max}`
    """Return the least and the most of what is counted; None where there is no most."""
    if isinstance(count, int | Deferred):
        exact = lowering.number(count, path, 0)
        return exact, exact
    least = lowering.number(count.min, (*path, "min"), 0)
    most = None if count.max is None else lowering.number(count.max, (*path, "max"), 0)
    _check_order(least, most, lowering, path)
    return least, most


def _check_order(least: object, most: object, lowering: Lowering, path: SpecPath) -> None:
    """Note that nothing is within bounds, where both are numbers of the plan."""
    low, high = _number(least), _number(most)
    if low is not None and high is not None and low > high:
        message = f"no number is at least {low} and at most {high}"
        lowering.fault((*path, "max"), Code.INVALID_VALUE, message, "swap `min` and `max`")


def _has_length(least: int, most: int | None) -> Condition:
    if most is None:
        shown = f"at least {least}"
    else:
        shown = str(least) if least == most else f"{least} to {most}"
    message = f"expected a length of {shown}"

    def holds(value: Any, _: Scope) -> str | None:  # noqa: ANN401 - JSON
        if not isinstance(value, str | list | dict):
            return message
        size = len(value)
        return None if size >= least and (most is None or size <= most) else message

    return holds


def _matches(matches: Matches, pattern: Text) -> Condition:
    message = f"expected a match of `{shorten(pattern.source, 50)}`"

    def holds(value: Any, _: Scope) -> str | None:  # noqa: ANN401 - JSON
        against = matches(value if isinstance(value, str) else to_text(value))
        return None if against is None else against or message

    return holds


def compile_time(text: Text, lowering: Lowering) -> Check | None:
    """Compile `expect.time`; a faulty limit leaves its fault and gives None."""

    def took(reply: Reply) -> int:
        return reply.ended_ns - reply.asked_ns

    return compile_limit(text, lowering, ("expect", "time"), took, "took {}")


def compile_limit(
    text: Text,
    lowering: Lowering,
    path: SpecPath,
    find: Callable[[Reply], int],
    words: str,
) -> Check | None:
    """Compile a limit on a time of a reply; a faulty one leaves its fault and gives None.

    Args:
        text: Such as `< 500ms`.
        lowering: Takes the fault.
        path: Where the limit stands.
        find: Returns the time.
        words: Says what it was, with `{}` in its place.
    """
    if (limit := lowering.constant(text, path)) is None:
        return None
    match = _TIME.fullmatch(limit)
    if match is None:
        lowering.fault(
            path,
            Code.INVALID_VALUE,
            f"`{text.source}` is not a limit",
            "write one such as `< 500ms`",
        )
        return None
    ends_in_text = isinstance(text.parts[-1], str)
    try:
        most_ns = _duration_ns(match[2], is_computed=not ends_in_text)
    except UnitError as failed:
        lowering.fault(path, Code.INVALID_UNIT, failed.message, failed.hint)
        return None
    # Whole nanoseconds: `< 1s` is `<= 999_999_999`.
    limit_ns = most_ns if match[1] == "<=" else most_ns - 1
    shown = f"{match[1]} {match[2] if ends_in_text else write_duration(most_ns)}"

    def check(reply: Reply, _: Scope) -> str | None:
        found_ns = find(reply)
        if found_ns <= limit_ns:
            return None
        return f"{words.format(format_duration(found_ns))}, expected {shown}"

    return check


def _duration_ns(words: str, *, is_computed: bool) -> int:
    """Read a limit; a number that an expression gave, such as a param's, is in seconds."""
    if is_computed:
        with suppress(ValueError):
            return seconds_to_ns(float(words))
    return parse_duration(words)

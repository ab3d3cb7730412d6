"""Params whose values the plan makes from those of the params above them: `http://${host}:80`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from planrunner.language.diagnostics import Code, suggest
from planrunner.language.expressions.builtins.names import ROOT_HELPERS
from planrunner.language.expressions.expression import ExpressionError, Reference, to_text
from planrunner.language.fields.deferred import KINDS, Deferred
from planrunner.language.fields.text import Text, lower_value, parse_value
from planrunner.plan.models.params import ParamType
from planrunner.plan.params.values import from_yaml

__all__ = ["evaluate", "has_expression", "names_in"]


def has_expression(written: object) -> bool:
    """Say whether a text in what the plan writes is more than a plain one."""
    if isinstance(written, str):
        return "${" in written
    if isinstance(written, dict):
        return any(map(has_expression, written.values()))
    return isinstance(written, list) and any(map(has_expression, written))


def evaluate(kind: ParamType | None, written: object, known: Mapping[str, object]) -> Any:  # noqa: ANN401 - as the type says
    """Return what the plan writes for a param, exactly, with the values of those above it.

    Raises:
        ExpressionError: An expression is broken or reads what has no value yet.
        UnitError: It gives no such unit.
        ParamValueError: It gives a value of another type.
    """
    value = parse_value(written)
    for path, name in _references(value, ()):
        if name.root not in known and name.root not in ROOT_HELPERS:
            message = f"`{name.root}` has no value here"
            hint = suggest(name.root, list(known)) or "a param can read those above it"
            raise ExpressionError(
                message, hint=hint, offset=name.offset, code=Code.UNKNOWN_NAME, path=path
            )
    if kind is not None and kind in KINDS and isinstance(value, Text):
        return Deferred(value, kind).resolve(known)
    lowered = lower_value(value, known)
    if not lowered.is_constant:
        message = "the value must be known before the run"
        raise ExpressionError(message, hint="use params above it only", code=Code.EXPRESSION_FAILED)
    if kind is None:
        return lowered.value
    return from_yaml(kind, to_text(lowered.value) if kind in ("str", "url") else lowered.value)


def names_in(written: object) -> Iterator[str]:
    """Yield the names that the texts read; nothing for what can't be parsed.

    Which of them are secrets decides what is masked.
    """
    try:
        value = parse_value(written)
    except ExpressionError:
        return
    yield from (name.root for _, name in _references(value, ()))


def _references(
    value: object, path: tuple[str | int, ...]
) -> Iterator[tuple[tuple[str | int, ...], Reference]]:
    if isinstance(value, Text):
        yield from ((path, name) for name in value.references)
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _references(item, (*path, key))
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from _references(item, (*path, index))

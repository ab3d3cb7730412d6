"""Names, attributes and items: `a`, `a.b['c'][0]`, with what happens when a part is missing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NoReturn

from planrunner.language.expressions import tree as nodes
from planrunner.language.expressions.values import (
    Evaluate,
    EvaluationError,
    Lowered,
    Scope,
    Undefined,
    constant,
)
from planrunner.late_pattern import late_pattern

__all__ = ["MissingValue", "describe", "look_up", "lower_path", "static_key", "undefined_error"]

Key = str | int
WalkPath = Callable[[Mapping[str, object]], object]

_MISSING: Final = (LookupError, TypeError)
"""What `value[key]` raises when there is no such item, or `value` has no items at all."""

_NAME: Final = late_pattern(r"[A-Za-z_]\w*")


def static_key(node: nodes.Getattr | nodes.Getitem) -> Key | None:
    """Return the key of `a.key`, `a['key']` or `a[0]`; None when it is computed."""
    if isinstance(node, nodes.Getattr):
        return node.attr
    value = node.arg.value if isinstance(node.arg, nodes.Const) else None
    return value if isinstance(value, str | int) else None


def describe(node: nodes.Node) -> str:
    """Return what a message calls the value of `node`: `a.b[0]`, `a[…]`, `… | first`."""
    if isinstance(node, nodes.Name):
        return node.name
    if isinstance(node, nodes.Getattr | nodes.Getitem):
        key = static_key(node)
        return describe(node.node) + ("[…]" if key is None else _written(key))
    if isinstance(node, nodes.Filter):
        return f"{describe(node.node)} | {node.name}"
    return "…"


def _written(key: Key) -> str:
    if isinstance(key, str):
        return f".{key}" if _NAME.fullmatch(key) else f"['{key}']"
    return f"[{key}]"


class MissingValue(EvaluationError):  # noqa: N818 - reads as the sentence it stands for
    """An expression needs what isn't there, such as a field that the reply doesn't have yet."""


def undefined_error(used: str, value: object) -> MissingValue:
    """Return the error for using `used` when `value.missing` is what is not there."""
    message = f"`{used}` is undefined"
    missing = value.missing if isinstance(value, Undefined) else used
    if missing and missing != used and used.startswith(missing):
        message += f", since `{missing}` is"
    return MissingValue(message, hint=f"give it a default: `{used} | default(…)`")


def look_up(value: Any, key: Any, missing: Undefined) -> object:  # noqa: ANN401 - a plan's value
    """Return the item of a mapping, list or text; what is undefined already stays so."""
    if isinstance(value, Undefined):
        return value
    try:
        return value[key]
    except _MISSING:
        return missing


def lower_path(
    root: str, keys: tuple[Key, ...], constants: Mapping[str, object], *, lax: bool
) -> Lowered:
    """Lower a name with the static keys below it; a constant name gives a constant."""
    walk = _walker(root, keys)
    if root in constants:
        return constant(walk(constants))
    if lax:
        return Lowered(_lax(root, keys, walk))
    return Lowered(_strict(root, keys, walk))


def _walker(root: str, keys: Sequence[Key]) -> WalkPath:
    """Return a closure that finds the first missing part; only used once one is missing."""
    marks = [Undefined(root)]
    for key in keys:
        marks.append(Undefined(marks[-1].missing + _written(key)))

    def walk(scope: Mapping[str, object]) -> object:
        value = look_up(scope, root, marks[0])
        if isinstance(value, Undefined):
            return marks[0]
        for key, mark in zip(keys, marks[1:], strict=True):
            value = look_up(value, key, mark)
        return value

    return walk


# The closures below run once or more for each request: one dictionary access each for the name
# and its keys, and nothing else as long as the value is there.


def _strict(root: str, keys: tuple[Key, ...], walk: WalkPath) -> Evaluate:
    used = root + "".join(map(_written, keys))

    def refuse(scope: Scope) -> NoReturn:
        raise undefined_error(used, walk(scope)) from None

    if not keys:
        return _strict_name(root, refuse)
    if len(keys) == 1:
        return _strict_item(root, keys[0], refuse)
    return _strict_path(root, keys, refuse)


def _strict_name(root: str, refuse: Callable[[Scope], NoReturn]) -> Evaluate:
    def evaluate(scope: Scope) -> object:
        try:
            value = scope[root]
        except KeyError:
            refuse(scope)
        if value.__class__ is Undefined:
            refuse(scope)
        return value

    return evaluate


def _strict_item(root: str, key: Any, refuse: Callable[[Scope], NoReturn]) -> Evaluate:  # noqa: ANN401
    def evaluate(scope: dict[str, Any]) -> object:
        try:
            return scope[root][key]
        except _MISSING:
            refuse(scope)

    return evaluate


def _strict_path(root: str, keys: tuple[Key, ...], refuse: Callable[[Scope], NoReturn]) -> Evaluate:
    def evaluate(scope: Scope) -> object:
        try:
            value: Any = scope[root]
            for key in keys:
                value = value[key]
        except _MISSING:
            refuse(scope)
        return value

    return evaluate


def _lax(root: str, keys: tuple[Key, ...], walk: WalkPath) -> Evaluate:
    def evaluate(scope: Scope) -> object:
        try:
            value: Any = scope[root]
            for key in keys:
                value = value[key]
        except _MISSING:
            return walk(scope)
        return value

    return evaluate

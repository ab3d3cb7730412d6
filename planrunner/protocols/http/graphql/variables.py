"""Variables of a query: those that a plan gives, beside those that the query declares."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from graphql import (
    ListTypeNode,
    NamedTypeNode,
    NonNullTypeNode,
    OperationDefinitionNode,
    TypeNode,
    print_ast,
)

from planrunner.language.diagnostics import Code, suggest
from planrunner.language.expressions.values import kind_of
from planrunner.protocols.http.graphql.document import QueryFault
from planrunner.protocols.lowering import Lowering, SpecPath

__all__ = ["check_variables", "lacking"]


def check_variables(
    operation: OperationDefinitionNode,
    given: Mapping[str, object],
    lowering: Lowering,
    path: SpecPath,
) -> None:
    """Note what of the values that stand at `path` the operation can't take."""
    types = {one.variable.name.value: one.type for one in operation.variable_definitions or ()}
    for name, value in given.items():
        if name not in types:
            missing = [known for known in types if known not in given]
            hint = suggest(name, missing) or f"declare it at the operation: `(${name}: Int)`"
            words = f"the query declares no variable `${name}`"
            lowering.fault((*path, name), Code.UNKNOWN_NAME, words, hint, is_key=True)
            continue
        lowered = lowering.value(value, (*path, name))
        if lowered.is_constant and (kind := _misfit(lowered.value, types[name])):
            words = f"`${name}` is declared as `{print_ast(types[name])}`, and this is {kind}"
            lowering.fault((*path, name), Code.WRONG_TYPE, words, _unquoted(lowered.value))


def lacking(
    operation: OperationDefinitionNode, given: Mapping[str, object]
) -> Iterator[QueryFault]:
    """Yield each variable that needs a value and gets none."""
    for one in operation.variable_definitions or ():
        name = one.variable.name.value
        is_needed = isinstance(one.type, NonNullTypeNode) and one.default_value is None
        if is_needed and name not in given:
            hint = f"add it: `variables: {{{name}: …}}`"
            start = one.loc.start if one.loc else 0
            yield QueryFault(start, Code.MISSING_KEY, f"`${name}` needs a value and has none", hint)


def _misfit(value: object, wanted: TypeNode) -> str:
    """Return what a value is that can't be of a type, as far as that is known without the schema.

    Empty when it can.
    """
    match wanted:
        case NonNullTypeNode(type=inner):
            return "null" if value is None else _misfit(value, inner)
        case ListTypeNode(type=inner) if isinstance(value, list | tuple):
            wrong = next(filter(None, (_misfit(item, inner) for item in value)), "")
            return f"a list with {wrong} in it" if wrong else ""
        case ListTypeNode(type=inner):
            return "" if value is None else _misfit(value, inner)  # a list of one
        case NamedTypeNode(name=name) if value is not None and name.value in _SCALARS:
            return "" if _SCALARS[name.value](value) else kind_of(value)
    return ""


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and -(2**31) <= value < 2**31


_SCALARS: Final[Mapping[str, Callable[[object], bool]]] = {
    "Int": _is_whole,
    "Float": _is_number,
    "String": lambda value: isinstance(value, str),
    "Boolean": lambda value: isinstance(value, bool),
    "ID": lambda value: isinstance(value, str | int) and not isinstance(value, bool),
}
"""The scalars that each schema has, and what servers take for them."""


def _unquoted(value: object) -> str:
    is_number = isinstance(value, str) and value.removeprefix("-").isdecimal()
    return f"write `{value}` without quotes" if is_number else ""

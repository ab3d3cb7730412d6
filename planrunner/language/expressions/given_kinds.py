"""What kind of value an expression gives, as far as its last operation says."""

from __future__ import annotations

from typing import Final

from planrunner.language.expressions import tree as nodes

__all__ = ["BOOLEAN", "NUMBER", "given_kind"]

BOOLEAN: Final = "true or false"
NUMBER: Final = "a number"

_NUMBERS: Final = (nodes.Sub, nodes.Mul, nodes.Div, nodes.FloorDiv, nodes.Pow, nodes.Neg, nodes.Pos)
_TRUTHS: Final = (nodes.Compare, nodes.Not, nodes.Test)
_COUNTING: Final = frozenset({"abs", "count", "float", "int", "length", "round", "sum"})


def given_kind(tree: nodes.Expr) -> str:
    """Return `BOOLEAN` or `NUMBER`, in the words of `values.kind_of`; empty where it may be any."""
    match tree:
        case nodes.Const():
            return _of_constant(tree.value)
        case nodes.Filter():
            return NUMBER if tree.name in _COUNTING else ""
        case nodes.CondExpr():
            kinds = {given_kind(one) for one in (tree.expr1, tree.expr2) if one is not None}
        case nodes.And() | nodes.Or():
            kinds = {given_kind(tree.left), given_kind(tree.right)}
        case _ if isinstance(tree, _TRUTHS):
            return BOOLEAN
        case _:
            return NUMBER if isinstance(tree, _NUMBERS) else ""
    return kinds.pop() if len(kinds) == 1 else ""


def _of_constant(value: object) -> str:
    if isinstance(value, bool):
        return BOOLEAN
    return NUMBER if isinstance(value, int | float) else ""

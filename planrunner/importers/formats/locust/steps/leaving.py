"""Code that is left early, as code with nothing behind the places where it is left."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from typing import Final

from planrunner.importers.formats.locust.code.names import Unsayable

__all__ = ["leaves", "left_nowhere"]

_LOOPS: Final = (ast.For, ast.AsyncFor, ast.While)
_INNER: Final = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)
_MOST: Final = 500

WayOut = type[ast.Return] | type[ast.Break] | type[ast.Continue]


def leaves(node: ast.AST, *kinds: WayOut) -> bool:
    """Say whether code has a `return`, or a `break` or `continue` that is no inner loop's."""
    if isinstance(node, kinds):
        return True
    if isinstance(node, _LOOPS):
        kinds = tuple(kind for kind in kinds if kind is ast.Return)
    return not isinstance(node, _INNER) and any(
        leaves(below, *kinds) for below in ast.iter_child_nodes(node) if kinds
    )


def left_nowhere(
    code: Sequence[ast.stmt], instead: Mapping[WayOut, Sequence[ast.stmt]], count: int = 0
) -> list[ast.stmt]:
    """Return code that does the same, with other statements where it is left.

    Args:
        code: The statements.
        instead: What stands for each way to leave.
        count: How deep this is.

    Raises:
        Unsayable: It is left from within an inner loop.
    """
    made: list[ast.stmt] = []
    for number, node in enumerate(code):
        if type(node) in instead:
            return [*made, *instead[type(node)]]  # type: ignore[index]
        if not leaves(node, *instead):
            made.append(node)
            continue
        if count > _MOST:
            raise Unsayable(node, "code that is left in many places")
        return [*made, _with_rest(node, code[number + 1 :], instead, count + 1)]
    return made


def _with_rest(
    node: ast.stmt,
    rest: Sequence[ast.stmt],
    instead: Mapping[WayOut, Sequence[ast.stmt]],
    count: int,
) -> ast.stmt:
    """Return a statement with what follows it in those of its branches that aren't left."""
    made: ast.stmt
    match node:
        case ast.If(test=test, body=body, orelse=orelse):
            then = left_nowhere([*body, *rest], instead, count * 2)
            other = left_nowhere([*orelse, *rest], instead, count * 2)
            made = ast.If(test=test, body=then or [ast.Pass()], orelse=other)
        case ast.With(items=items, body=body):
            inner = left_nowhere([*body, *rest], instead, count)
            made = ast.With(items=items, body=inner or [ast.Pass()])
        case ast.Try(body=body, handlers=handlers, orelse=orelse, finalbody=[]):
            inner = left_nowhere([*body, *orelse, *rest], instead, count)
            made = ast.Try(body=inner or [ast.Pass()], handlers=handlers, orelse=[], finalbody=[])
        case _:
            raise Unsayable(node, "code that is left from within a loop")
    return ast.copy_location(made, node)

"""Functions with several returns as code that sets one name."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from planrunner.importers.formats.locust.code.names import Unsayable

__all__ = ["with_result"]


def with_result(code: Sequence[ast.stmt], result: str) -> tuple[list[ast.stmt], ast.expr | None]:
    """Return a function's code without returns, and what it gives back.

    A last `return` is what it gives; where others stand before, each sets the name `result`.

    Raises:
        Unsayable: A loop gives something back.
    """
    *before, last = code or [ast.Pass()]
    if not any(_returns(one) for one in before):
        if isinstance(last, ast.Return):
            return before, last.value
        if not _returns(last):
            return list(code), None
    return _set(code, result), ast.Name(id=result, ctx=ast.Load())


def _returns(node: ast.AST) -> bool:
    return any(isinstance(one, ast.Return) and one.value is not None for one in ast.walk(node))


def _leaves(code: Sequence[ast.stmt]) -> bool:
    match code[-1] if code else None:
        case ast.Return() | ast.Raise():
            return True
        case ast.If(body=body, orelse=orelse):
            return _leaves(body) and _leaves(orelse)
        case _:
            return False


def _set(code: Sequence[ast.stmt], result: str) -> list[ast.stmt]:
    made: list[ast.stmt] = []
    for number, node in enumerate(code):
        rest = list(code[number + 1 :])
        if isinstance(node, ast.Return):
            return [*made, _assigned(node, result)]
        if not any(isinstance(one, ast.Return) for one in ast.walk(node)):
            made.append(node)
            continue
        match node:
            case ast.If(test=test, body=body, orelse=orelse):
                then = body if _leaves(body) else [*body, *rest]
                other = orelse if _leaves(orelse) else [*orelse, *rest]
                new: ast.stmt = ast.If(
                    test=test,
                    body=_set(then, result) or [ast.Pass()],
                    orelse=_set(other, result),
                )
            case ast.With(items=items, body=body):
                new = ast.With(items=items, body=_set([*body, *rest], result))
            case ast.Try(body=body, handlers=handlers, orelse=orelse, finalbody=final):
                inner = _set([*body, *orelse, *rest], result)
                new = ast.Try(body=inner, handlers=handlers, orelse=[], finalbody=final)
            case _:
                raise Unsayable(node, "a loop that gives a value back")
        return [*made, ast.copy_location(new, node)]
    return made


def _assigned(node: ast.Return, result: str) -> ast.stmt:
    value = node.value or ast.Constant(value=None)
    target = ast.Name(id=result, ctx=ast.Store())
    made = ast.Assign(targets=[target], value=value, lineno=node.lineno)
    return ast.fix_missing_locations(ast.copy_location(made, node))

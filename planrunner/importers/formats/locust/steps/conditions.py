"""The expressions of statements, and the opposites of conditions."""

from __future__ import annotations

import ast
from collections.abc import Iterator

__all__ = ["expressions_of", "negated"]


def expressions_of(node: ast.stmt) -> Iterator[ast.expr]:
    """Yield a statement's own expressions, the innermost first; not its blocks."""
    match node:
        case ast.Expr(value=ast.Call(args=arguments, keywords=keywords)):
            within: list[ast.AST] = [*arguments, *keywords]
        case ast.Expr() | ast.Assign() | ast.AnnAssign() | ast.AugAssign() | ast.Return():
            within = [node.value] if node.value is not None else []
        case ast.With(items=items):
            within = [one.context_expr for one in items]
        case ast.If(test=test):
            within = [test]
        case ast.For(iter=source):
            within = [source]
        case _:
            within = []
    found = [one for each in within for one in ast.walk(each) if isinstance(one, ast.expr)]
    yield from reversed(found)


def negated(test: str) -> str:
    """Return the opposite of a condition, as short as it can be said."""
    parts = test.split(" or ")
    if all(part.startswith("not ") and " and " not in part for part in parts):
        return " and ".join(part.removeprefix("not ") for part in parts)
    return f"not ({test})" if " " in test else f"not {test}"

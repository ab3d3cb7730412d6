"""What code does with a reply: conditions that fail a request, values that are taken from it."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Final

from planrunner.importers.draft import Keys
from planrunner.importers.formats.locust.code.expressions import expression
from planrunner.importers.formats.locust.code.module import dotted
from planrunner.importers.formats.locust.code.names import LocustNames, Unsayable

__all__ = ["branches", "default_of", "expectations", "is_extraction", "is_verdict", "path_of"]

_TYPES: Final = {"list": "array", "dict": "object", "str": "string", "bool": "boolean"}
_SUCCESS: Final = (200, 400)


def is_verdict(node: ast.stmt, reply: str, word: str = "") -> bool:
    """Say whether a statement is `reply.success()` or `reply.failure(…)`, or that one of them."""
    if not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)):
        return False
    name = dotted(node.value.func)
    return name in ((f"{reply}.{word}",) if word else (f"{reply}.success", f"{reply}.failure"))


def expectations(  # noqa: C901, PLR0911, PLR0912 - a table
    test: ast.expr, reply: str, names: LocustNames, *, holds: bool
) -> Keys | None:
    """Return `expect` for a condition that must hold, or must not; None where it has no form.

    Args:
        test: The condition.
        reply: What the code calls the reply.
        names: Of the code that the condition stands in.
        holds: Whether the request succeeds where the condition is true.
    """
    match test:
        case ast.UnaryOp(op=ast.Not(), operand=inner):
            return expectations(inner, reply, names, holds=not holds)
        case ast.BoolOp(op=op, values=parts) if isinstance(op, ast.And) is holds:
            merged: Keys = {}
            for part in parts:
                one = expectations(part, reply, names, holds=holds)
                if one is None:
                    return None
                merged = _merged(merged, one)
            return merged
        case ast.BoolOp(values=parts):
            found = [_successes(part, reply, holds=holds) for part in parts]
            if None in found:
                return None
            return {"status": sorted({one for each in found for one in each or ()})}
        case ast.Compare(left=left, ops=[op], comparators=[right]):
            return _comparison(left, op, right, reply, names, holds=holds)
        case ast.Call(func=ast.Name(id="isinstance"), args=[inner, ast.Name(id=kind)]) if (
            kind in _TYPES
        ):
            path = path_of(inner, reply, names)
            return {"json": {path: {"type": _TYPES[kind]}}} if holds and path else None
        case ast.Attribute(attr="ok"):
            return {} if holds else None
        case _:
            return None


def _merged(first: Keys, second: Keys) -> Keys:
    """Return two expectations as one; rules about the JSON of a reply add up."""
    merged = {**first, **second}
    known, more = first.get("json"), second.get("json")
    if isinstance(known, dict) and isinstance(more, dict):
        merged["json"] = _joined_rules(known, more)
    return merged


def _joined_rules(first: Keys, second: Keys) -> Keys:
    joined = dict(first)
    for path, rule in second.items():
        known = joined.get(path)
        both = isinstance(known, dict) and isinstance(rule, dict)
        joined[path] = {**known, **rule} if both else rule  # type: ignore[dict-item]
    return joined


def _successes(test: ast.expr, reply: str, *, holds: bool) -> list[int] | None:
    """Return the statuses that a condition is about, where it is about nothing else."""
    match test:
        case ast.Compare(left=left, ops=[op], comparators=[right]) if (
            dotted(left) == f"{reply}.status_code"
        ):
            wanted = (ast.Eq, ast.In) if holds else (ast.NotEq, ast.NotIn)
            return _statuses(right) if isinstance(op, wanted) else None
        case _:
            return None


def _comparison(  # noqa: C901, PLR0911, PLR0912 - a table
    left: ast.expr, op: ast.cmpop, right: ast.expr, reply: str, names: LocustNames, *, holds: bool
) -> Keys | None:
    compare = ast.Compare(left=left, ops=[op], comparators=[right])
    statuses = _successes(compare, reply, holds=holds)
    if statuses is not None:
        return {"status": statuses[0] if len(statuses) == 1 else statuses}
    name = dotted(left)
    if name == f"{reply}.status_code" and not holds and isinstance(op, ast.Eq | ast.In):
        failing = _statuses(right)
        if failing and all(status >= _SUCCESS[1] for status in failing):
            return {}  # it fails anyway
    if name == f"{reply}.status_code":
        return _below(op, right, holds=holds)
    is_in = isinstance(op, ast.In if holds else ast.NotIn)
    is_out = isinstance(op, ast.NotIn if holds else ast.In)
    if (is_in or is_out) and isinstance(left, ast.Constant) and isinstance(left.value, str):
        if dotted(right) in (f"{reply}.text", f"{reply}.content"):
            return {"contains" if is_in else "not_contains": left.value}
        path = path_of(right, reply, names)
        return {"json": {f"{path}.{left.value}": {"exists": is_in}}} if path else None
    seconds = right.value if isinstance(right, ast.Constant) else None
    if "elapsed" in ast.unparse(left) and isinstance(seconds, int | float):
        is_limit = isinstance(op, (ast.Lt, ast.LtE) if holds else (ast.Gt, ast.GtE))
        return {"time": f"< {seconds:g}s"} if is_limit else None
    path = path_of(left, reply, names)
    is_equal = isinstance(op, ast.Eq if holds else ast.NotEq)
    if path and path != "$" and is_equal:
        if isinstance(right, ast.Constant):
            return {"json": {path: right.value}}
        with suppress(Unsayable):
            return {"json": {path: f"${{{expression(right, names)}}}"}}
    return None


def _below(op: ast.cmpop, right: ast.expr, *, holds: bool) -> Keys | None:
    """Return `expect` for `status < 400` and its like."""
    limit = right.value if isinstance(right, ast.Constant) else None
    if isinstance(op, ast.Lt if holds else ast.GtE) and limit in (300, 400, 500):
        classes = ["2xx", "3xx", "4xx"][: int(str(limit)[0]) - 2]
        return {"status": classes} if limit != _SUCCESS[1] else {}
    return None


def _statuses(node: ast.expr) -> list[int] | None:
    match node:
        case ast.Constant(value=int() as status):
            return [status]
        case ast.List(elts=items) | ast.Tuple(elts=items) | ast.Set(elts=items):
            found = [one.value for one in items if isinstance(one, ast.Constant)]
            statuses = [one for one in found if isinstance(one, int)]
            return statuses if len(statuses) == len(items) else None
        case _:
            return None


def path_of(node: ast.expr, reply: str, names: LocustNames) -> str | None:
    """Return the JSONPath of a value of a reply's JSON, None for other code."""
    match node:
        case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="json"), args=[]):
            return "$" if name == reply else None
        case ast.Name(id=name):
            return "$" if names.local.get(name) == "json" else None
        case ast.Call(func=ast.Attribute(value=inner, attr="get"), args=[key, *_]):
            return _below_path(path_of(inner, reply, names), key)
        case ast.Subscript(value=inner, slice=key):
            return _below_path(path_of(inner, reply, names), key)
        case _:
            return None


def default_of(node: ast.expr) -> Keys | None:
    """Return what a value of a reply is where the reply lacks it, as keys of `extract`.

    There are none where a lack is a failure; None is returned where the default is computed.
    """
    match node:
        case ast.Call(func=ast.Attribute(attr="get"), args=[_]):
            return {"default": None}
        case ast.Call(func=ast.Attribute(attr="get"), args=[_, other]):
            try:
                return {"default": ast.literal_eval(other)}
            except ValueError:
                return None
        case _:
            return {}


def _below_path(before: str | None, key: ast.expr) -> str | None:
    if before is None or not isinstance(key, ast.Constant):
        return None
    if isinstance(key.value, int) and not isinstance(key.value, bool) and key.value >= 0:
        return f"{before}[{key.value}]"
    if isinstance(key.value, str) and key.value.isidentifier():
        return f"{before}.{key.value}"
    return (
        f"{before}['{key.value}']" if isinstance(key.value, str) and "'" not in key.value else None
    )


def _reads_only(  # noqa: PLR0911 - a table
    test: ast.expr, reply: str, names: LocustNames
) -> bool:
    """Say whether a condition only asks whether a reply has something."""
    if path_of(test, reply, names) is not None or _successes(test, reply, holds=True):
        return True
    match test:
        case ast.BoolOp(op=ast.And(), values=parts):
            return all(_reads_only(part, reply, names) for part in parts)
        case ast.Attribute(attr="ok", value=ast.Name(id=name)):
            return name == reply
        case ast.Call(func=ast.Name(id="len"), args=[inner]):
            return path_of(inner, reply, names) is not None
        case ast.Compare(left=ast.Constant(value=str()), ops=[ast.In()], comparators=[right]):
            return path_of(right, reply, names) is not None
        case ast.Compare(left=left, ops=[ast.Gt() | ast.GtE()], comparators=[ast.Constant()]):
            return _reads_only(left, reply, names)
        case _:
            return False


def branches(node: ast.If) -> Iterator[tuple[ast.expr | None, Sequence[ast.stmt]]]:
    """Yield the branches of an if with its elifs; the last one's condition is None for `else`."""
    while True:
        yield node.test, node.body
        if len(node.orelse) == 1 and isinstance(node.orelse[0], ast.If):
            node = node.orelse[0]
        else:
            if node.orelse:
                yield None, node.orelse
            return


def is_extraction(node: ast.stmt, reply: str, names: LocustNames) -> bool:
    """Say whether a statement only takes a value from a reply, if at all.

    A name that is given the whole of the reply's JSON is known from then on.
    """
    match node:
        case ast.Assign(targets=[target], value=inner):
            path = path_of(inner, reply, names)
            if path == "$" and isinstance(target, ast.Name):
                names.local[target.id] = "json"
            is_name = isinstance(target, ast.Name) or dotted(target).startswith(f"{names.own}.")
            return path is not None and is_name
        case ast.If(test=test, body=code, orelse=[]):
            return _reads_only(test, reply, names) and all(
                is_extraction(one, reply, names) for one in code
            )
        case ast.Pass():
            return True
        case _:
            return bool(reply) and is_verdict(node, reply, "success")

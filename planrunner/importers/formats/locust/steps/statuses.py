"""Which statuses code accepts: its conditions, tried with every status there is."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Sequence
from typing import Final

from planrunner.importers.formats.locust.code.mappings import source_of
from planrunner.importers.formats.locust.code.module import dotted
from planrunner.importers.formats.locust.code.names import LocustNames
from planrunner.importers.formats.locust.steps.replies import is_verdict

__all__ = ["accepted_statuses"]

_STATUSES: Final = range(100, 600)
_MOST: Final = 20
_COMPARE: Final[dict[type[ast.cmpop], Callable[..., object]]] = {
    ast.Eq: operator.eq, ast.NotEq: operator.ne, ast.Lt: operator.lt, ast.LtE: operator.le,
    ast.Gt: operator.gt, ast.GtE: operator.ge, ast.In: lambda one, many: one in many,
    ast.NotIn: lambda one, many: one not in many,
}  # fmt: skip

Arms = Sequence[tuple[ast.expr | None, Sequence[ast.stmt]]]


def accepted_statuses(arms: Arms, reply: str, names: LocustNames) -> list[int | str] | None:
    """Return the statuses that branches accept, whatever else they ask; None where that decides.

    Nothing is in the list where they accept what a request accepts anyway.
    """
    accepted: set[int] = set()
    for status in _STATUSES:
        said = _verdicts(arms, status, reply, names)
        if len(said) != 1:
            return None
        if said.pop():
            accepted.add(status)
    return [] if accepted == set(range(200, 400)) else _in_short(accepted)


def _verdicts(arms: Arms, status: int, reply: str, names: LocustNames) -> set[bool]:
    """Return whether a reply with some status succeeds: both where that depends on more."""
    found: set[bool] = set()
    for test, code in arms:
        holds = True if test is None else _holds(test, status, reply, names)
        if holds is False:
            continue
        found.add(_verdict(code, status, reply))
        if holds:
            return found
    return {*found, 200 <= status < 400}


def _verdict(code: Sequence[ast.stmt], status: int, reply: str) -> bool:
    for one in code:
        if is_verdict(one, reply):
            return is_verdict(one, reply, "success")
    return 200 <= status < 400


def _holds(test: ast.expr, status: int, reply: str, names: LocustNames) -> bool | None:
    """Return whether a condition holds for a status; None where it depends on more."""
    match test:
        case ast.UnaryOp(op=ast.Not(), operand=inner):
            inverse = _holds(inner, status, reply, names)
            return None if inverse is None else not inverse
        case ast.BoolOp(op=op, values=parts):
            return _joined([_holds(one, status, reply, names) for one in parts], op)
        case ast.Compare(left=left, ops=ops, comparators=others):
            pairs = zip([left, *others], ops, others, strict=False)
            return _joined(
                [_compared(a, op, b, status, reply, names) for a, op, b in pairs], ast.And()
            )
        case ast.Attribute(attr="ok") if dotted(test) == f"{reply}.ok":
            return status < 400
        case _:
            return None


def _joined(parts: Sequence[bool | None], op: ast.boolop) -> bool | None:
    decides = isinstance(op, ast.Or)
    if decides in parts:
        return decides
    return None if None in parts else not decides


def _compared(
    left: ast.expr, op: ast.cmpop, right: ast.expr, status: int, reply: str, names: LocustNames
) -> bool | None:
    values = [_value(one, status, reply, names) for one in (left, right)]
    compare = _COMPARE.get(type(op))
    if None in values or compare is None:
        return None
    try:
        return bool(compare(*values))
    except TypeError:
        return None


def _value(node: ast.expr, status: int, reply: str, names: LocustNames) -> object:
    if dotted(node) == f"{reply}.status_code":
        return status
    source = source_of(node, names)
    match source:
        case ast.Constant(value=int() as number):
            return number
        case ast.List(elts=items) | ast.Tuple(elts=items) | ast.Set(elts=items):
            found = [_value(one, -1, "", names) for one in items]
            return None if None in found else found
        case ast.Call(func=ast.Name(id="range"), args=[first, last]):
            low, high = (_value(one, -1, "", names) for one in (first, last))
            return range(low, high) if isinstance(low, int) and isinstance(high, int) else None
        case ast.Attribute() if names.module.full_name(source).startswith("requests.codes."):
            return {"ok": 200, "created": 201, "not_found": 404}.get(source.attr)
        case _:
            return None


def _in_short(accepted: set[int]) -> list[int | str] | None:
    """Return statuses with whole classes as `2xx`; None for none, or too many."""
    found: list[int | str] = []
    for first in range(100, 600, 100):
        here = [one for one in range(first, first + 100) if one in accepted]
        found += [f"{first // 100}xx"] if len(here) == 100 else here
    return found if 0 < len(found) <= _MOST else None

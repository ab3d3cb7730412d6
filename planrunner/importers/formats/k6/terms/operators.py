"""Operators of JavaScript on values of a script."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Final

from planrunner.importers.formats.k6.state.values import (
    UNDEFINED,
    JsArray,
    JsClass,
    JsConst,
    JsEnv,
    JsExpr,
    JsFile,
    JsFunction,
    JsMetric,
    JsNative,
    JsObject,
    JsOp,
    JsPart,
    JsReply,
    JsRows,
    JsText,
    JsUnknown,
    JsValue,
    plain,
)
from planrunner.importers.formats.k6.terms.texts import is_text
from planrunner.importers.javascript.constants import js_text

__all__ = ["binary", "negated", "shadow", "ternary", "truth"]

_SIGNS: Final = {"===": "==", "!==": "!="}
_COMPARED: Final = frozenset({"==", "!=", "<", "<=", ">", ">="})
_ARITHMETIC: Final = frozenset({"+", "-", "*", "/", "%", "**"})
_OBJECTS = (JsReply, JsFunction, JsNative, JsMetric, JsClass, JsRows, JsFile)
_MOST: Final = 1_000_000
_DRAWN: Final = re.compile(r"rand\.int\((-?\d+), (-?\d+)\)")


def truth(value: JsValue) -> bool | None:
    """Return whether a value counts as true; None where that isn't known beforehand."""
    if isinstance(value, JsConst):
        return bool(value.value)
    if isinstance(value, (*_OBJECTS, JsArray, JsObject)):
        return True
    if isinstance(value, JsText) and any(
        isinstance(one, JsConst) and one.value != "" for one in value.parts
    ):
        return True
    return None


def shadow(value: JsValue) -> JsValue | None:
    """Return what a value is where nobody sets a variable of the environment."""
    match value:
        case JsEnv():
            return UNDEFINED
        case JsExpr(unset=found) | JsOp(unset=found) | JsText(unset=found):
            return found
        case JsPart() | JsUnknown():
            return None
        case _:
            return value


def negated(value: JsValue) -> JsValue:
    """Return `!value`."""
    known = truth(value)
    if known is not None:
        return JsConst(not known)
    if isinstance(value, JsOp) and value.sign in ("==", "!="):
        return JsOp({"==": "!=", "!=": "=="}[value.sign], value.operands, _not(value.unset))
    if isinstance(value, JsOp) and value.sign == "not":
        return value.operands[0]
    if isinstance(value, JsUnknown):
        return value
    return JsOp("not", [value], _not(shadow(value)))


def _not(value: JsValue | None) -> JsValue | None:
    known = truth(value) if value is not None else None
    return None if known is None else JsConst(not known)


def ternary(test: JsValue, then: JsValue, other: JsValue) -> JsValue:
    """Return `test ? then : other`."""
    known = truth(test)
    if known is not None:
        return then if known else other
    for one in (test, then, other):
        if isinstance(one, JsUnknown):
            return one
    if _is_only_there(test, then) and isinstance(other, JsConst) and not other.value:
        return then
    test_unset = shadow(test)
    chosen = truth(test_unset) if test_unset is not None else None
    unset = None if chosen is None else shadow(then if chosen else other)
    return JsOp("?", [test, then, other], unset)


def _is_only_there(test: JsValue, then: JsValue) -> bool:  # noqa: C901, PLR0911, PLR0912 - a table
    """Say whether a test only asks if a part of a reply is there, which gives nothing if not."""
    if not isinstance(then, JsPart) or then.kind != "json":
        return False
    match test:
        case JsPart(reply=reply, kind="json" | "body"):
            return reply is then.reply
        case JsPart(reply=reply, kind="status"):
            return reply is then.reply
        case JsOp(sign="length", operands=[inner]):
            return _is_only_there(inner, then)
        case JsOp(sign="and", operands=[left, right]):
            return _is_only_there(left, then) and _is_only_there(right, then)
        case JsOp(sign="==", operands=[JsPart(kind="status") as left, JsConst(value=200 | 201)]):
            return left.reply is then.reply
        case JsOp(sign=">", operands=[JsOp(sign="length") as left, JsConst(value=0)]):
            return _is_only_there(left, then)
        case JsOp(sign="type" | "checked", operands=[left, *_]):
            return _is_only_there(left, then)
        case _:
            return False


def binary(sign: str, left: JsValue, right: JsValue) -> JsValue:  # noqa: C901, PLR0911 - a table
    """Return what an operator with two operands gives."""
    sign = _SIGNS.get(sign, sign)
    if sign in ("&&", "||", "??"):
        return _logical(sign, left, right)
    for one in (left, right):
        if isinstance(one, JsUnknown):
            return one
    folded = _folded(sign, left, right)
    if folded is None:
        folded = _found(sign, left, right)
    if folded is not None:
        return folded
    unset = _unset(sign, left, right)
    drawn = _drawn(sign, left, right)
    if drawn is not None:
        return drawn
    if sign == "+" and (is_text(left) or is_text(right)):
        return JsText([*_parts(left), *_parts(right)], unset)
    if sign in _COMPARED | _ARITHMETIC:
        return JsOp(sign, [left, right], unset)
    return JsUnknown(f"the operator `{sign}` has no counterpart")


def _found(sign: str, left: JsValue, right: JsValue) -> JsValue | None:
    """Return `text.indexOf(part) !== -1` and its like as what they ask: whether it is in there."""
    is_asked = isinstance(left, JsOp) and left.sign == "in" and isinstance(right, JsConst)
    if not is_asked or not isinstance(right, JsConst):
        return None
    asked = f"{sign} {js_text(right.value)}"
    if asked in _IS_IN:
        return left
    return negated(left) if asked in _IS_NOT_IN else None


_IS_IN: Final = frozenset({"!= -1", "> -1", ">= 0", "== true"})
_IS_NOT_IN: Final = frozenset({"== -1", "< 0", "<= -1", "== false"})


def _drawn(sign: str, left: JsValue, right: JsValue) -> JsExpr | None:
    """Return a random whole number and a constant as one random number."""
    if isinstance(left, JsConst):
        left, right = right, left
    if sign != "+" or not isinstance(left, JsExpr) or not isinstance(right, JsConst):
        return None
    found = _DRAWN.fullmatch(left.text)
    if found is None or not isinstance(right.value, int):
        return None
    low, high = int(found[1]) + right.value, int(found[2]) + right.value
    return JsExpr(f"rand.int({low}, {high})", "number", draws=True)


def _parts(value: JsValue) -> list[JsValue]:
    return value.parts if isinstance(value, JsText) else [value]


def _unset(sign: str, left: JsValue, right: JsValue) -> JsValue | None:
    first, second = shadow(left), shadow(right)
    return _folded(sign, first, second) if first is not None and second is not None else None


def _logical(sign: str, left: JsValue, right: JsValue) -> JsValue:
    known = truth(left)
    if sign == "??" and isinstance(left, JsConst):
        known = left.value is not None
    if known is not None:
        return left if known is (sign != "&&") else right
    if isinstance(left, JsUnknown):
        return left
    if isinstance(right, JsUnknown):
        return right
    if isinstance(left, JsPart) and left.kind == "body" and sign != "&&":
        return left
    first = shadow(left)
    unset: JsValue | None = None
    if first is not None and truth(first) is not None:
        unset = first if truth(first) is (sign != "&&") else shadow(right)
    return JsOp("and" if sign == "&&" else "or", [left, right], unset)


def _folded(sign: str, left: JsValue, right: JsValue) -> JsValue | None:
    objects = (*_OBJECTS, JsArray, JsObject)
    if sign in ("==", "!=") and (isinstance(left, objects) or isinstance(right, objects)):
        if isinstance(left, JsConst) or isinstance(right, JsConst):
            return JsConst(sign == "!=")
        return JsConst((left is right) is (sign == "=="))
    try:
        first, second = plain(left), plain(right)
    except LookupError:
        return None
    return _computed(sign, first, second)


def _computed(sign: str, left: object, right: object) -> JsValue | None:
    if sign in ("==", "!="):
        same = left == right and isinstance(left, bool) is isinstance(right, bool)
        return JsConst(same is (sign == "=="))
    if sign == "+" and (isinstance(left, str | list | dict) or isinstance(right, str)):
        text = js_text(left) + js_text(right)
        return JsConst(text) if len(text) < _MOST else JsUnknown("a text that grows without end")
    numbers = _number(left), _number(right)
    if None in numbers:
        return None
    if sign in _COMPARED:
        return JsConst(_compare(sign, left, right))
    return _calculated(sign, numbers[0] or 0, numbers[1] or 0)


def _compare(sign: str, left: object, right: object) -> bool:
    a, b = left, right
    if not (isinstance(a, str) and isinstance(b, str)):
        a, b = _number(left), _number(right)
    return {"<": a < b, "<=": a <= b, ">": a > b, ">=": a >= b}[sign]  # type: ignore[operator]


def _calculated(sign: str, left: float, right: float) -> JsValue | None:
    operations: dict[str, Callable[[], float]] = {
        "+": lambda: left + right,
        "-": lambda: left - right,
        "*": lambda: left * right,
        "/": lambda: left / right,
        "%": lambda: math.fmod(left, right),
        "**": lambda: math.pow(left, right),
    }
    try:
        found = operations[sign]()
    except (KeyError, ArithmeticError, ValueError):
        return None
    if not math.isfinite(found):
        return None
    whole = float(found).is_integer() and abs(found) < 2**53
    return JsConst(int(found) if whole else found)


def _number(value: object) -> float | None:
    if value is None:
        return 0
    if isinstance(value, bool | int | float):
        return value
    if isinstance(value, str):
        try:
            return float(value) if value.strip() else 0
        except ValueError:
            return None
    return None

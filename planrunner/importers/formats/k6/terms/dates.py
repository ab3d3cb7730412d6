"""Dates as expressions of a plan: now and an offset, or the milliseconds since 1970."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from planrunner.importers.formats.k6.state.values import JsConst, JsExpr, JsOp, JsValue

__all__ = ["CLOCK", "ISO", "TEXT", "date_said", "is_now", "of_constant", "terms_of"]

CLOCK: Final = "(now() * 1000) | int"
ISO: Final = ""
TEXT: Final = "%a %b %d %Y %H:%M:%S GMT+0000 (Coordinated Universal Time)"
"""What JavaScript makes of a date as text, in UTC."""

_PER_SECOND: Final = 1000
_Terms = list[tuple[str, JsValue]]


def date_said(value: JsValue, form: str, say: Callable[[JsValue], str]) -> str:
    """Return the expression of a date as text.

    Args:
        value: Milliseconds since 1970.
        form: With the directives of `strftime`, or `ISO`.
        say: Returns a value as an expression that can stand beside an operator.
    """
    if isinstance(value, JsConst):
        return f"'{of_constant(value, form)}'"
    terms = terms_of(value)
    clock = next((one for one in terms if one[0] == "+" and is_now(one[1])), None)
    quoted = f"'{form}'" if form else ""
    if clock is None:
        return f"({say(value)} / {_PER_SECOND}) | date{f'({quoted})' if form else ''}"
    offset = _seconds([one for one in terms if one is not clock], say)
    given = [quoted or "'ISO'", offset] if offset else [quoted] if form else []
    return f"date({', '.join(given)})"


def is_now(value: JsValue) -> bool:
    """Say whether a value is the clock itself."""
    return isinstance(value, JsExpr) and value.text == CLOCK


def of_constant(value: JsConst, form: str) -> str:
    """Return a date that is known beforehand as text.

    Raises:
        ValueError: There is no such date.
        OverflowError: Nor such a year.
    """
    moment = datetime.fromtimestamp(float(value.value or 0) / _PER_SECOND, UTC)
    if form:
        return moment.strftime(form)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def terms_of(value: JsValue, sign: str = "+") -> _Terms:
    """Return the terms of a sum with their signs."""
    if isinstance(value, JsOp) and value.sign in ("+", "-") and len(value.operands) == 2:
        other = sign if value.sign == "+" else "-" if sign == "+" else "+"
        first, second = value.operands
        return [*terms_of(first, sign), *terms_of(second, other)]
    return [(sign, value)]


def _seconds(terms: _Terms, say: Callable[[JsValue], str]) -> str:
    """Return the sum of milliseconds in seconds; empty where there are none."""
    known, said = 0.0, ""
    for sign, value in terms:
        constant, others = _factors(value)
        factor = (constant if sign == "+" else -constant) / _PER_SECOND
        if not others:
            known += factor
            continue
        product = " * ".join(say(one) for one in others)
        whole = product if abs(factor) == 1 else f"{product} * {abs(factor):.15g}"
        said = f"{said} {'-' if factor < 0 else '+'} {whole}" if said else whole
        if factor < 0 and said == whole:
            said = f"-{whole}" if len(others) == 1 else f"-({whole})"
    if known and said:
        return f"{said} {'-' if known < 0 else '+'} {abs(known):.15g}"
    return said or (f"{known:.15g}" if known else "")


def _factors(value: JsValue) -> tuple[float, list[JsValue]]:
    """Return the constant of a product, and what it is multiplied with."""
    if isinstance(value, JsConst) and isinstance(value.value, int | float):
        return float(value.value), []
    if isinstance(value, JsOp) and value.sign == "*":
        each = [_factors(one) for one in value.operands]
        return math.prod(one for one, _ in each), [one for _, many in each for one in many]
    return 1.0, [value]

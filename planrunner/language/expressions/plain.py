"""Values of other libraries as expressions can work with them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, time, timedelta
from decimal import Decimal
from math import nan
from numbers import Integral, Real

__all__ = ["plain", "plain_number"]


def plain_number(value: object) -> object:
    """Return decimals, fractions, and single numbers and truths of NumPy as those of Python.

    Anything else is returned as it is.
    """
    if not isinstance(value, int | float) and getattr(value, "shape", None) == ():
        value = value.item() if hasattr(value, "item") else value
    if isinstance(value, int | float):
        return value
    try:
        if isinstance(value, Integral):
            return int(value)
        return float(value) if isinstance(value, Real | Decimal) else value
    except (ValueError, OverflowError):  # a signalling NaN, a fraction beyond all floats
        return nan


def plain(value: object) -> object:
    """Return what expressions can work with.

    Dates become ISO 8601 text, decimals and durations (in seconds) numbers, tuples and sets lists.
    """
    match value:
        case None | str() | bool() | int() | float() | bytes():
            found: object = value
        case date() | time():
            found = value.isoformat()
        case Decimal():
            found = int(value) if value.as_tuple().exponent == 0 else float(value)
        case timedelta():
            found = value.total_seconds()
        case Mapping():
            found = {str(key): plain(item) for key, item in value.items()}
        case list() | tuple() | set() | frozenset():
            found = [plain(item) for item in value]
        case _:
            found = str(value)
    return found

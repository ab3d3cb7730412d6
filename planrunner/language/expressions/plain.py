"""Values of other libraries as expressions can work with them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, time, timedelta
from decimal import Decimal

__all__ = ["plain"]


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

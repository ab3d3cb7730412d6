"""Numbers of other tools as the quantities of a plan: times, rates."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Final

__all__ = ["per_second", "read_seconds", "seconds"]

_TIME: Final = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([a-z]*)\s*", re.IGNORECASE)
_UNITS: Final = {
    **dict.fromkeys(("ms", "msec", "msecs", "milliseconds", "millisecond"), Fraction(1, 1000)),
    **dict.fromkeys(("", "s", "sec", "secs", "second", "seconds"), Fraction(1)),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes"), Fraction(60)),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), Fraction(3600)),
    **dict.fromkeys(("d", "day", "days"), Fraction(86400)),
}


def read_seconds(value: object) -> Fraction | None:
    """Return a time: a number of seconds, or a text such as `2 min` or `1m30s`; None if neither."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    total, at, text = Fraction(0), 0, str(value)
    while at < len(text):
        found = _TIME.match(text, at)
        unit = _UNITS.get(found[2].lower()) if found else None
        if found is None or unit is None or len(found[1]) > 15:
            return None
        total, at = total + Fraction(found[1]) * unit, found.end()
    return total if text.strip() else None


def seconds(time: Fraction) -> str:
    """Return a time as a plan has it: `90s`, `2m`, `1h`, `250ms`."""
    if time.denominator == 1:
        whole = int(time)
        for unit, size in (("h", 3600), ("m", 60)):
            if whole and whole % size == 0:
                return f"{whole // size}{unit}"
        return f"{whole}s"
    thousands = time * 1000
    return f"{int(thousands)}ms" if thousands.denominator == 1 else f"{round(float(time), 6):g}s"


def per_second(rate: Fraction) -> str:
    """Return a rate as a plan has it, in the unit in which it is a whole number."""
    for unit, size in (("s", 1), ("m", 60), ("h", 3600)):
        if (rate * size).denominator == 1:
            return f"{int(rate * size)}/{unit}"
    return f"{round(float(rate), 6):.6f}".rstrip("0").rstrip(".") + "/s"

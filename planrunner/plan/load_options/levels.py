"""Levels and times of a plan as exact numbers, and what becomes of them under another load."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from fractions import Fraction
from itertools import accumulate
from math import ceil
from typing import Any, Final, Literal

from planrunner.language.fields.deferred import KINDS, Deferred
from planrunner.language.fields.text import parse_text
from planrunner.schedule.population import Share, seats
from planrunner.units import Rate, write_duration

__all__ = [
    "MOST_USERS",
    "LevelKind",
    "as_written",
    "in_proportion",
    "read_number",
    "scaled",
    "stretched",
]

LevelKind = Literal["users", "rate"]

MOST_USERS: Final = 1_000_000

_KINDS: Final = {"users": "count", "rate": "rate", "duration": "duration"}


def read_number(key: str, written: object, constants: Mapping[str, object]) -> Fraction:
    """Return users, arrivals in a nanosecond, or nanoseconds.

    Args:
        key: `users`, `rate` or `duration`.
        written: As the plan has it: a number, a text with its unit, or an expression.
        constants: The values of params.

    Raises:
        PlanrunnerError: It is none, or not known before the run.
    """
    kind = _KINDS[key]
    value: Any  # an int, or a `Rate`
    if isinstance(written, str):
        text = parse_text(written)
        value = (
            KINDS[kind].parse(written)
            if text.is_constant
            else Deferred(text, kind).resolve(constants)
        )
    elif isinstance(written, int | float) and not isinstance(written, bool):
        value = KINDS[kind].number(written) if KINDS[kind].bare else KINDS[kind].parse(str(written))
    else:
        value = KINDS[kind].parse(str(written))
    return Fraction(value.count, value.per_ns) if isinstance(value, Rate) else Fraction(value)


def as_written(key: str, number: Fraction) -> object:
    """Return a number as a plan has it; users are rounded up, so that no level loses all."""
    match key:
        case "rate":
            return Rate(number.numerator, number.denominator)
        case "duration":
            return write_duration(int(number))
        case _:
            return ceil(number)


def scaled(levels: Sequence[Fraction], highest: Fraction) -> list[Fraction]:
    """Return levels in the same proportion of which the highest is that; not all are 0."""
    return [level * highest / max(levels) for level in levels]


def stretched(durations: Sequence[Fraction], whole: Fraction) -> list[Fraction]:
    """Return whole nanoseconds in the same proportion that add up to `whole`; not all are 0."""
    total = sum(durations)
    ends = [end * whole // total for end in accumulate(durations)]
    return [Fraction(end - begin) for begin, end in zip([0, *ends], ends, strict=False)]


def in_proportion(
    kind: LevelKind, parts: Mapping[str, Fraction], whole: Fraction
) -> dict[str, Fraction]:
    """Split a level among classes as the plan does; not all parts are 0.

    Rates are split exactly, and users by the Sainte-Laguë method, as those of a number are by
    weight: the parts serve as weights.
    """
    if kind == "rate":
        total = sum(parts.values())
        return {name: part * whole / total for name, part in parts.items()}
    taking = [name for name, part in parts.items() if part]
    turn = int(sum(parts.values()))
    # Whole turns give each class its part exactly, and then it begins anew.
    turns, rest = divmod(int(whole), turn)
    shares = [Share(name, weight=int(parts[name])) for name in taking]
    extra = Counter(taking[seat] for seat in seats(shares, rest))
    return {name: part * turns + extra[name] for name, part in parts.items()}

"""Amounts with a unit: how a threshold writes them, and how observed ones are shown."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Final, assert_never

from planrunner.late_pattern import late_pattern
from planrunner.units import (
    UnitError,
    format_duration,
    format_percent,
    format_rate,
    format_size,
    parse_duration,
    parse_percent,
    parse_rate,
    parse_size,
)

__all__ = ["Unit", "distinct_amount", "format_amount", "parse_amount", "unit_of"]


class Unit(StrEnum):
    """What an amount counts; the value is the word for messages."""

    DURATION = "duration"
    RATE = "rate"
    PERCENT = "percentage"
    SIZE = "size"
    NUMBER = "number"


_NUMBER: Final = late_pattern(r"-?[0-9]{1,15}(?:\.[0-9]{1,9})?")
_SIZE: Final = late_pattern(r"[0-9.]+(?:[KMGT]i?)?B")


def unit_of(text: str) -> Unit:
    """Return the unit that `text` is written in; whether it is right is left to the parsing."""
    if _NUMBER.fullmatch(text):
        return Unit.NUMBER
    if text.endswith("%"):
        return Unit.PERCENT
    if "/" in text:
        return Unit.RATE
    return Unit.SIZE if _SIZE.fullmatch(text) else Unit.DURATION


def parse_amount(text: str, unit: Unit) -> float:
    """Return the amount in the unit of `ThresholdValue.amount`; 0 needs no unit.

    Raises:
        UnitError: `text` isn't one; has a hint.
    """
    if unit is Unit.NUMBER:
        return _parse_number(text)
    if _NUMBER.fullmatch(text) and float(text) == 0:
        return 0
    match unit:
        case Unit.DURATION:
            return parse_duration(text)
        case Unit.RATE:
            return parse_rate(text).per_second
        case Unit.PERCENT:
            return parse_percent(text)
        case Unit.SIZE:
            return parse_size(text)
        case _ as unreachable:
            assert_never(unreachable)


def _parse_number(text: str) -> float:
    if not _NUMBER.fullmatch(text):
        raise UnitError(f"`{text}` is not a number", hint="write a number such as `10` or `0.9`")
    return float(text) if "." in text else int(text)


def format_amount(amount: float, unit: Unit) -> str:
    """Return an observed amount for people, with its unit."""
    match unit:
        case Unit.DURATION:
            return format_duration(amount) if amount else "0 ms"
        case Unit.RATE:
            return format_rate(amount)
        case Unit.PERCENT:
            return format_percent(amount)
        case Unit.SIZE:
            return f"-{format_size(-amount)}" if amount < 0 else format_size(amount)
        case Unit.NUMBER:
            return (
                f"{amount:,}"
                if isinstance(amount, int)
                else f"{amount:,.3f}".rstrip("0").rstrip(".")
            )
        case _ as unreachable:
            assert_never(unreachable)


_MOST_DECIMALS: Final = 6


def distinct_amount(amount: float, other: float, unit: Unit) -> str:
    """Return an amount with as many decimals as it takes to look unlike another one."""
    scale, suffix = _scale(amount, unit)
    shown = format_amount(amount, unit)
    if amount == other or (unit is Unit.SIZE and scale == 1):  # bytes have no fractions
        return shown
    for decimals in range(1, _MOST_DECIMALS + 1):
        shown = f"{amount / scale:,.{decimals}f}{suffix}"
        if shown != f"{other / scale:,.{decimals}f}{suffix}":
            break
    return shown


def _scale(amount: float, unit: Unit) -> tuple[float, str]:
    """Return what to divide an amount by, and the unit that follows."""
    match unit:
        case Unit.DURATION:
            return _largest(_DURATIONS, amount)
        case Unit.PERCENT:
            return 0.01, " %"
        case Unit.RATE:
            return 1, "/s"
        case Unit.SIZE:
            return _largest(_SIZES, amount)
        case Unit.NUMBER:
            return 1, ""
        case _ as unreachable:
            assert_never(unreachable)


def _largest(scales: Sequence[tuple[float, str]], amount: float) -> tuple[float, str]:
    return next((one for one in scales if abs(amount) >= 0.9995 * one[0]), scales[-1])


_DURATIONS: Final = ((1e9, " s"), (1e6, " ms"), (1e3, " us"), (1.0, " ns"))
_SIZES: Final = ((1e9, " GB"), (1e6, " MB"), (1e3, " KB"), (1.0, " B"))

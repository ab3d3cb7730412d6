"""Numbers that a sentence computes: in the unit of the params that they are made of."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import suppress
from typing import Final, assert_never

from planrunner.language.expressions.expression import to_text
from planrunner.late_pattern import late_pattern
from planrunner.metrics.amounts import Unit, parse_amount, unit_of
from planrunner.metrics.thresholds import Threshold, ThresholdSyntaxError
from planrunner.plan.models.thresholds import read_threshold
from planrunner.units import UnitError, seconds_to_ns, write_duration
from planrunner.values import dataclass

__all__ = ["Computed", "computed_amount", "read_filled"]


@dataclass(frozen=True, slots=True)
class Computed:
    """A number of an expression that reads params of one unit: in that unit, and as it is."""

    with_unit: str
    bare: str


def computed_amount(value: object, read: Sequence[str]) -> str | Computed:
    """Return a value as a sentence has it; `read` are the params behind it, as a plan has them."""
    bare = to_text(value)
    units = {unit for text in read if (unit := unit_of(text)) and _is_amount(text, unit)}
    units.discard(Unit.NUMBER)
    if len(units) != 1 or isinstance(value, bool) or not isinstance(value, int | float):
        return bare
    [unit] = units
    return Computed(written, _plain(value)) if (written := _in_unit(value, unit)) else bare


def _is_amount(text: str, unit: Unit) -> bool:
    with suppress(UnitError):
        parse_amount(text, unit)
        return True
    return False


def _in_unit(value: float, unit: Unit) -> str:
    """Write what an expression computes with: seconds, per second, bytes, a fraction."""
    if value < 0 or not math.isfinite(value):
        return ""
    match unit:
        case Unit.DURATION:
            return write_duration(seconds_to_ns(value))
        case Unit.RATE:
            return f"{_plain(value)}/s"
        case Unit.PERCENT:
            return f"{_plain(100 * value)}%"
        case Unit.SIZE:
            return f"{round(value)}B"
        case Unit.NUMBER:
            return _plain(value)
        case _ as unreachable:
            assert_never(unreachable)


def _plain(value: float) -> str:
    """Write a number without what binary fractions add: `0.7 - 0.1` is 0.6."""
    return f"{value:.9f}".rstrip("0").rstrip(".")


_BEFORE_AMOUNT: Final = late_pattern(r"(?:[<>=(]|\b(?:over|for|after))\s*\Z")
_AFTER_AMOUNT: Final = late_pattern(r"\s|[,)]|\Z")


def read_filled(pieces: Sequence[str | Computed]) -> Threshold:
    """Read a sentence; what is computed has the unit of its params where that fits.

    Raises:
        ThresholdSyntaxError: It is none, whether or not computed numbers have units.
    """
    bare = "".join(piece if isinstance(piece, str) else piece.bare for piece in pieces)
    text = ""
    for piece, following in zip(pieces, (*pieces[1:], ""), strict=True):
        if isinstance(piece, str):
            text += piece
            continue
        after = following if isinstance(following, str) else following.bare
        alone = _BEFORE_AMOUNT.search(text) and _AFTER_AMOUNT.match(after)
        text += piece.with_unit if alone else piece.bare
    if text != bare:
        with suppress(ThresholdSyntaxError):
            return read_threshold(text)
    return read_threshold(bare)

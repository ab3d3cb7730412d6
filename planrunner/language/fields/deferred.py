"""Numbers and units of a plan: what each may be, written out or as an expression."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from fractions import Fraction
from math import isfinite
from typing import Any, Final

from planrunner.language.diagnostics import Code
from planrunner.language.expressions.expression import NO_CONSTANTS, ExpressionError, to_text
from planrunner.language.expressions.values import kind_of
from planrunner.language.fields.pauses import PauseValue, parse_pause
from planrunner.language.fields.text import Text
from planrunner.units import (
    NS_PER_S,
    Rate,
    UnitError,
    parse_duration,
    parse_percent,
    parse_rate,
    parse_size,
    seconds_to_ns,
    write_duration,
)
from planrunner.values import dataclass

__all__ = ["KINDS", "Deferred", "DeferredKind"]


@dataclass(frozen=True, slots=True)
class DeferredKind:
    """One kind of scalar.

    Attributes:
        word: What messages call it, with its article.
        parse: From text without expressions; raises UnitError.
        number: From a number: what YAML or an expression gave; raises UnitError.
        example: For the hint.
        bare: True when a plan may write a plain number.
    """

    word: str
    parse: Callable[[str], Any]
    number: Callable[[float], Any]
    example: str
    bare: bool = False


def _refuse_text(word: str, example: str) -> Callable[[str], Any]:
    def refuse(text: str) -> object:
        shown = text if len(text) <= 40 else f"{text[:40]}..."
        digits = re.sub(r"(?<=[0-9])[,_' ](?=[0-9]{3})", "", text.strip())
        is_number = re.fullmatch(r"[0-9]{1,15}", digits)
        number = re.match(r"([1-9][0-9]{0,14})(?![0-9.])", digits)  # `60%`, `5 users`
        hint = f"write `{digits}` without quotes" if is_number else ""
        hint = hint or f"write `{number[1] if number else example}`"
        raise UnitError(f"`{shown}` is not {word}", hint=hint)

    return refuse


def _flag(text: str) -> bool:
    if text not in ("true", "false"):
        raise UnitError("neither `true` nor `false`")
    return text == "true"


def _no_flag(number: float) -> bool:
    raise UnitError(f"`{number}` is neither `true` nor `false`")


def _factor(text: str) -> float:
    found = re.fullmatch(r"x\s*([0-9]+(?:\.[0-9]+)?)", text)
    if found is None or float(found[1]) <= 1:
        raise UnitError(f"`{text}` is not a factor over 1")
    return float(found[1])


def _no_factor(number: float) -> float:
    raise UnitError(f"`{number}` is a factor without its `x`")


def _whole(least: int) -> Callable[[float], int]:
    def whole(number: float) -> int:
        if not isfinite(number) or number != int(number):
            nearest = f"write `{round(number)}`" if isfinite(number) and number >= least else ""
            hint = nearest or f"write {least} or more, such as `10`"
            raise UnitError(f"`{number}` is not a whole number", hint=hint)
        if number < least:
            raise UnitError(f"`{number}` is too small", hint=f"write `{least}` or more")
        return int(number)

    return whole


def _rate_of(per_second: float) -> Rate:
    """Return the rate that an expression gave per second; finds 1/60 back in 0.01666…."""
    if not 0 <= per_second <= NS_PER_S:
        raise UnitError("a rate is from 0 to 1,000,000,000 a second", hint="write `100/s`")
    exact = Fraction(per_second).limit_denominator(3_600_000) / NS_PER_S
    return Rate(exact.numerator, exact.denominator)


def _fraction_of(number: float) -> float:
    if not 0 <= number <= 10_000:
        raise UnitError("a percentage is from 0 to 1,000,000%", hint="write `1%`")
    return float(number)


def _constant_pause(seconds: float) -> PauseValue:
    return PauseValue("constant", seconds_to_ns(seconds))


KINDS: Final[Mapping[str, DeferredKind]] = {
    "duration": DeferredKind("a duration", parse_duration, seconds_to_ns, "30s"),
    "pause": DeferredKind("a duration or range", parse_pause, _constant_pause, "1s..3s"),
    "rate": DeferredKind("a rate", parse_rate, _rate_of, "100/s"),
    "size": DeferredKind("a size", parse_size, _whole(0), "1KB", bare=True),
    "percent": DeferredKind("a percentage", parse_percent, _fraction_of, "1%"),
    "positive_int": DeferredKind(
        "a whole number", _refuse_text("a whole number", "10"), _whole(1), "10", bare=True
    ),
    "count": DeferredKind(
        "a whole number", _refuse_text("a whole number", "10"), _whole(0), "10", bare=True
    ),
    "factor": DeferredKind("a factor over 1", _factor, _no_factor, "x1.5"),
    "flag": DeferredKind("`true` or `false`", _flag, _no_flag, "true"),
}


@dataclass(frozen=True, slots=True)
class Deferred:
    """A scalar with expressions where a number or unit is wanted.

    Attributes:
        kind: `duration`, `pause`, `rate`, `size`, `percent`, `positive_int`, `count`,
            `factor` or `flag`.
    """

    text: Text
    kind: str

    def resolve(self, constants: Mapping[str, object] = NO_CONSTANTS) -> Any:  # noqa: ANN401 - by kind
        """Return the value, as if the plan had it written out.

        A number is what expressions compute with: seconds for a duration or pause, per second for
        a rate, bytes for a size, a fraction for a percentage. Text is parsed as in a plan. A
        duration in seconds is exact to the nanosecond up to 50 days.

        Raises:
            ExpressionError: The value is not known before the run, or has the wrong type.
            UnitError: The value is no such unit or is out of range.
        """
        lowered = self.text.lower(constants)
        kind = KINDS[self.kind]
        if not lowered.is_constant:
            raise ExpressionError(
                f"`{self.text.source}` must be known before the run",
                hint="use params only: users' variables have no value yet",
                code=Code.EXPRESSION_FAILED,
            )
        value = lowered.value
        if isinstance(value, bool) and self.kind == "flag":
            return value
        try:
            if isinstance(value, str):
                return self._parse(value, kind, constants)
            if isinstance(value, int | float) and not isinstance(value, bool):
                return kind.number(value)
        except UnitError:
            # The value may be a secret, so neither it nor a hint that repeats it is shown.
            message = f"the value of `{self.text.source}` is not {kind.word}"
            raise UnitError(message, hint=f"use a value such as `{kind.example}`") from None
        raise ExpressionError(
            f"`{self.text.source}` must be {kind.word}, but is {kind_of(value)}",
            hint=f"use a value such as `{kind.example}`",
            code=Code.EXPRESSION_FAILED,
        )

    def _parse(self, value: str, kind: DeferredKind, constants: Mapping[str, object]) -> Any:  # noqa: ANN401 - by kind
        try:
            return kind.parse(value)
        except UnitError:
            if self.kind != "pause" or self.text.is_single:
                raise
        # In `${least}..${most}` the params are durations, in expressions numbers of seconds.
        parts = [
            part if isinstance(part, str) else _with_unit(part.lower(constants).value)
            for part in self.text.parts
        ]
        return kind.parse("".join(parts))


def _with_unit(value: object) -> str:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return write_duration(seconds_to_ns(value))
    return to_text(value)

"""Durations in results: comparable with `timedelta`, and never a bare number."""

from __future__ import annotations

from datetime import timedelta
from fractions import Fraction
from functools import total_ordering

from planrunner.errors import UsageError
from planrunner.units import (
    NS_PER_MS,
    NS_PER_S,
    NS_PER_US,
    UnitError,
    format_duration,
    parse_duration,
    seconds_to_ns,
)

__all__ = ["Elapsed", "nanoseconds"]


@total_ordering
class Elapsed:
    """A duration in nanoseconds, much like a `timedelta`.

    It compares with and adds to `timedelta` and other durations, and a number multiplies it.
    A bare number is not a duration: say which unit you mean, as in `result.p95.ms < 500`.

    Attributes:
        ns: The duration in nanoseconds: whole ones, but for what `benchmark` divided by calls.

    Example:
        >>> planrunner.Elapsed(1_500_000).ms
        1.5
        >>> planrunner.Elapsed(1_500_000) < timedelta(milliseconds=2)
        True
    """

    __slots__ = ("ns",)

    def __init__(self, ns: float) -> None:
        self.ns = ns

    @property
    def us(self) -> float:
        """The duration in microseconds."""
        return self.ns / NS_PER_US

    @property
    def ms(self) -> float:
        """The duration in milliseconds."""
        return self.ns / NS_PER_MS

    @property
    def s(self) -> float:
        """The duration in seconds."""
        return self.ns / NS_PER_S

    def total_seconds(self) -> float:
        """Return the duration in seconds, as `timedelta.total_seconds` does."""
        return self.s

    def to_timedelta(self) -> timedelta:
        """Return the duration rounded to microseconds."""
        return timedelta(microseconds=round(self.us))

    def __repr__(self) -> str:
        return f"<{self}>"

    def __str__(self) -> str:
        return format_duration(self.ns)

    def __bool__(self) -> bool:
        return bool(self.ns)

    def __hash__(self) -> int:
        whole, rest = divmod(self.ns, NS_PER_US)
        return hash(self.ns) if rest else hash(timedelta(microseconds=whole))

    def __eq__(self, other: object) -> bool:
        ns = _ns(other)
        return NotImplemented if ns is None else self.ns == ns

    def __lt__(self, other: Elapsed | timedelta) -> bool:
        ns = _ns(other)
        return NotImplemented if ns is None else self.ns < ns

    def __add__(self, other: Elapsed | timedelta) -> Elapsed:
        ns = _ns(other)
        return NotImplemented if ns is None else Elapsed(self.ns + ns)

    __radd__ = __add__

    def __sub__(self, other: Elapsed | timedelta) -> Elapsed:
        ns = _ns(other)
        return NotImplemented if ns is None else Elapsed(self.ns - ns)

    def __rsub__(self, other: timedelta) -> Elapsed:
        ns = _ns(other)
        return NotImplemented if ns is None else Elapsed(ns - self.ns)

    def __mul__(self, factor: float) -> Elapsed:
        return Elapsed(round(self.ns * Fraction(factor)))

    __rmul__ = __mul__

    def __truediv__(self, other: Elapsed | timedelta) -> float:
        """Return how many times the other fits into this one."""
        ns = _ns(other)
        return NotImplemented if ns is None else self.ns / ns


def _ns(other: object) -> float | None:
    if isinstance(other, Elapsed):
        return other.ns
    if isinstance(other, timedelta):
        return other // timedelta(microseconds=1) * NS_PER_US
    return None


def nanoseconds(value: object, argument: str) -> int:
    """Return the duration that an argument gives: seconds, `"60s"`, a timedelta.

    Raises:
        UsageError: It is none; the message names the argument.
    """
    exact = _ns(value)
    if exact is not None and exact < 0:
        raise UsageError(f"{argument}: `{value}` is negative", hint="a duration is zero or more")
    if exact is not None:
        return round(exact)
    try:
        if isinstance(value, str):
            return parse_duration(value)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return seconds_to_ns(value)
    except UnitError as error:
        raise UsageError(f"{argument}: {error.message}", hint=error.hint) from error
    hint = 'give seconds, a text such as "60s", or a timedelta'
    raise UsageError(f"{argument}: `{value!r}` is not a duration", hint=hint)

"""Think times: each pause becomes one closure that draws nanoseconds from the user's stream."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from functools import lru_cache
from math import exp, log
from random import Random
from typing import Final

from planrunner.units import MAX_DURATION_NS, write_duration
from planrunner.values import dataclass

__all__ = ["Pause", "PauseKind", "pause_drawer"]


class PauseKind(StrEnum):
    CONSTANT = "constant"
    UNIFORM = "uniform"
    NORMAL = "normal"
    EXPONENTIAL = "exponential"
    PARETO = "pareto"


@dataclass(frozen=True, slots=True)
class Pause:
    """A think time or wait.

    Attributes:
        first: ns: the constant, the minimum (uniform), the mean (normal, exponential) or the
            scale, which is the minimum (pareto).
        second: ns: the maximum (uniform), the standard deviation (normal); the shape (pareto,
            a plain float).
    """

    kind: PauseKind
    first: int
    second: float = 0

    @property
    def words(self) -> str:
        """The pause as a plan writes it."""
        first = write_duration(self.first)
        match self.kind:
            case PauseKind.CONSTANT:
                return first
            case PauseKind.UNIFORM:
                return f"{first}..{write_duration(int(self.second))}"
            case PauseKind.PARETO:
                return f"pareto({first}, {self.second:g})"
            case PauseKind.NORMAL:
                return f"normal({first}, {write_duration(int(self.second))})"
            case PauseKind.EXPONENTIAL:
                return f"exponential({first})"


DrawPause = Callable[[], int]

# exp(50) ns are 160,000 years: the heavy tail (pareto, shape below 1) has no bound of its own.
_STEEPEST: Final = 50.0


def pause_drawer(pause: Pause, rng: Random) -> DrawPause:
    """Return a function that draws the next pause in ns, never negative.

    One random number a draw (two for `normal`), so that the kind of a pause doesn't change what
    the rest of the user's stream gives more than it must.
    """
    match pause.kind:
        case PauseKind.CONSTANT:
            return _constant(pause.first)
        case PauseKind.UNIFORM:
            return _uniform(pause.first, int(pause.second), rng)
        case PauseKind.NORMAL:
            return _normal(pause.first, pause.second, rng)
        case PauseKind.EXPONENTIAL:
            return _exponential(pause.first, rng)
        case PauseKind.PARETO:
            return _pareto(pause.first, pause.second, rng)


@lru_cache
def _constant(length_ns: int) -> DrawPause:
    return lambda: length_ns


def _uniform(least_ns: int, most_ns: int, rng: Random) -> DrawPause:
    random, span_ns = rng.random, most_ns - least_ns + 1
    return lambda: least_ns + int(random() * span_ns)


def _normal(mean_ns: int, deviation_ns: float, rng: Random) -> DrawPause:
    normalvariate = rng.normalvariate
    return lambda: max(0, round(normalvariate(mean_ns, deviation_ns)))


def _exponential(mean_ns: int, rng: Random) -> DrawPause:
    random = rng.random
    # 1 - random() is never 0, so the logarithm exists.
    return lambda: round(-log(1.0 - random()) * mean_ns)


def _pareto(scale_ns: int, shape: float, rng: Random) -> DrawPause:
    random = rng.random
    # Through the logarithm, as a power would overflow where the shape is small.
    return lambda: min(
        MAX_DURATION_NS, round(scale_ns * exp(min(_STEEPEST, -log(1.0 - random()) / shape)))
    )

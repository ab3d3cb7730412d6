"""Whether two tools differ by more than the rounds of each do among themselves.

The noise of a comparison is `3 · √(3 / n) · (a + b)`: `n` rounds, and `a` and `b` the mean
distances of a tool's rounds from their median. With three rounds that is the range of one plus the
range of the other, so no round of the one lies among those of the other. More rounds make it less.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt
from statistics import median
from typing import Final

from planrunner.values import dataclass

__all__ = ["FEWEST_ROUNDS", "JudgedFigure", "judge", "spread_of"]

FEWEST_ROUNDS: Final = 2
"""From fewer there is nothing to judge noise by."""

_RANGES: Final = 3.0


@dataclass(frozen=True, slots=True)
class JudgedFigure:
    """One figure of two tools.

    Attributes:
        ours: The median of planrunner's rounds.
        theirs: That of the other tool.
        noise: How far two medians may be apart without meaning anything.
        is_rounding: They are further apart than rounds are, and no further than the steps in which
            one of them counts.
    """

    ours: float
    theirs: float
    noise: float
    is_beyond: bool
    is_rounding: bool

    @property
    def share(self) -> float | None:
        """The difference as a share of ours; None where ours is nothing."""
        return (self.theirs - self.ours) / self.ours if self.ours else None


def spread_of(values: Sequence[float]) -> float:
    """Return the mean distance from the median."""
    middle = median(values)
    return sum(abs(value - middle) for value in values) / len(values)


def judge(
    ours: Sequence[float], theirs: Sequence[float], *, least: float = 0.0, step: float = 0.0
) -> JudgedFigure:
    """Compare a figure of planrunner's rounds with that of another tool's.

    Args:
        ours: One for each round; at least one.
        theirs: Likewise.
        least: What is no difference, however little noise there is.
        step: In which the other tool counts.
    """
    rounds = min(len(ours), len(theirs))
    noise = _RANGES * sqrt(3 / rounds) * (spread_of(ours) + spread_of(theirs))
    noise = max(noise, least)
    mine, others = median(ours), median(theirs)
    apart = abs(others - mine)
    is_judged = rounds >= FEWEST_ROUNDS
    is_apart = is_judged and apart > noise
    return JudgedFigure(mine, others, noise, is_apart and apart > step, is_apart and apart <= step)

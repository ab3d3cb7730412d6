"""Which levels a search tries, one after the other: climb, halve the gap, confirm. Pure."""

from __future__ import annotations

from collections.abc import Generator
from enum import StrEnum
from fractions import Fraction
from math import floor

from planrunner.values import dataclass

__all__ = [
    "FoundLevel",
    "LevelOutcome",
    "LevelTry",
    "Purpose",
    "SearchSteps",
    "grain_of",
    "levels_to_try",
]


class LevelOutcome(StrEnum):
    """What came of a level; limited: the generator could not send it."""

    HELD = "held"
    BROKEN = "broken"
    LIMITED = "limited"


class Purpose(StrEnum):
    CLIMB = "climb"
    REFINE = "refine"
    CONFIRM = "confirm"


@dataclass(frozen=True, slots=True)
class SearchSteps:
    """How to look for the highest level that holds.

    Attributes:
        first: Level to begin with, and `last` the highest to try: users, or arrivals a second.
        plus: What is added from one level to the next; 0 when it is multiplied.
        times: What it is multiplied by; 0 when it is added to.
        grain: Levels found by multiplying and halving are whole multiples of this.
        refine: How often the gap between the best good and the lowest bad level is halved.
        confirm: How often the best good level must hold again.
    """

    first: Fraction
    last: Fraction
    plus: Fraction = Fraction(0)
    times: Fraction = Fraction(0)
    grain: Fraction = Fraction(1)
    refine: int = 0
    confirm: int = 0

    def after(self, level: Fraction) -> Fraction:
        """Return the level that follows a good one on the way up."""
        wanted = level + self.plus
        if self.times:
            wanted = max(self.rounded(level * self.times), level + self.grain)
        return min(wanted, self.last)

    def rounded(self, level: Fraction) -> Fraction:
        return floor(level / self.grain) * self.grain


@dataclass(frozen=True, slots=True)
class LevelTry:
    """A level to run, and what for."""

    level: Fraction
    purpose: Purpose


@dataclass(frozen=True, slots=True)
class FoundLevel:
    """What a search came to.

    Attributes:
        level: The highest level that held, confirmed as often as asked for; 0 if none did.
        broken: The lowest level that didn't hold; None when all held.
        is_limited: Whether that was because the generator could not send it.
    """

    level: Fraction
    broken: Fraction | None
    is_limited: bool = False


def grain_of(first: Fraction) -> Fraction:
    """Return the grain of arrival rates: 1/s, or less to keep two digits of the first rate."""
    grain = Fraction(1)
    while grain * 10 > first > 0:
        grain /= 10
    return grain


def levels_to_try(steps: SearchSteps) -> Generator[LevelTry, LevelOutcome, FoundLevel]:
    """Yield each level to try; send in what came of it.

    A level that fails its confirmation twice counts as broken; the gap below it is halved, and
    what then is the best must be confirmed in its place. What the generator can't send, twice,
    ends the way up: nothing above it can be known.
    """
    good: list[Fraction] = []
    broken, is_limited = yield from _climb(steps, good)
    if broken is not None and good and not is_limited:
        broken, is_limited = yield from _refine(steps, good, broken)
    while good:
        outcome = yield from _confirmed(steps, good[-1])
        if outcome is LevelOutcome.HELD:
            return FoundLevel(good[-1], broken, is_limited)
        broken, is_limited = good.pop(), outcome is LevelOutcome.LIMITED
        if good and not is_limited:
            broken, is_limited = yield from _refine(steps, good, broken, least=1)
    return FoundLevel(Fraction(0), broken, is_limited)


def _climb(
    steps: SearchSteps, good: list[Fraction]
) -> Generator[LevelTry, LevelOutcome, tuple[Fraction | None, bool]]:
    level = steps.first
    while (outcome := (yield from _outcome(level, Purpose.CLIMB))) is LevelOutcome.HELD:
        good.append(level)
        if level >= steps.last:
            return None, False
        level = steps.after(level)
    return level, outcome is LevelOutcome.LIMITED


def _refine(
    steps: SearchSteps, good: list[Fraction], broken: Fraction, *, least: int = 0
) -> Generator[LevelTry, LevelOutcome, tuple[Fraction, bool]]:
    for _ in range(max(steps.refine, least)):
        middle = steps.rounded((good[-1] + broken) / 2)
        if not good[-1] < middle < broken:
            break
        outcome = yield from _outcome(middle, Purpose.REFINE)
        if outcome is LevelOutcome.HELD:
            good.append(middle)
            continue
        broken = middle
        if outcome is LevelOutcome.LIMITED:
            return broken, True
    return broken, False


def _confirmed(
    steps: SearchSteps, level: Fraction
) -> Generator[LevelTry, LevelOutcome, LevelOutcome]:
    """Run a level that held again; one bad moment of the target is no limit, two are."""
    for _ in range(steps.confirm):
        outcome = yield from _outcome(level, Purpose.CONFIRM)
        if outcome is LevelOutcome.BROKEN:
            outcome = yield from _outcome(level, Purpose.CONFIRM)
        if outcome is not LevelOutcome.HELD:
            return outcome
    return LevelOutcome.HELD


def _outcome(level: Fraction, purpose: Purpose) -> Generator[LevelTry, LevelOutcome, LevelOutcome]:
    """Return what came of a level; a limit of the generator must show twice to be believed.

    A hiccup of its host passes, a limit stays.
    """
    outcome = yield LevelTry(level, purpose)
    return (yield LevelTry(level, purpose)) if outcome is LevelOutcome.LIMITED else outcome

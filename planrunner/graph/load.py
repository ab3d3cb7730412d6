"""The models of load in a run graph: how many users or arrivals there are, and when.

Every model tells how long its stages plan to take (`spans`) and how many users there can be at
once (`most_users`); the rest is what its own engine phase needs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from planrunner.load.arrivals import ArrivalKind, RateStage
from planrunner.load.population import Share, Stage, exact_seats, peak, seats
from planrunner.load.search import SearchSteps
from planrunner.metrics.thresholds import Threshold
from planrunner.units import Rate
from planrunner.values import dataclass

__all__ = [
    "ClosedLoad",
    "CountedLoad",
    "Exact",
    "Load",
    "OpenLoad",
    "SearchLoad",
    "StageSpanNs",
    "class_of_seats",
    "planned_ns_of",
]

_MOST_LEVELS: Final = 10_000

StageSpanNs = tuple[str, int]
"""A stage's name and how long it is planned to take, in ns."""

Exact = tuple[tuple[str, int], ...]
"""Users of each class where the plan names them, in file order."""


@dataclass(frozen=True, slots=True)
class ClosedLoad:
    """A population: `stages` say how many users there are.

    Attributes:
        exact: Users of each class at level 100 % when the plan names them (`users: {A: 10}`),
            in file order; empty when the level is split by weight.
        throttle: The most requests of the whole phase; None for no cap.
    """

    stages: tuple[Stage, ...]
    exact: Exact = ()
    throttle: Rate | None = None

    @property
    def spans(self) -> tuple[StageSpanNs, ...]:
        return tuple((stage.name, stage.duration_ns) for stage in self.stages)

    @property
    def most_users(self) -> int:
        return peak(self.stages)


@dataclass(frozen=True, slots=True)
class OpenLoad:
    """Arrivals at a rate that doesn't depend on the target.

    Attributes:
        stages: The rate of all classes together.
        exact: The rate of each class where the plan names them, in file order; such a load has
            one constant rate. Empty when arrivals are split by weight.
        max_users: The most users at once; an arrival that finds all of them busy is dropped.
    """

    stages: tuple[RateStage, ...]
    exact: tuple[tuple[str, Rate], ...] = ()
    arrivals: ArrivalKind = ArrivalKind.UNIFORM
    max_users: int = 1000

    @property
    def spans(self) -> tuple[StageSpanNs, ...]:
        return tuple((stage.name, stage.duration_ns) for stage in self.stages)

    @property
    def most_users(self) -> int:
        return self.max_users


@dataclass(frozen=True, slots=True)
class CountedLoad:
    """A number of iterations by a number of users who all start at once.

    Attributes:
        exact: As in a closed load.
        iterations: Of all users together, first come first served; 0 when each has its own.
        per_user: Of each user; 0 when they are shared.
        max_duration_ns: When the phase ends even if iterations are left.
    """

    users: int
    max_duration_ns: int
    exact: Exact = ()
    iterations: int = 0
    per_user: int = 0

    @property
    def spans(self) -> tuple[StageSpanNs, ...]:
        return (("hold", self.max_duration_ns),)

    @property
    def stages(self) -> tuple[Stage, ...]:
        """The users as a population has them."""
        return (Stage("hold", 0, self.users), Stage("hold", self.max_duration_ns, self.users))

    @property
    def most_users(self) -> int:
        return self.users

    @property
    def total(self) -> int:
        return self.iterations or self.per_user * self.users


@dataclass(frozen=True, slots=True)
class SearchLoad:
    """Levels one after the other, until the highest one that holds is found.

    Attributes:
        vary: `users` (each level a closed load) or `rate` (each an open one).
        hold_ns: How long each level is kept, `settle_ns` of it not judged.
        slo: A level holds while none of these is broken.
        cooldown_ns: Between a level's last user and the next level.
    """

    vary: str
    steps: SearchSteps
    hold_ns: int
    settle_ns: int
    slo: tuple[Threshold, ...]
    cooldown_ns: int = 0
    max_users: int = 1000

    @property
    def spans(self) -> tuple[StageSpanNs, ...]:
        """One level; how many there are is what the search finds out."""
        return (("level", self.hold_ns),)

    def climb(self) -> int:
        """Return how many levels there are from the first to the last."""
        level, levels = self.steps.first, 1
        while level < self.steps.last and levels < _MOST_LEVELS:
            level, levels = self.steps.after(level), levels + 1
        return levels

    @property
    def most_users(self) -> int:
        return int(self.steps.last) if self.vary == "users" else self.max_users


Load = ClosedLoad | OpenLoad | CountedLoad | SearchLoad


def planned_ns_of(load: Load) -> int:
    """Return how long a load takes at most, without graceful stop; of a search, all levels."""
    if isinstance(load, SearchLoad):
        levels = load.climb()
        return levels * load.hold_ns + (levels - 1) * load.cooldown_ns
    return sum(duration_ns for _, duration_ns in load.spans)


def class_of_seats(load: Load, shares: Sequence[Share]) -> tuple[str, ...]:
    """Return the class of each user, in the order in which they start.

    Empty where arrivals decide who starts.
    """
    if isinstance(load, OpenLoad) or (isinstance(load, SearchLoad) and load.vary == "rate"):
        return ()
    if not isinstance(load, SearchLoad) and load.exact:
        names = [name for name, _ in load.exact]
        return tuple(names[seat] for seat in exact_seats([users for _, users in load.exact]))
    return tuple(shares[seat].name for seat in seats(shares, load.most_users))

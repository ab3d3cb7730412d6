"""The questions that every load answers about itself."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from typing import Any, ClassVar

from planrunner.errors import UsageError
from planrunner.results.loads import BY_HAND
from planrunner.schedule.population import Share, Stage, exact_seats, seats
from planrunner.units import Rate, write_rate
from planrunner.values import dataclass

__all__ = [
    "BY_HAND",
    "AchievedLoad",
    "Exact",
    "LoadModel",
    "PhaseCounts",
    "SetLevel",
    "StageSpanNs",
    "any_open_ended",
    "capped",
    "class_of_each",
]

StageSpanNs = tuple[str, int]
"""A stage's name and how long it is planned to take, in ns."""

Exact = tuple[tuple[str, int], ...]
"""Users of each class where the plan names them, in file order."""


SetLevel = int | Rate
"""So many users, or arrivals per time."""


@dataclass(frozen=True, slots=True)
class PhaseCounts:
    """What was counted of a phase that is over.

    Attributes:
        lasted_ns: From its begin to the end of its last stage.
        is_paced: Whether iterations had a due time.
        due: Iterations that had one.
        started: Those of them that a user began.
        begun: All iterations that a user began.
        users: Users that started.
        failed_starts: Those of them whose `on_start` failed.
    """

    lasted_ns: int
    is_paced: bool
    due: int
    started: int
    begun: int
    users: int
    failed_starts: int


@dataclass(frozen=True, slots=True)
class AchievedLoad:
    """What a load asked for up to where its phase ended, and what came of it, in one unit."""

    unit: str
    requested: int
    achieved: int


class LoadModel(ABC):
    """The load of a phase.

    Attributes:
        kind: Its model, as results and `explain --graph json` name it.
        forecast_basis: What `requests` counts from, in words; empty when it never counts.
        is_search: Whether it is made of levels, each a load of its own.
        is_counted: Whether it lasts as long as a number of iterations does.
        is_foreign: Whether another tool sends it.
        is_open_ended: Whether nobody knows when it ends; `planned_ns` is then how long it may take.
        can_change: Whether it can be set by hand while it runs.
        nobody: The level at which nothing begins.
    """

    __slots__ = ()

    kind: ClassVar[str]
    forecast_basis: ClassVar[str] = ""
    is_search: ClassVar[bool] = False
    is_counted: ClassVar[bool] = False
    is_foreign: ClassVar[bool] = False
    is_open_ended: ClassVar[bool] = False
    can_change: ClassVar[bool] = False
    nobody: ClassVar[SetLevel] = 0

    @abstractmethod
    def words(self) -> Iterator[str]:
        """Yield the model in a line, then its stages and limits."""

    @abstractmethod
    def as_json(self) -> dict[str, Any]:
        """Return the load as data of `explain --graph json`."""

    @property
    @abstractmethod
    def spans(self) -> tuple[StageSpanNs, ...]:
        """The stages and how long each is planned to take."""

    @property
    def planned_ns(self) -> int:
        """How long it takes at most, without graceful stop."""
        return sum(duration_ns for _, duration_ns in self.spans)

    @property
    @abstractmethod
    def most_users(self) -> int:
        """How many users there can be at once."""

    @property
    def peak_rate(self) -> Fraction:
        """The most arrivals a second; 0 when iterations don't arrive."""
        return Fraction(0)

    @property
    def has_due_times(self) -> bool:
        """Whether arrivals say when iterations start."""
        return False

    @property
    def throttle(self) -> Rate | None:
        """The most requests of the whole phase; None for no cap."""
        return None

    @property
    def shared_iterations(self) -> int:
        """How many iterations all users have together; 0 when they share none."""
        return 0

    @property
    def counted(self) -> tuple[int, str]:
        """How many iterations it counts, and whose they are in words; 0 where it lasts a time."""
        return 0, ""

    @property
    def population(self) -> tuple[Stage, ...]:
        """How many users there are when; empty when only the run shows it."""
        return ()

    @property
    def levels(self) -> tuple[tuple[int, float], ...]:
        """How long it takes to each level, in ns, and the level: users, or arrivals a second."""
        return tuple((stage.duration_ns, float(stage.level)) for stage in self.population)

    @property
    def exact(self) -> tuple[tuple[str, Any], ...]:
        """The level of each class where the plan names them, in file order."""
        return ()

    @abstractmethod
    def class_of_seats(self, shares: Sequence[Share]) -> tuple[str, ...]:
        """Return the class of each user, in the order in which they start.

        Empty where arrivals decide who starts.
        """

    def classes_asked_for(self, shares: Sequence[Share]) -> frozenset[str]:
        """Return the classes that the plan wants users of: all but those that it gives none."""
        if self.exact:
            return frozenset(name for name, level in self.exact if level)
        return frozenset(share.name for share in shares)

    def classes_with_users(self, shares: Sequence[Share]) -> frozenset[str]:
        """Return the classes that have users at some moment."""
        return frozenset(self.class_of_seats(shares) or (share.name for share in shares))

    def level_at(self, moment_ns: int) -> SetLevel | None:
        """Return what there is to be at a moment after its begin; None where that isn't set."""
        del moment_ns
        return None

    def at_level(self, level: SetLevel, lasting_ns: int) -> LoadModel:
        """Return the load that has the same from its begin to its end.

        Raises:
            UsageError: It can't have that.
        """
        del level, lasting_ns
        raise UsageError(f"{self.kind} phases set their load themselves")

    @abstractmethod
    def requests(self, per_iteration: float, pause_ns: float) -> float | None:
        """Return how many requests the load sends; None when only the target limits it.

        Args:
            per_iteration: How many an iteration sends, on average.
            pause_ns: How long its user does nothing meanwhile.
        """

    def most_iterations(self, pause_ns: float) -> int | None:
        """Return the most iterations that can begin; None where the plan sets no limit.

        Args:
            pause_ns: The least from one iteration of a user to its next.
        """
        return None

    @abstractmethod
    def achieved(self, counts: PhaseCounts) -> AchievedLoad:
        """Return what was asked for, and what came of it."""


def any_open_ended(loads: Iterable[LoadModel]) -> bool:
    """Say whether nobody knows how long all of them take: another tool decides."""
    return any(load.is_open_ended for load in loads)


def capped(throttle: Rate) -> str:
    """Return what a cap on requests does, in words."""
    return f"at most {write_rate(throttle)} requests, evenly spaced"


def class_of_each(exact: Exact, shares: Sequence[Share], users: int) -> tuple[str, ...]:
    """Return the class of each of so many users: by exact numbers if there are any, or by share."""
    if exact:
        counts = [number for _, number in exact]
        return tuple(exact[seat][0] for seat in exact_seats(counts, max(users, sum(counts))))
    names = [share.name for share in shares]
    return tuple(map(names.__getitem__, seats(shares, users)))

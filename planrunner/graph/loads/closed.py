"""The closed model: a population of users that changes in stages."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import accumulate, pairwise
from math import ceil
from typing import Any, ClassVar, Final

from planrunner.errors import UsageError
from planrunner.graph.loads.load_model import (
    BY_HAND,
    AchievedLoad,
    Exact,
    LoadModel,
    PhaseCounts,
    SetLevel,
    StageSpanNs,
    capped,
    class_of_each,
)
from planrunner.schedule.population import Share, Stage, peak, users_at
from planrunner.units import NS_PER_S, Rate, few, format_count, write_milliseconds, write_rate
from planrunner.values import dataclass

__all__ = ["ClosedLoad"]

_NOBODY: Final = Stage("", 0, 0)

_MOST_USERS: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class ClosedLoad(LoadModel):
    """A population: `stages` say how many users there are.

    Attributes:
        exact: Users of each class at level 100 % when the plan names them (`users: {A: 10}`),
            in file order; empty when the level is split by weight.
        throttle: The most requests of the whole phase; None for no cap.
    """

    kind: ClassVar[str] = "closed"
    can_change: ClassVar[bool] = True
    forecast_basis: ClassVar[str] = (
        "a mean: counted from users, waits and think times, as if replies took no time"
    )

    stages: tuple[Stage, ...]
    exact: Exact = ()
    throttle: Rate | None = None

    def words(self) -> Iterator[str]:
        yield f"closed model, at most {format_count(self.most_users, 'user')}"
        yield from few(
            f"{stage.name}: {_move(before, stage)}"
            for before, stage in self._moves()
            if stage.duration_ns or stage.level != before.level
        )
        if self.throttle is not None:
            yield capped(self.throttle)

    def as_json(self) -> dict[str, Any]:
        return {
            "model": self.kind,
            "exact": dict(self.exact),
            "throttle": None if self.throttle is None else write_rate(self.throttle),
            "stages": [
                {"name": stage.name, "duration_ns": stage.duration_ns, "users": stage.level}
                for stage in self.stages
            ],
        }

    @property
    def spans(self) -> tuple[StageSpanNs, ...]:
        return tuple((stage.name, stage.duration_ns) for stage in self.stages)

    @property
    def most_users(self) -> int:
        return peak(self.stages)

    @property
    def population(self) -> tuple[Stage, ...]:
        return self.stages

    def class_of_seats(self, shares: Sequence[Share]) -> tuple[str, ...]:
        return class_of_each(self.exact, shares, self.most_users)

    def level_at(self, moment_ns: int) -> int:
        return users_at(self.stages, moment_ns)

    def at_level(self, level: SetLevel, lasting_ns: int) -> ClosedLoad:
        if not isinstance(level, int):
            raise UsageError("this phase has users, and no rate")
        if not 0 <= level <= _MOST_USERS:
            raise UsageError(f"a phase has 0 to {_MOST_USERS:,} users")
        stages = (Stage(BY_HAND, 0, level), Stage(BY_HAND, lasting_ns, level))
        return replace(self, stages=stages)

    def requests(self, per_iteration: float, pause_ns: float) -> float | None:
        limits = []
        if pause_ns:
            limits.append(self._user_ns() / pause_ns * per_iteration)
        if self.throttle is not None:
            limits.append(self.throttle.per_second * self.planned_ns / NS_PER_S)
        return min(limits, default=None)

    def most_iterations(self, pause_ns: float) -> int | None:
        if not pause_ns:
            return None
        # Each user begins one as it starts, and a level between two numbers is the higher one.
        starts = sum(max(stage.level - before.level, 0) for before, stage in self._moves())
        ramps_ns = sum(
            stage.duration_ns for before, stage in self._moves() if stage.level != before.level
        )
        return ceil((self._user_ns() + ramps_ns) / pause_ns) + starts

    def achieved(self, counts: PhaseCounts) -> AchievedLoad:
        if counts.is_paced:
            return AchievedLoad("iterations", counts.due, counts.started)
        ends_ns = accumulate((duration_ns for _, duration_ns in self.spans), initial=0)
        most = max(users_at(self.stages, min(end_ns, counts.lasted_ns)) for end_ns in ends_ns)
        return AchievedLoad("users", most, min(most, counts.users) - counts.failed_starts)

    def _moves(self) -> Iterator[tuple[Stage, Stage]]:
        """Yield each stage after the one that it moves from."""
        return pairwise((_NOBODY, *self.stages))

    def _user_ns(self) -> float:
        """Return the time of all users together."""
        whole = Fraction(0)
        for before, stage in self._moves():
            whole += Fraction((before.level + stage.level) * stage.duration_ns, 2)
        return float(whole)


def _move(before: Stage, stage: Stage) -> str:
    users, took = format_count(stage.level, "user"), write_milliseconds(stage.duration_ns)
    if stage.level == before.level:
        return f"{users} for {took}"
    return f"{before.level:,} → {users} over {took}" if stage.duration_ns else f"{users} at once"

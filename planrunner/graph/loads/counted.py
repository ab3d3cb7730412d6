"""The counted model: a number of iterations, by users that start at once or one after the other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

from planrunner.graph.loads.load_model import (
    AchievedLoad,
    Exact,
    LoadModel,
    PhaseCounts,
    StageSpanNs,
    capped,
    class_of_each,
)
from planrunner.schedule.population import Share, Stage
from planrunner.units import Rate, format_count, write_duration, write_milliseconds, write_rate
from planrunner.values import dataclass

__all__ = ["CountedLoad"]


@dataclass(frozen=True, slots=True)
class CountedLoad(LoadModel):
    """A number of iterations by a number of users.

    Attributes:
        exact: As in a closed load.
        iterations: Of all users together, first come first served; 0 when each has its own.
        per_user: Of each user; 0 when they are shared.
        max_duration_ns: When the phase ends even if iterations are left.
        ramp_ns: How long it takes until all users have started; part of `max_duration_ns`.
        throttle: As in a closed load.
    """

    kind: ClassVar[str] = "counted"
    is_counted: ClassVar[bool] = True
    forecast_basis: ClassVar[str] = "counted from iterations, as if there was time for all of them"

    users: int
    max_duration_ns: int
    exact: Exact = ()
    iterations: int = 0
    per_user: int = 0
    ramp_ns: int = 0
    throttle: Rate | None = None

    def words(self) -> Iterator[str]:
        each = "each" if self.per_user else "in all"
        iterations = format_count(self.per_user or self.iterations, "iteration")
        yield f"counted, {format_count(self.users, 'user')}, {iterations} {each}"
        if self.ramp_ns:
            yield f"all have started after {write_milliseconds(self.ramp_ns)}"
        if self.throttle is not None:
            yield capped(self.throttle)
        yield f"ends after {write_duration(self.max_duration_ns)} even if some are left"

    def as_json(self) -> dict[str, Any]:
        return {
            "model": self.kind,
            "exact": dict(self.exact),
            "most_users": self.users,
            "iterations": self.iterations or None,
            "iterations_per_user": self.per_user or None,
            "max_duration_ns": self.max_duration_ns,
            "ramp_ns": self.ramp_ns,
            "throttle": None if self.throttle is None else write_rate(self.throttle),
        }

    @property
    def spans(self) -> tuple[StageSpanNs, ...]:
        ramp = (("ramp", self.ramp_ns),) if self.ramp_ns else ()
        return (*ramp, ("hold", self.max_duration_ns - self.ramp_ns))

    @property
    def most_users(self) -> int:
        return self.users

    @property
    def shared_iterations(self) -> int:
        return self.iterations

    @property
    def total(self) -> int:
        return self.iterations or self.per_user * self.users

    @property
    def counted(self) -> tuple[int, str]:
        return (self.per_user, "each user") if self.per_user else (self.iterations, "the phase")

    @property
    def population(self) -> tuple[Stage, ...]:
        ramp = Stage("ramp" if self.ramp_ns else "hold", self.ramp_ns, self.users)
        return (ramp, Stage("hold", self.max_duration_ns - self.ramp_ns, self.users))

    def class_of_seats(self, shares: Sequence[Share]) -> tuple[str, ...]:
        return class_of_each(self.exact, shares, self.users)

    def requests(self, per_iteration: float, pause_ns: float) -> float | None:
        return self.total * per_iteration

    def most_iterations(self, pause_ns: float) -> int | None:
        return self.total

    def achieved(self, counts: PhaseCounts) -> AchievedLoad:
        return AchievedLoad("iterations", self.total, counts.begun)

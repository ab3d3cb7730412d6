"""The open model: iterations arrive at a rate, whether or not earlier ones have ended."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import islice
from math import ceil
from typing import Any, ClassVar, Final

from planrunner.errors import UsageError
from planrunner.graph.loads.load_model import (
    BY_HAND,
    AchievedLoad,
    LoadModel,
    PhaseCounts,
    SetLevel,
    StageSpanNs,
)
from planrunner.schedule.arrivals import (
    ArrivalKind,
    ArrivalSchedule,
    RateStage,
    dealt_classes,
    rate_at,
)
from planrunner.schedule.population import Share
from planrunner.units import NS_PER_S, Rate, few, format_count, write_milliseconds, write_rate
from planrunner.values import dataclass

__all__ = ["OpenLoad"]

_MOST_RATE: Final = 1_000_000
"""Arrivals a second."""

_MOST_DEALT: Final = 10_000
"""Arrivals that are dealt to see which classes get one; a longer load is taken to reach all."""


@dataclass(frozen=True, slots=True)
class OpenLoad(LoadModel):
    """Arrivals at a rate that doesn't depend on the target.

    Attributes:
        stages: The rate of all classes together.
        exact: The rate of each class where the plan names them, in file order; such a load has
            one constant rate. Empty when arrivals are split by weight.
        max_users: The most users at once; an arrival that finds all of them busy is dropped.
    """

    kind: ClassVar[str] = "open"
    can_change: ClassVar[bool] = True
    forecast_basis: ClassVar[str] = "counted from arrivals, as if none was dropped"
    nobody: ClassVar[SetLevel] = Rate(0, NS_PER_S)

    stages: tuple[RateStage, ...]
    exact: tuple[tuple[str, Rate], ...] = ()
    arrivals: ArrivalKind = ArrivalKind.UNIFORM
    max_users: int = 1000

    def words(self) -> Iterator[str]:
        yield (
            f"open model, {self.arrivals} arrivals, at most {format_count(self.max_users, 'user')}"
            "; an arrival that finds all busy is dropped"
        )
        yield from few(self._moves())
        yield from few(f"{name}: {write_rate(rate)}" for name, rate in self.exact)

    def _moves(self) -> Iterator[str]:
        before = "0/s"
        for stage in self.stages:
            took, rate = write_milliseconds(stage.duration_ns), write_rate(stage.rate)
            if stage.duration_ns:
                move = f"{rate} for {took}" if rate == before else f"{before} → {rate} over {took}"
                yield f"{stage.name}: {move}"
            before = rate

    def as_json(self) -> dict[str, Any]:
        return {
            "model": self.kind,
            "exact": {name: write_rate(rate) for name, rate in self.exact},
            "arrivals": self.arrivals.value,
            "max_users": self.max_users,
            "stages": [
                {
                    "name": stage.name,
                    "duration_ns": stage.duration_ns,
                    "rate": write_rate(stage.rate),
                }
                for stage in self.stages
            ],
        }

    @property
    def spans(self) -> tuple[StageSpanNs, ...]:
        return tuple((stage.name, stage.duration_ns) for stage in self.stages)

    @property
    def most_users(self) -> int:
        return self.max_users

    @property
    def peak_rate(self) -> Fraction:
        rates = (stage.rate for stage in self.stages)
        return max(
            (Fraction(rate.count * NS_PER_S, rate.per_ns) for rate in rates), default=Fraction(0)
        )

    @property
    def levels(self) -> tuple[tuple[int, float], ...]:
        return tuple((stage.duration_ns, stage.rate.per_second) for stage in self.stages)

    @property
    def has_due_times(self) -> bool:
        return True

    def class_of_seats(self, shares: Sequence[Share]) -> tuple[str, ...]:
        return ()

    def classes_asked_for(self, shares: Sequence[Share]) -> frozenset[str]:
        if self.exact:
            return frozenset(name for name, rate in self.exact if rate.count)
        return frozenset(share.name for share in shares)

    def classes_with_users(self, shares: Sequence[Share]) -> frozenset[str]:
        if self.exact or self.arrivals is not ArrivalKind.UNIFORM:
            return self.classes_asked_for(shares)
        dealt = dealt_classes([share.weight for share in shares])
        most = min(ArrivalSchedule(self.stages).count(), _MOST_DEALT)
        found: set[str] = set()
        for position in islice(dealt, most):
            found.add(shares[position].name)
            if len(found) == len(shares):
                break
        return frozenset(found) if most < _MOST_DEALT else self.classes_asked_for(shares)

    def level_at(self, moment_ns: int) -> Rate:
        if self.exact:
            return _sum_of(rate for _, rate in self.exact)
        return rate_at(self.stages, moment_ns)

    def at_level(self, level: SetLevel, lasting_ns: int) -> OpenLoad:
        if not isinstance(level, Rate):
            raise UsageError("arrivals decide how many users this phase has; give it a rate")
        if not 0 <= level.per_second <= _MOST_RATE:
            raise UsageError(f"a phase has 0 to {_MOST_RATE:,} arrivals a second")
        stages = (RateStage(BY_HAND, 0, level), RateStage(BY_HAND, lasting_ns, level))
        return replace(self, stages=stages, exact=self._scaled(level))

    def _scaled(self, level: Rate) -> tuple[tuple[str, Rate], ...]:
        """Return the rates of classes that keep their proportion."""
        whole = _fraction(_sum_of(rate for _, rate in self.exact)) if self.exact else 0
        if not whole:  # of nothing, each would have nothing
            return self.exact
        factor = _fraction(level) / whole
        return tuple((name, _rate(_fraction(rate) * factor)) for name, rate in self.exact)

    def requests(self, per_iteration: float, pause_ns: float) -> float | None:
        if self.exact:
            rate = sum(rate.per_second for _, rate in self.exact)
            return rate * self.planned_ns / NS_PER_S * per_iteration
        return ArrivalSchedule(self.stages).count() * per_iteration

    def most_iterations(self, pause_ns: float) -> int | None:
        if self.arrivals is not ArrivalKind.UNIFORM:
            return None  # a random number of them, without a bound
        if self.exact:
            seconds = self.planned_ns / NS_PER_S
            return sum(ceil(rate.per_second * seconds) + 1 for _, rate in self.exact)
        return ArrivalSchedule(self.stages).count()

    def achieved(self, counts: PhaseCounts) -> AchievedLoad:
        due = counts.due
        if not self.exact and self.arrivals is ArrivalKind.UNIFORM:
            due = max(due, ArrivalSchedule(self.stages).count_before(counts.lasted_ns))
        return AchievedLoad("arrivals", due, counts.started)


def _fraction(rate: Rate) -> Fraction:
    return Fraction(rate.count, rate.per_ns)


def _rate(per_ns: Fraction) -> Rate:
    return Rate(per_ns.numerator, per_ns.denominator)


def _sum_of(rates: Iterable[Rate]) -> Rate:
    return _rate(sum(map(_fraction, rates), Fraction(0)))

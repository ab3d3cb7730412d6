"""A search: levels in order, until the highest one that holds is found."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any, ClassVar, Final

from planrunner.graph.loads.closed import ClosedLoad
from planrunner.graph.loads.load_model import (
    AchievedLoad,
    LoadModel,
    PhaseCounts,
    StageSpanNs,
    class_of_each,
)
from planrunner.graph.loads.open import OpenLoad
from planrunner.metrics.thresholds import Threshold
from planrunner.schedule.arrivals import RateStage
from planrunner.schedule.population import Share, Stage
from planrunner.schedule.search import SearchSteps
from planrunner.units import NS_PER_S, Rate, format_count, write_duration
from planrunner.values import dataclass

__all__ = ["SearchLoad"]

_MOST_LEVELS: Final = 10_000


@dataclass(frozen=True, slots=True)
class SearchLoad(LoadModel):
    """Levels one after the other, until the highest one that holds is found.

    Attributes:
        vary: `users` (each level a closed load) or `rate` (each an open one).
        hold_ns: How long each level is kept, `settle_ns` of it not judged.
        slo: A level holds while none of these is broken.
        cooldown_ns: Between a level's last user and the next level.
    """

    kind: ClassVar[str] = "search"
    is_search: ClassVar[bool] = True

    vary: str
    steps: SearchSteps
    hold_ns: int
    settle_ns: int
    slo: tuple[Threshold, ...]
    cooldown_ns: int = 0
    max_users: int = 1000

    def words(self) -> Iterator[str]:
        steps, level_words = self.steps, self.level_words
        what = "users" if self.vary == "users" else "arrivals a second"
        yield f"search for the most {what} that hold"
        more = (
            f"each {float(steps.times):g} times the one before"
            if steps.times
            else f"{level_words(steps.plus)} more each time"
        )
        yield f"from {level_words(steps.first)} to {level_words(steps.last)}, {more}"
        settle = f", the first {write_duration(self.settle_ns)} not judged"
        yield f"each level for {write_duration(self.hold_ns)}{settle if self.settle_ns else ''}"
        yield from (f"holds while {threshold.text or threshold}" for threshold in self.slo)
        if steps.refine:
            yield f"halves the gap up to {format_count(steps.refine, 'time')}"
        if steps.confirm:
            times = "once" if steps.confirm == 1 else f"{steps.confirm} times"
            yield f"runs the best level again {times}"
        if self.cooldown_ns:
            yield f"pauses {write_duration(self.cooldown_ns)} between levels"

    def level_words(self, level: Fraction) -> str:
        """Return a level as people write it: `40 users`, `430/s`."""
        if self.vary == "rate":
            return f"{float(level):.12g}/s"
        return f"{level} user{'s' if level != 1 else ''}"

    def as_json(self) -> dict[str, Any]:
        return {
            "model": self.kind,
            "vary": self.vary,
            "from": self.level_words(self.steps.first),
            "to": self.level_words(self.steps.last),
            "hold_ns": self.hold_ns,
            "settle_ns": self.settle_ns,
            "cooldown_ns": self.cooldown_ns,
            "slo": [str(threshold) for threshold in self.slo],
        }

    def level(self, level: Fraction) -> ClosedLoad | OpenLoad:
        """Return the load of one level."""
        if self.vary == "users":
            return ClosedLoad((Stage("", 0, int(level)), Stage("", self.hold_ns, int(level))))
        rate = Rate(level.numerator, level.denominator * NS_PER_S)
        stages = (RateStage("", 0, rate), RateStage("", self.hold_ns, rate))
        return OpenLoad(stages, max_users=self.max_users)

    @property
    def spans(self) -> tuple[StageSpanNs, ...]:
        """One level; how many there are is what the search finds out."""
        return (("level", self.hold_ns),)

    @property
    def planned_ns(self) -> int:
        """How long the way up through all levels takes."""
        levels = self.climb()
        return levels * self.hold_ns + (levels - 1) * self.cooldown_ns

    def climb(self) -> int:
        """Return how many levels there are from the first to the last."""
        level, levels = self.steps.first, 1
        while level < self.steps.last and levels < _MOST_LEVELS:
            level, levels = self.steps.after(level), levels + 1
        return levels

    @property
    def most_users(self) -> int:
        return self.max_users if self.has_due_times else int(self.steps.last)

    @property
    def peak_rate(self) -> Fraction:
        return self.steps.last if self.has_due_times else Fraction(0)

    @property
    def has_due_times(self) -> bool:
        return self.vary == "rate"

    def class_of_seats(self, shares: Sequence[Share]) -> tuple[str, ...]:
        return () if self.has_due_times else class_of_each((), shares, self.most_users)

    def requests(self, per_iteration: float, pause_ns: float) -> float | None:
        return None

    def achieved(self, counts: PhaseCounts) -> AchievedLoad:
        return AchievedLoad("iterations", counts.due, counts.started)

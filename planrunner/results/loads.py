"""What a result says about the load itself: requested and achieved, and how the generator was."""

from __future__ import annotations

from typing import Final

from planrunner.values import dataclass

__all__ = ["BY_HAND", "GENERATOR", "GeneratorFacts", "LoadChange", "PhaseLoad", "Sustainable"]

BY_HAND: Final = "changed by hand"
"""The stage of a phase from when somebody changed its load; what a verdict then says too."""

GENERATOR: Final = "the generator"
"""What ended a search that the generator could not take further."""


@dataclass(frozen=True, slots=True)
class PhaseLoad:
    """The load of one phase beside what the plan asked for.

    Attributes:
        model: `closed`, `open`, `counted` or `search`.
        unit: What is counted: `users`, `iterations`, or `arrivals`.
        requested: By the plan, up to where the phase ended.
        dropped: Arrivals that found all users busy.
        late: Iterations that started over 5 ms after they were due, or that a pace started late.
        lateness_p99_ns: Of iterations that had a due time: how long after it they started.
        is_paced: Whether iterations had a due time: arrivals, or a `pace`.
    """

    phase: str
    model: str
    unit: str
    requested: int
    achieved: int
    dropped: int = 0
    late: int = 0
    lateness_p99_ns: int = 0
    lateness_max_ns: int = 0
    is_paced: bool = False

    @property
    def share(self) -> float:
        return self.achieved / self.requested if self.requested else 1.0

    @property
    def has_arrivals(self) -> bool:
        """Whether a rate says when iterations start, and no user can hold it up."""
        return self.unit == "arrivals"

    @property
    def can_be_held_up(self) -> bool:
        """Whether nothing but the replies says when a user begins its next iteration."""
        return self.unit == "users"


@dataclass(frozen=True, slots=True)
class LoadChange:
    """Somebody changed the load of a phase while it ran.

    Attributes:
        at_ns: From the run's start.
        before: What the phase had until then, in words: `30 users`, `100/s`.
    """

    phase: str
    at_ns: int
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class GeneratorFacts:
    """The generator's own state, the worst of all seconds; of several workers the worst one's.

    Attributes:
        loop_lag_ns: The latest that a timer of the engine fired.
        cpu_share: Of one processor.
        collections: Full garbage collections while the load ran.
        collection_ns: The longest of them.
        open_files: The most at a time, and how many the process may have; 0 where unknown.
        wait_share: Of the time that it was ready to run while something else had its processor;
            null where the system doesn't say.
        turn_wait_ns: How long it waited each time, on average; 0 where unknown.
    """

    loop_lag_ns: int = 0
    cpu_share: float = 0.0
    collections: int = 0
    collection_ns: int = 0
    open_files: int = 0
    open_files_limit: int = 0
    wait_share: float | None = None
    turn_wait_ns: int = 0


@dataclass(frozen=True, slots=True)
class Sustainable:
    """What a `search` phase found.

    Attributes:
        vary: `users` or `rate`.
        is_found: False when the search was ended before it came to a result, or the generator could
            not even send the first level.
        level: Users, or arrivals a second; 0 when the first level broke already.
        is_reached: Whether the target broke at any level; if not, its limit lies above `level`.
        broken_by: What broke first above it, such as `p95`, and at which level; `the generator`
            when that was the limit, and not the target.
        text: All of it in a sentence.
    """

    phase: str
    vary: str
    is_found: bool
    level: float
    is_reached: bool
    text: str
    broken_by: str = ""
    broken_at: float = 0.0

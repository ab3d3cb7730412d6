"""What an aggregation is computed of. Each kind has its function, and names what it is given.

Which measure the values are of (latency, say) is no matter of the aggregation: it gets a
`Distribution` and doesn't know.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar, Protocol

from planrunner.metrics.amounts import Unit
from planrunner.values import dataclass

__all__ = [
    "ArrivalTotals",
    "Computation",
    "Distribution",
    "OfAmounts",
    "OfArrivals",
    "OfCounts",
    "OfExpectations",
    "OfGrowth",
    "OfSearches",
    "OfSizes",
    "OfSuccesses",
    "OfTaskMix",
    "OfValues",
    "SampleCounts",
    "TaskShare",
]


class Distribution(Protocol):
    """Values that were measured: at least one."""

    @property
    def count(self) -> int:
        """How many there are."""

    @property
    def min(self) -> float:
        """The smallest."""

    @property
    def max(self) -> float:
        """The greatest."""

    @property
    def mean(self) -> float:
        """The arithmetic mean."""

    @property
    def stddev(self) -> float:
        """The standard deviation of these values, which are all there are."""

    @property
    def total(self) -> float:
        """The sum of them."""

    @property
    def last(self) -> float:
        """The latest of them."""

    def percentile(self, percent: float) -> float:
        """Return the value at `percent` (0 to 100), by nearest rank."""

    def count_at_most(self, value: int, /) -> int:
        """Return how many values are at most `value`."""


@dataclass(frozen=True, slots=True)
class SampleCounts:
    """How many samples there are.

    Attributes:
        failed: Those of `count` that failed.
        among: Those that the selector picked `count` from.
        seconds: Of measured time.
    """

    count: int
    failed: int
    among: int
    seconds: float


@dataclass(frozen=True, slots=True)
class ArrivalTotals:
    """What became of arrivals; `seconds` is the measured time."""

    due: int
    started: int
    dropped: int
    late: int
    seconds: float


@dataclass(frozen=True, slots=True)
class TaskShare:
    """A task of a class: its share of what was open by weight, and of what ran; as fractions."""

    declared: float
    achieved: float


@dataclass(frozen=True, slots=True)
class OfValues:
    """One number of a distribution: of a measure of samples, or of a gauge's values.

    Attributes:
        compute: Gets the aggregation's argument too.
        percent: Which percentile it is, given the argument; None when it is none.
    """

    compute: Callable[[Distribution, float], float]
    percent: Callable[[float], float] | None = None
    over: ClassVar[str] = "the values of a measure or of a gauge"


@dataclass(frozen=True, slots=True)
class OfAmounts:
    """What values come to in the time that they took, given their sum and the seconds.

    Attributes:
        is_of_work: Whether the seconds are those at work; see `judging.work_time`.
    """

    compute: Callable[[float, float], float | None]
    is_of_work: bool = False
    over: ClassVar[str] = "the sum of values and the measured time"


@dataclass(frozen=True, slots=True)
class OfCounts:
    """A number of samples, or a share of them; `compute` may find that there is none.

    Attributes:
        none_is_an_answer: Whether no sample at all counts as 0, where one could have matched.
        is_share: Whether it looks at `among`.
    """

    compute: Callable[[SampleCounts], float | None]
    none_is_an_answer: bool = True
    is_share: bool = False
    over: ClassVar[str] = "the number of samples"


@dataclass(frozen=True, slots=True)
class OfExpectations:
    """A share of expectations, given how many were asked and how many of them did not hold."""

    compute: Callable[[int, int], float | None]
    over: ClassVar[str] = "the expectations of requests"


@dataclass(frozen=True, slots=True)
class OfSuccesses:
    """A score of the values of samples that succeeded, given how many samples there are in all."""

    compute: Callable[[Sequence[Distribution], int, float], float]
    over: ClassVar[str] = "the values of a measure, with failures apart"


@dataclass(frozen=True, slots=True)
class OfGrowth:
    """The last tenth of a stretch of time less the first; `judging.growth` keeps the tenths."""

    over: ClassVar[str] = "the values of a measure or of a gauge, over time"


@dataclass(frozen=True, slots=True)
class OfSizes:
    """How time grows against a size that a matrix varies; `judging.each` has the sizes."""

    over: ClassVar[str] = "the medians of latencies, over the sizes of a matrix"


@dataclass(frozen=True, slots=True)
class OfArrivals:
    """What became of arrivals; a limit may be in more than one unit."""

    compute: Callable[[ArrivalTotals, Unit], float | None]
    over: ClassVar[str] = "arrivals, in phases with a rate or a pace"


@dataclass(frozen=True, slots=True)
class OfTaskMix:
    """How far the tasks of one class are from what was declared; the largest class's counts."""

    compute: Callable[[Sequence[TaskShare]], float]
    over: ClassVar[str] = "the tasks that ran"


@dataclass(frozen=True, slots=True)
class OfSearches:
    """The levels that searches found, at least one."""

    compute: Callable[[Sequence[float]], float]
    over: ClassVar[str] = "phases that search for a level"


Computation = (
    OfValues
    | OfAmounts
    | OfCounts
    | OfExpectations
    | OfSuccesses
    | OfGrowth
    | OfArrivals
    | OfTaskMix
    | OfSearches
    | OfSizes
)

"""What the coordinator says of a run to its listener: typed, at most a few times a second."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import field

from planrunner.engine.coordinator.outcome import PhaseTimes
from planrunner.engine.recording.generator_health import Health
from planrunner.engine.steering import ChangedLoad
from planrunner.engine.stop import Ending
from planrunner.engine.workers.worker_state import WorkerStanding
from planrunner.metrics.judging.evidence import ArrivalCounts, GaugePoint
from planrunner.metrics.judging.verdict import Verdict
from planrunner.metrics.snapshot import Accumulated, Snapshot
from planrunner.results.record import FailingSample
from planrunner.values import dataclass

__all__ = [
    "Event",
    "Insight",
    "Logged",
    "Noticed",
    "PhaseEnded",
    "PhaseStarted",
    "RunEnded",
    "RunStarted",
    "Standing",
    "Stopping",
    "Tick",
]


@dataclass(frozen=True, slots=True)
class RunStarted:
    """The load begins.

    Attributes:
        started_ns: Clock time.
        planned_ns: How long the phases take without their graceful stops; 0 where nobody knows.
    """

    run_id: str
    name: str
    seed: int
    started_ns: int
    planned_ns: int


@dataclass(frozen=True, slots=True)
class PhaseStarted:
    """The first user of a phase is about to start.

    Attributes:
        planned_ns: The sum of its stages.
        peak_users: The most users it ever has.
        ending_ns: How long it may take to end when it is asked to: what runs, then `on_stop`.
    """

    name: str
    started_ns: int
    planned_ns: int
    peak_users: int
    ending_ns: int = 0


@dataclass(frozen=True, slots=True)
class Standing:
    """A threshold while the run goes on, secrets masked.

    Attributes:
        pair: A number that the two of a `{warn: …, fail: …}` share; 0 for a single one.
        limit: The value that it is compared with, with its unit.
        amount: What was observed as a number of the limit's unit; None without data.
        limit_amount: `limit` as such a number; None where it isn't known.
    """

    threshold: str
    verdict: Verdict
    observed: str
    pair: int = 0
    limit: str = ""
    amount: float | None = None
    limit_amount: float | None = None


@dataclass(frozen=True, slots=True)
class Insight:
    """What is known of a run beside its snapshots: looked at by what shows it, when it shows it.

    Attributes:
        standings: Judges every threshold so far, anew at each call.
        doubts: Says why the numbers so far may not be trusted, each reason a sentence.
        failing: Returns the first requests that failed in each way so far, secrets masked.
        workers: Returns how several workers are; none for a single one.
        arrivals: What became of the iterations of each phase that had a due time, so far.
        gauges: Of what is watched beside the load, by the names that thresholds know; they grow.
    """

    standings: Callable[[], Sequence[Standing]] = tuple
    doubts: Callable[[], Sequence[str]] = tuple
    failing: Callable[[], Sequence[FailingSample]] = tuple
    workers: Callable[[], Sequence[WorkerStanding]] = tuple
    arrivals: Mapping[str, ArrivalCounts] = field(default_factory=dict)
    gauges: Mapping[str, Sequence[GaugePoint]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Tick:
    """A second has passed.

    Attributes:
        second: Its number from 1: it ended `second` seconds after the start of the run.
        phases: That run now.
        snapshot: Of this second.
        total: Everything so far; read it now, it goes on growing.
        insight: The same for all ticks of a run.
    """

    second: int
    phases: tuple[str, ...]
    snapshot: Snapshot
    total: Accumulated
    health: Health
    insight: Insight


@dataclass(frozen=True, slots=True)
class Logged:
    """`log` steps wrote these lines in the last second, and as many more as `suppressed`."""

    lines: tuple[str, ...]
    suppressed: int


@dataclass(frozen=True, slots=True)
class Noticed:
    """Something happened to the generator that the user should know while it lasts.

    Attributes:
        words: What, in words.
    """

    words: str


@dataclass(frozen=True, slots=True)
class Stopping:
    """Somebody asked the run to end; users finish their iterations."""

    ending: Ending
    reason: str


@dataclass(frozen=True, slots=True)
class PhaseEnded:
    times: PhaseTimes


@dataclass(frozen=True, slots=True)
class RunEnded:
    """The last user has gone.

    Attributes:
        snapshot: What came after the last tick; with those of all ticks, it is everything.
    """

    ending: Ending
    reason: str
    snapshot: Snapshot


Event = (
    RunStarted
    | PhaseStarted
    | ChangedLoad
    | Tick
    | Logged
    | Noticed
    | Stopping
    | PhaseEnded
    | RunEnded
)

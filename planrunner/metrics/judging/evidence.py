"""What thresholds are judged by: everything that a run has measured so far."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import field

from planrunner.metrics.judging.measured import MeasuredTime
from planrunner.metrics.series import Labels
from planrunner.metrics.snapshot import SeriesDelta, SeriesTotal
from planrunner.metrics.thresholds.model import Metric, ThresholdScope
from planrunner.values import dataclass

__all__ = ["ArrivalCounts", "Baseline", "Evidence", "GaugePoint", "SeriesByLabels", "TaskRuns"]

SeriesByLabels = Mapping[Labels, SeriesDelta | SeriesTotal]

Baseline = Callable[[Metric], float | None]
"""Gives a metric's value in the baseline, None when it lacks it."""

GaugePoint = tuple[int, float]
"""Clock time in ns, and the value in base units: seconds, bytes, a fraction, per second."""


@dataclass(frozen=True, slots=True)
class ArrivalCounts:
    """What became of the arrivals of an open phase in a short interval.

    Attributes:
        at_ns: The middle of the interval (clock time), or earlier if they were overdue.
        due: Arrivals that the schedule had in it.
        started: Those that started an iteration, less those of earlier intervals that turn out
            to have been given to a user that never began.
        dropped: Those that found all users busy.
        late: Those that started over 5 ms after they were due.
    """

    at_ns: int
    phase: str
    due: int
    started: int
    dropped: int
    late: int

    def then(self, later: ArrivalCounts) -> ArrivalCounts:
        """Return what became of those of this interval and of a later one."""
        return ArrivalCounts(
            later.at_ns,
            self.phase,
            self.due + later.due,
            self.started + later.started,
            self.dropped + later.dropped,
            self.late + later.late,
        )


@dataclass(frozen=True, slots=True)
class TaskRuns:
    """How often a class's task ran in a phase, beside its declared weight, warm-up left out.

    Attributes:
        refused: Draws that its `needs` refused.
        gained: What it could expect of others' refusals, see `metrics.task_mix`.
    """

    phase: str
    user: str
    task: str
    weight: int
    runs: int
    refused: int = 0
    gained: float = 0.0


@dataclass(frozen=True, slots=True)
class Evidence:
    """A run as far as it has come.

    Attributes:
        series: Totals since the start of the run.
        measured: What has counted as measured time so far; nothing of it lies in the future.
        gauges: By `service.NAME.cpu`, `monitor.NAME`, `generator.loop_lag`, in order of time.
        arrivals: Of open phases, in order of time.
        sustainable: The level that each `search` phase found: users, or arrivals a second.
        baseline: Gives a metric's value in the baseline, None when it lacks it; None as a whole
            when there is no baseline.
        apart: Phases that only thresholds which name them judge.
    """

    series: SeriesByLabels
    measured: Sequence[MeasuredTime]
    gauges: Mapping[str, Sequence[GaugePoint]] = field(default_factory=dict)
    arrivals: Sequence[ArrivalCounts] = ()
    task_runs: Sequence[TaskRuns] = ()
    sustainable: Mapping[str, float] = field(default_factory=dict)
    baseline: Baseline | None = None
    apart: frozenset[str] = frozenset()

    def time_of(self, scope: ThresholdScope) -> tuple[MeasuredTime, ...]:
        """Return the measured time that belongs to `scope`."""
        return tuple(part for part in self.measured if self.covers(scope, part.phase, part.stage))

    def covers(self, scope: ThresholdScope, phase: str, stage: str | None = None) -> bool:
        """Whether what happened in a phase (and stage) belongs to `scope`."""
        in_phase = scope.takes(phase) and (scope.phase is not None or phase not in self.apart)
        return in_phase and (scope.stage is None or stage in (None, scope.stage.name))

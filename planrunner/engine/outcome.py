"""What the engine returns: everything that `results.aggregate` needs to make a `RunResult`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from planrunner.engine.health import HealthLog
from planrunner.engine.stop import Ending
from planrunner.engine.tally import Tally
from planrunner.metrics.snapshot import Accumulated
from planrunner.results.aggregate import MeasuredTime, TaskCount
from planrunner.results.history import History

__all__ = ["PhaseTimes", "RunOutcome", "StageTimes"]


@dataclass(frozen=True, slots=True)
class StageTimes:
    """When a stage really ran (clock time); cut where its phase was."""

    name: str
    begin_ns: int
    end_ns: int


@dataclass(frozen=True, slots=True)
class PhaseTimes:
    """When a phase really ran (clock time).

    Attributes:
        end_ns: The end of its last stage: measured time ends here.
        gone_ns: When its last user had gone; the graceful stop lies between.
        warmup_end_ns: Where its warm-up ended; equals `begin_ns` without one.
        stages: Without those that take no time.
    """

    name: str
    begin_ns: int
    end_ns: int
    gone_ns: int
    warmup_end_ns: int
    stages: tuple[StageTimes, ...]

    def measured(self) -> Iterator[MeasuredTime]:
        """What of each stage counts: all but warm-up and graceful stop."""
        for stage in self.stages:
            begin_ns = max(stage.begin_ns, self.warmup_end_ns)
            if begin_ns < stage.end_ns:
                yield MeasuredTime(self.name, stage.name, begin_ns, stage.end_ns)


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """One finished run, before any judgement.

    Attributes:
        started_ns: Clock time; every other time of the run counts from it.
        ended_ns: When the last user had gone.
        reason: Why the run ended early, a sentence; empty when it finished.
        total: All samples by label set, warm-up, aborted and unmeasured ones included.
        history: The same second by second.
        task_counts: What became of each task's picks, over all phases.
        biased: Why the numbers may not say what the plan asked for, each a sentence.
        notices: What else the user should know, each a sentence.
    """

    run_id: str
    seed: int
    started_ns: int
    ended_ns: int
    ending: Ending
    reason: str
    total: Accumulated
    history: History
    phases: tuple[PhaseTimes, ...]
    tally: Tally
    task_counts: tuple[TaskCount, ...]
    health: HealthLog
    biased: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()

    def measured(self) -> tuple[MeasuredTime, ...]:
        """The time that rates are divided by."""
        return tuple(part for phase in self.phases for part in phase.measured())

"""What the engine returns: everything that `results.aggregate` needs to make a `RunResult`."""

from __future__ import annotations

from planrunner.engine.recording.counters import Counters
from planrunner.engine.recording.generator_health import HealthLog
from planrunner.engine.stop import Ending
from planrunner.metrics.judging.each import AnyGate
from planrunner.metrics.judging.evidence import Evidence
from planrunner.metrics.judging.measured import MeasuredTime
from planrunner.metrics.snapshot import Accumulated
from planrunner.results.aggregate import TaskCount
from planrunner.results.component_history import ComponentHistory
from planrunner.results.history import History, RunningTotals
from planrunner.results.loads import LoadChange, PhaseLoad, Sustainable
from planrunner.results.record import FailingSample, SearchStep
from planrunner.results.record.hosts import HostFigures
from planrunner.results.request_history import RequestHistory
from planrunner.values import dataclass

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
        steered_ns: From when its load was changed by hand; None where it wasn't.
        end_ns: The end of its last stage: measured time ends here.
        gone_ns: When its last user had gone; the graceful stop lies between.
        warmup_end_ns: Where its warm-up ended; equals `begin_ns` without one.
        stages: Without those that take no time.
        measured: What of them counts: all but warm-up.
    """

    name: str
    begin_ns: int
    end_ns: int
    gone_ns: int
    warmup_end_ns: int
    stages: tuple[StageTimes, ...]
    measured: tuple[MeasuredTime, ...]
    steered_ns: int | None = None


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """One finished run; ask each of `gates` for its judgement of `evidence`.

    Attributes:
        started_ns: Clock time; every other time of the run counts from it.
        ended_ns: When the last user had gone.
        reason: Why the run ended early, a sentence; empty when it finished.
        total: All samples by label set, warm-up, aborted and unmeasured ones included.
        history: The same second by second.
        requests: Each request over time.
        running: What each phase had come to over time.
        components: The same of components, by phase.
        task_counts: What became of each task's picks, over all phases.
        gates: One for each of the plan's thresholds, in its order; all have seen the whole run.
        biased: Why the numbers may not say what the plan asked for, each a sentence.
        invalid: Why they say nothing about what the plan asked for, each a sentence.
        loads: What each phase asked for, and what it got.
        changes: Of loads, by hand.
        notices: What else the user should know, each a sentence.
        found: What searches came to, and `steps` the levels that they tried.
        failing: The first requests that failed in each way, secrets masked.
        workers: How many there were.
        start_spread_ns: How far apart they were, at most, when they began a phase.
        hosts: Those that several workers were on, and how each did.
    """

    run_id: str
    seed: int
    started_ns: int
    ended_ns: int
    ending: Ending
    reason: str
    total: Accumulated
    history: History
    requests: RequestHistory
    running: RunningTotals
    components: ComponentHistory
    phases: tuple[PhaseTimes, ...]
    counters: Counters
    task_counts: tuple[TaskCount, ...]
    health: HealthLog
    evidence: Evidence
    gates: tuple[AnyGate, ...]
    biased: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()
    invalid: tuple[str, ...] = ()
    loads: tuple[PhaseLoad, ...] = ()
    changes: tuple[LoadChange, ...] = ()
    found: tuple[Sustainable, ...] = ()
    steps: tuple[SearchStep, ...] = ()
    failing: tuple[FailingSample, ...] = ()
    workers: int = 1
    start_spread_ns: int = 0
    hosts: tuple[HostFigures, ...] = ()

    def measured(self) -> tuple[MeasuredTime, ...]:
        """The time that rates are divided by."""
        return tuple(part for phase in self.phases for part in phase.measured)

"""One level of a search: what is looked at, and whether it held, broke, or was not sent at all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import field, replace
from typing import Final

from planrunner.engine.coordinator.validity import INVALID_SHARE, LATE_SHARE
from planrunner.engine.recording.generator_health import HealthLog
from planrunner.metrics.judging.each import AnyGate
from planrunner.metrics.judging.evidence import ArrivalCounts, Evidence
from planrunner.metrics.judging.verdict import Verdict
from planrunner.metrics.thresholds import Metric, Ratio, Threshold, ThresholdScope
from planrunner.schedule.search import LevelOutcome
from planrunner.units import format_percent
from planrunner.values import dataclass

__all__ = ["LevelPart", "judge_level"]

_LEAST_SECONDS: Final = 3
"""Of a level, for a busy or late generator to be a finding: `settle` is left out already."""

_MOST_LATE_OF_HELD: Final = 0.5
"""Of a level that held: late arrivals bunch up, which is harder for a target, never easier."""


@dataclass(frozen=True, slots=True)
class LevelPart:
    """One level on its way, with gates that look at nothing else.

    Attributes:
        health: Of the generator, in the seconds that are judged.
    """

    phase: str
    stage: str
    slo: Sequence[Threshold]
    gates: tuple[AnyGate, ...]
    health: HealthLog = field(default_factory=HealthLog)


def judge_level(
    level: LevelPart, evidence: Evidence, *, aborted: int, shortage: str = ""
) -> tuple[LevelOutcome, str]:
    """Return what came of a level that is over, and why, if it did not hold.

    A level that the generator could not send says nothing of the target, whether or not its `slo`
    held: latencies are too long, or the load is too low.

    Args:
        level: What was looked at.
        evidence: Of nothing else.
        aborted: Requests that were cut at the end of its graceful stop.
        shortage: Why less was sent than the level is; empty when all was.
    """
    broken = [
        threshold
        for gate, threshold in zip(level.gates, level.slo, strict=True)
        if gate.judge(evidence).verdict in (Verdict.FAIL, Verdict.NO_DATA)
    ]
    arrivals = tuple(_arrivals(evidence))
    by_target = next((threshold for threshold in broken if _is_of_the_target(threshold)), None)
    if by_target is not None:
        return LevelOutcome.BROKEN, _metric_words(by_target)
    most_late = 10 * LATE_SHARE if broken else _MOST_LATE_OF_HELD
    if limit := shortage or _limit_of_generator(level.health, arrivals, most_late):
        return LevelOutcome.LIMITED, limit
    if broken:
        return LevelOutcome.BROKEN, _metric_words(broken[0])
    if aborted:
        return LevelOutcome.BROKEN, "iterations that did not end within the graceful stop"
    dropped = _share(arrivals, sum(counts.dropped for counts in arrivals))
    if dropped >= INVALID_SHARE:
        return LevelOutcome.BROKEN, f"all users being busy ({format_percent(dropped)} dropped)"
    return LevelOutcome.HELD, ""


def _arrivals(evidence: Evidence) -> Iterator[ArrivalCounts]:
    for counts in evidence.arrivals:
        for time in evidence.measured:
            if counts.phase == time.phase and time.start_ns <= counts.at_ns < time.end_ns:
                yield counts


def _limit_of_generator(
    health: HealthLog, arrivals: Sequence[ArrivalCounts], most_late: float
) -> str:
    """Return in which way the generator could not send the level; nothing when it could."""
    late = _share(arrivals, sum(counts.late for counts in arrivals))
    if late > most_late:
        return f"{format_percent(late)} of arrivals started over 5 ms late"
    if health.is_saturated(least_seconds=_LEAST_SECONDS):
        return health.saturation()
    return health.starvation.limit()


def _share(arrivals: Sequence[ArrivalCounts], some: int) -> float:
    due = sum(counts.due for counts in arrivals)
    return some / due if due else 0.0


def _is_of_the_target(threshold: Threshold) -> bool:
    """Whether no delay of the generator can have broken it."""
    return isinstance(threshold.metric, Metric) and threshold.metric.agg.delay_proof


def _metric_words(threshold: Threshold) -> str:
    """Return what a condition measures, without where: `p95`, `error_rate of tag:read`."""
    metric = threshold.metric
    if isinstance(metric, Ratio):
        return f"ratio({_plain(metric.dividend)}, {_plain(metric.divisor)})"
    return _plain(metric)


def _plain(metric: Metric) -> str:
    return str(replace(metric, scope=ThresholdScope()))

"""Engine events → what the live view shows."""

from __future__ import annotations

from collections.abc import Sequence
from time import perf_counter
from typing import Final

from planrunner.engine.coordinator.events import (
    Event,
    Logged,
    PhaseEnded,
    PhaseStarted,
    RunStarted,
    Standing,
    Stopping,
    Tick,
)
from planrunner.engine.coordinator.outcome import PhaseTimes
from planrunner.metrics.histogram import Histogram
from planrunner.metrics.judging.verdict import Verdict
from planrunner.metrics.series import ABORTED
from planrunner.report.terminal.progress import Progress, ProgressView, Thresholds
from planrunner.units import NS_PER_S

__all__ = ["ProgressListener"]

_SPARED: Final = 100


class ProgressListener:
    """Feeds a view once a second; one for each run."""

    def __init__(self, view: ProgressView) -> None:
        self._view = view
        self._planned_s = 0.0
        self._running_s: dict[str, float] = {}
        self._total = 0
        self._failed = 0
        self._ending = ""
        self._thresholds = Thresholds()
        self._next_look_s = 0.0

    def __call__(self, event: Event) -> None:
        match event:
            case RunStarted():
                self._planned_s = event.planned_ns / NS_PER_S
            case PhaseStarted():
                self._running_s[event.name] = event.planned_ns / NS_PER_S
            case PhaseEnded():
                self._replan(event.times)
            case Logged():
                self._say(event)
            case Stopping():
                self._ending = event.reason
            case Tick():
                self._view.show(self._progress(event))
            case _:
                pass

    def _replan(self, ended: PhaseTimes) -> None:
        """Let what comes after a phase come earlier or later, by as much as the phase ended."""
        planned_s = self._running_s.pop(ended.name, 0.0)
        if not self._running_s:  # those beside it go on as planned
            self._planned_s += (ended.gone_ns - ended.begin_ns) / NS_PER_S - planned_s

    def _say(self, logged: Logged) -> None:
        for line in logged.lines:
            self._view.say(line)
        if logged.suppressed:
            self._view.say(f"({logged.suppressed:,} more lines of `log` in this second)")

    def _progress(self, tick: Tick) -> Progress:
        second = Histogram()
        for labels, delta in tick.snapshot.deltas.items():
            if labels.kind == "request" and labels.failure != ABORTED:
                second.merge(delta.latency)
                self._failed += delta.count if labels.failure else 0
        self._total += second.count
        p50, p95, p99 = second.percentiles((50, 95, 99)) if second.count else (0, 0, 0)
        return Progress(
            second=tick.second,
            planned_s=self._planned_s,
            phase=", ".join(tick.phases) or "finishing",
            users=sum(tick.snapshot.users.values()),
            requests_per_second=second.count,
            p50_ns=p50,
            p95_ns=p95,
            p99_ns=p99,
            total=self._total,
            failed=self._failed,
            ending=self._ending,
            thresholds=lambda: self._look(tick),
        )

    def _look(self, tick: Tick) -> Thresholds:
        """Judge the thresholds again unless that would take more than 1 % of the time."""
        began_s = perf_counter()
        if began_s >= self._next_look_s:
            self._thresholds = _standing(tick.standings())
            ended_s = perf_counter()
            self._next_look_s = ended_s + _SPARED * (ended_s - began_s)
        return self._thresholds


def _standing(standings: Sequence[Standing]) -> Thresholds:
    def of(*verdicts: Verdict) -> list[Standing]:
        return [one for one in standings if one.verdict in verdicts]

    failed, warned = of(Verdict.FAIL), of(Verdict.WARN)
    return Thresholds(
        holding=len(of(Verdict.PASS)),
        broken=tuple(f"{one.threshold} ({one.observed})" for one in (*failed, *warned)),
        is_serious=bool(failed),
        waiting=len(of(Verdict.NO_DATA)),
    )

"""The terminal as an output: seconds of a run → what its progress view shows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from planrunner.engine.coordinator.events import (
    Logged,
    PhaseEnded,
    PhaseStarted,
    RunStarted,
    Standing,
    Stopping,
)
from planrunner.engine.coordinator.outcome import PhaseTimes
from planrunner.metrics.histogram import Histogram
from planrunner.metrics.judging.verdict import Verdict
from planrunner.metrics.series import ABORTED
from planrunner.outputs.base import RunEvent, RunInfo, Second
from planrunner.report.terminal.progress import Progress, ProgressView, Thresholds
from planrunner.units import NS_PER_S

__all__ = ["ProgressOutput"]


class ProgressOutput:
    """Feeds a view once a second."""

    name: Final = "progress"

    def __init__(self, view: ProgressView) -> None:
        self._view = view
        self._planned_s = 0.0
        self._running_s: dict[str, float] = {}
        self._total = 0
        self._failed = 0
        self._ending = ""
        self._standings: Callable[[], Sequence[Standing]] = tuple

    def use_standings(self, standings: Callable[[], Sequence[Standing]]) -> None:
        self._standings = standings

    async def start(self, run: RunInfo) -> None:
        del run
        self._view.__enter__()

    async def stop(self) -> None:
        self._view.__exit__(None, None, None)

    async def hear(self, event: RunEvent) -> None:
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

    async def add(self, second: Second) -> None:
        if not second.is_last:  # the summary follows at once
            self._view.show(self._progress(second))

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

    def _progress(self, second: Second) -> Progress:
        latency, requests = Histogram(), 0
        for labels, delta in second.snapshot.deltas.items():
            if labels.kind == "request" and labels.failure != ABORTED:
                requests += delta.count
                if labels.has_latency:
                    latency.merge(delta.latency)
                self._failed += delta.count if labels.failure else 0
        self._total += requests
        p50, p95, p99 = latency.percentiles((50, 95, 99)) if latency.count else (0, 0, 0)
        return Progress(
            second=second.number,
            planned_s=self._planned_s,
            phase=", ".join(second.phases) or "finishing",
            users=sum(second.snapshot.users.values()),
            requests_per_second=requests,
            p50_ns=p50,
            p95_ns=p95,
            p99_ns=p99,
            total=self._total,
            failed=self._failed,
            ending=self._ending,
            thresholds=lambda: _standing(self._standings()),
        )


def _standing(standings: Sequence[Standing]) -> Thresholds:
    def of(*verdicts: Verdict) -> list[Standing]:
        return [one for one in standings if one.verdict in verdicts]

    failed, warned = of(Verdict.FAIL), of(Verdict.WARN)
    return Thresholds(
        holding=len(of(Verdict.PASS)),
        broken=tuple(f"{one.threshold} ({one.observed})" for one in (*failed, *warned)),
        is_serious=bool(failed),
        warnings=len(warned),
        waiting=len(of(Verdict.NO_DATA)),
    )

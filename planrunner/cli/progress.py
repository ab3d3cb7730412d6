"""Engine events → what the live view shows."""

from __future__ import annotations

from planrunner.engine.events import Event, Logged, RunStarted, Stopping, Tick
from planrunner.metrics.histogram import Histogram
from planrunner.metrics.series import ABORTED
from planrunner.report.progress import Progress, View
from planrunner.units import NS_PER_S

__all__ = ["ProgressListener"]


class ProgressListener:
    """Feeds a view once a second; one for each run."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._planned_s = 0.0
        self._total = 0
        self._failed = 0
        self._ending = ""

    def __call__(self, event: Event) -> None:
        match event:
            case RunStarted():
                self._planned_s = event.planned_ns / NS_PER_S
            case Logged():
                self._say(event)
            case Stopping():
                self._ending = event.reason
            case Tick():
                self._view.show(self._progress(event))
            case _:
                pass

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
        )

"""The terminal as an output: seconds of a run → what its progress view shows."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Sequence
from typing import Final

from planrunner.engine.coordinator.events import (
    Insight,
    Logged,
    Noticed,
    PhaseEnded,
    PhaseStarted,
    RunStarted,
    Standing,
    Stopping,
)
from planrunner.engine.coordinator.outcome import PhaseTimes
from planrunner.engine.steering import ChangedLoad
from planrunner.engine.stop import Ending
from planrunner.metrics.histogram import Histogram
from planrunner.metrics.judging.verdict import Verdict
from planrunner.metrics.series import ABORTED, Labels
from planrunner.metrics.snapshot import SeriesDelta
from planrunner.outputs.base import RunEvent, RunInfo, Second
from planrunner.protocols.base import FailureKind
from planrunner.report.terminal.progress import (
    Progress,
    ProgressView,
    RequestProgress,
    Thresholds,
)
from planrunner.units import NS_PER_S, format_duration

__all__ = ["ProgressOutput"]


_MOST_SECONDS: Final = 60
"""Of the past: as much as a line has room for."""


class ProgressOutput:
    """Feeds a view once a second."""

    name: Final = "progress"

    def __init__(self, view: ProgressView) -> None:
        self._view = view
        self._planned_s = 0.0
        self._running_s: dict[str, float] = {}
        self._ending_s: dict[str, float] = {}
        self._totals: Counter[str] = Counter()
        self._failed: Counter[str] = Counter()
        self._failures: Counter[str] = Counter()
        self._expected: Counter[str] = Counter()
        self._mask: Callable[[str], str] = str
        self._rates: deque[int] = deque(maxlen=_MOST_SECONDS)
        self._p95s_ns: deque[int] = deque(maxlen=_MOST_SECONDS)
        self._ending = ""
        self._standings: Callable[[], Sequence[Standing]] = tuple
        self._insight: Callable[[], Insight] = Insight

    def use_standings(self, standings: Callable[[], Sequence[Standing]]) -> None:
        self._standings = standings

    def use_insight(self, insight: Callable[[], Insight]) -> None:
        self._insight = insight

    async def start(self, run: RunInfo) -> None:
        self._mask = run.mask
        self._view.__enter__()

    async def stop(self) -> None:
        self._view.__exit__(None, None, None)

    async def hear(self, event: RunEvent) -> None:
        match event:
            case RunStarted():
                self._planned_s = event.planned_ns / NS_PER_S
            case PhaseStarted():
                self._running_s[event.name] = event.planned_ns / NS_PER_S
                self._ending_s[event.name] = event.ending_ns / NS_PER_S
            case PhaseEnded():
                self._replan(event.times)
            case ChangedLoad():
                self._view.say(f"changed by hand: phase {event}")
            case Logged():
                self._say(event)
            case Noticed():
                self._view.say(f"notice: {event.words}")
            case Stopping():
                self._stopping(event)

    async def add(self, second: Second) -> None:
        if not second.is_last:  # the summary follows at once
            self._view.show(self._progress(second))

    def _replan(self, ended: PhaseTimes) -> None:
        """Let what comes after a phase come earlier or later, by as much as the phase ended."""
        self._ending_s.pop(ended.name, None)
        planned_s = self._running_s.pop(ended.name, 0.0)
        if self._planned_s and not self._running_s:  # those beside it go on as planned
            self._planned_s += (ended.gone_ns - ended.begin_ns) / NS_PER_S - planned_s

    def _say(self, logged: Logged) -> None:
        for line in logged.lines:
            self._view.say(line)
        if logged.suppressed:
            self._view.say(f"({logged.suppressed:,} more lines of `log` in this second)")

    def _stopping(self, event: Stopping) -> None:
        """Say at once that the run is ending, how long that may take, and how to have it sooner."""
        self._ending = event.reason
        most_s = max(self._ending_s.values(), default=0.0)
        words = [f"stopping: {event.reason}"]
        if most_s:
            most = format_duration(most_s * NS_PER_S)
            words.append(f"iterations that run may take up to {most} to end")
        if event.ending is Ending.INTERRUPTED:
            words.append("press Ctrl-C again to stop at once")
        self._view.say("; ".join(words))

    def _workers_words(self) -> tuple[str, bool]:
        from planrunner.report.workers import standings_words  # noqa: PLC0415 - of what is shown only

        return standings_words(self._insight().workers())

    def _progress(self, second: Second) -> Progress:
        latest = _Latest()
        for labels, delta in second.snapshot.deltas.items():
            if labels.kind == "request" and labels.failure != ABORTED:
                latest.add(labels, delta)
                self._totals[labels.request] += delta.count
                if labels.failure:
                    self._failed[labels.request] += delta.count
                    self._failures[labels.failure_text] += delta.count
                if labels.failure == FailureKind.EXPECT:
                    self._count_broken(delta)
        requests, whole = latest.counts.total(), latest.whole
        p50, p95, p99 = whole.percentiles((50, 95, 99)) if whole.count else (0, 0, 0)
        self._rates.append(requests)
        self._p95s_ns.append(p95)
        return Progress(
            second=second.number,
            planned_s=self._planned_s,
            phase=", ".join(second.phases) or "finishing",
            users=sum(second.snapshot.users.values()),
            requests_per_second=requests,
            p50_ns=p50,
            p95_ns=p95,
            p99_ns=p99,
            total=self._totals.total(),
            failed=self._failed.total(),
            ending=self._ending,
            thresholds=lambda: _standing(self._standings()),
            requests=self._requests(latest),
            classes=dict(second.snapshot.users),
            failures=dict(self._failures),
            expected=dict(self._expected),
            workers=self._workers_words,
            rates=tuple(self._rates),
            p95s_ns=tuple(self._p95s_ns),
        )

    def _count_broken(self, delta: SeriesDelta) -> None:
        for (expected, is_soft), times in delta.broken.items():
            if not is_soft:
                self._expected[self._mask(expected)] += times

    def _requests(self, latest: _Latest) -> tuple[RequestProgress, ...]:
        def order(name: str) -> tuple[int, int, str]:
            return -self._failed[name], -self._totals[name], name

        return tuple(
            RequestProgress(
                name,
                self._totals[name],
                self._failed[name],
                latest.counts[name],
                latest.p95_ns(name),
            )
            for name in sorted(self._totals, key=order)
        )


class _Latest:
    """The requests of one second, by name and all together."""

    def __init__(self) -> None:
        self.whole = Histogram()
        self.counts: Counter[str] = Counter()
        self._latencies: dict[str, Histogram] = {}

    def add(self, labels: Labels, delta: SeriesDelta) -> None:
        self.counts[labels.request] += delta.count
        if labels.has_latency:
            self.whole.merge(delta.latency)
            self._latencies.setdefault(labels.request, Histogram()).merge(delta.latency)

    def p95_ns(self, name: str) -> int:
        found = self._latencies.get(name)
        return found.percentile(95) if found is not None and found.count else 0


_WORST_FIRST: Final = (Verdict.FAIL, Verdict.WARN, Verdict.NO_DATA, Verdict.PASS)


def _standing(standings: Sequence[Standing]) -> Thresholds:
    """Count thresholds as the plan has them: the two of a pair are one, with the worse verdict."""
    judged = [one for one in standings if one.verdict in _WORST_FIRST]
    worst: dict[int, Standing] = {}
    for n, one in enumerate(judged):
        key = -one.pair or n + 1
        worst[key] = min(worst.get(key, one), one, key=_rank)

    def of(verdict: Verdict) -> list[Standing]:
        return [one for one in worst.values() if one.verdict is verdict]

    failed, warned = of(Verdict.FAIL), of(Verdict.WARN)
    return Thresholds(
        holding=len(of(Verdict.PASS)),
        broken=tuple(f"{one.threshold} ({one.observed})" for one in (*failed, *warned)),
        is_serious=bool(failed),
        warnings=len(warned),
        waiting=len(of(Verdict.NO_DATA)),
    )


def _rank(standing: Standing) -> int:
    return _WORST_FIRST.index(standing.verdict)

"""What the coordinator keeps of a run, and what it concludes from it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from planrunner.engine.coordinator.achieved_load import (
    after_warmup,
    load_changes,
    phase_loads,
    task_counts,
)
from planrunner.engine.coordinator.events import Insight, Standing
from planrunner.engine.coordinator.notices import (
    counter_notices,
    idle_notices,
    overtime,
    pool_notices,
    quits,
    start_failures,
)
from planrunner.engine.coordinator.outage import Outage
from planrunner.engine.coordinator.outcome import PhaseTimes, RunOutcome
from planrunner.engine.coordinator.search_level import LevelPart
from planrunner.engine.coordinator.validity import (
    Doubts,
    doubts_of_clients,
    doubts_of_clocks,
    doubts_of_generator,
    doubts_of_hands,
    doubts_of_health,
    doubts_of_loads,
    doubts_of_mix,
    doubts_of_searches,
    doubts_of_starvation,
    doubts_of_workers,
    losses_so_far,
    phases_apart,
    phases_of_own_work,
    stall_notices,
)
from planrunner.engine.coordinator.worker_pool import WorkerPool
from planrunner.engine.recording.counters import Counters, TaskKey
from planrunner.engine.recording.failure_samples import first_of_each
from planrunner.engine.recording.generator_health import HealthLog
from planrunner.engine.recording.stalls import StallWatch
from planrunner.engine.steering import ChangedLoad
from planrunner.engine.stop import Stop
from planrunner.engine.workers.local import Drained
from planrunner.engine.workers.merge import health_of
from planrunner.engine.workers.presence.begins import BeginsApart
from planrunner.engine.workers.presence.crew import host_figures
from planrunner.engine.workers.worker_state import WorkerState
from planrunner.graph.run_graph import RunGraph
from planrunner.language.secrets import Masker
from planrunner.metrics.histogram import Histogram
from planrunner.metrics.judging.each import gate_of
from planrunner.metrics.judging.evidence import (
    ArrivalCounts,
    Baseline,
    Evidence,
    GaugePoint,
    TaskRuns,
)
from planrunner.metrics.judging.measured import MeasuredTime
from planrunner.metrics.series import ABORTED
from planrunner.metrics.snapshot import Accumulated, Snapshot
from planrunner.results.aggregate import make_totals
from planrunner.results.component_history import ComponentHistory
from planrunner.results.history import History, RunningTotals
from planrunner.results.loads import PhaseLoad, Sustainable
from planrunner.results.model import Totals
from planrunner.results.record import FailingSample, SearchStep
from planrunner.results.record.hosts import HostFigures
from planrunner.results.request_history import RequestHistory
from planrunner.units import NS_PER_MS, NS_PER_S, format_duration

__all__ = ["Accumulator"]

UNREACHABLE_AFTER_NS: Final = 10 * NS_PER_S

_SHORT_NS: Final = 500 * NS_PER_MS  # too short to say how busy the generator was


class Accumulator:
    """Everything that workers sent, merged.

    Attributes:
        total: All samples so far.
        notices: What the user should know, each a sentence.
        tool_faults: What went wrong with runs of other tools, each a sentence.
        parts: Levels of searches that run now; they see every interval.
        steps: Levels of searches that are over.
        found: What searches came to.
        arrivals: What became of iterations that had a due time, in order of time.
    """

    def __init__(
        self,
        graph: RunGraph,
        *,
        started_ns: int,
        gauges: Mapping[str, Sequence[GaugePoint]] | None = None,
        baseline: Baseline | None = None,
    ) -> None:
        self._graph = graph
        self._gauges = gauges or {}
        self._baseline = baseline
        self.total = Accumulated()
        self._started_ns = started_ns
        self._history = History(started_ns)
        self._requests = RequestHistory(started_ns)
        self._running = RunningTotals(started_ns)
        self._components = ComponentHistory()
        self._health = HealthLog()
        self._short: list[Drained] = []
        self._counters = Counters()
        # A list of every second so far, each second: only on demand.
        self._asks_generator = any(
            metric.gauge is not None
            for threshold in graph.thresholds
            for metric in threshold.metrics
        )
        self.levels: list[LevelPart] = []
        self.steps: list[SearchStep] = []
        self.found: list[Sustainable] = []
        self.arrivals: list[ArrivalCounts] = []
        self._arrived: dict[str, ArrivalCounts] = {}
        self._lateness: dict[str, Histogram] = {}
        self._failing: tuple[FailingSample, ...] = ()
        self._own_work, self._apart_work = phases_of_own_work(graph), phases_apart(graph)
        self._foreign = frozenset(phase.name for phase in graph.phases if phase.load.is_foreign)
        self._apart = frozenset(phase.name for phase in graph.phases if phase.load.is_search)
        self._gates = tuple(gate_of(threshold) for threshold in graph.thresholds)
        self._evidence = self._evidence_of(())
        self._outage, self._stalls, self._unreachable_ns = Outage(), StallWatch(), 0
        self.notices, self.tool_faults = list[str](), list[str]()
        self._workers, self._start_spread_ns = 1, 0
        self._links: Sequence[WorkerState] = ()
        self._began_apart: BeginsApart | None = None

    def add(self, drained: Drained, measured: tuple[MeasuredTime, ...]) -> None:
        """Take in one interval.

        Args:
            drained: What all workers sent for it.
            measured: What has counted as measured time at its end.
        """
        snapshot = drained.snapshot
        self.total.add(snapshot)
        length_ns = snapshot.end_ns - snapshot.start_ns
        if length_ns or snapshot.deltas:
            self._history.add(snapshot)
            self._requests.add(snapshot)
            self._running.add(snapshot)
            self._components.add(snapshot)
        self._add_health(drained, measured)
        self._counters = drained.counters
        self._add_arrivals(drained.arrivals)
        if drained.failing:
            self._failing = first_of_each((*self._failing, *drained.failing))
        for phase, lateness in drained.lateness.items():
            self._lateness.setdefault(phase, Histogram()).merge(lateness)
        self._evidence = self._evidence_of(measured)
        for gate in self._gates:
            gate.add(snapshot, self._evidence)
        for level in self.levels:
            evidence = self.evidence_of(level)
            for gate in level.gates:
                gate.add(snapshot, evidence)
        self._unreachable_ns = self._outage.add(snapshot)
        self._stalls.add(snapshot)

    def _add_health(self, drained: Drained, measured: tuple[MeasuredTime, ...]) -> None:
        parts = self._short = [*self._short, drained]
        start_ns, end_ns = parts[0].snapshot.start_ns, drained.snapshot.end_ns
        if end_ns - start_ns < _SHORT_NS:
            return
        self._short = []
        health = health_of(parts)
        is_on_time = _are_on_time([counts for part in parts for counts in part.arrivals])
        middle_ns = (start_ns + end_ns) // 2
        logs = (
            level.health
            for level in self.levels
            if any(time.start_ns <= middle_ns < time.end_ns for time in _of_level(measured, level))
        )
        requests, latency_ns = _answered((part.snapshot for part in parts), self._foreign)
        # A function that takes the processor is what is measured, and not a busy generator.
        running = {time.phase for time in measured if time.start_ns <= middle_ns < time.end_ns}
        is_measured = not running <= self._own_work
        if running and running <= self._apart_work:
            requests = 0  # that have the generator's waits in them
        for log in (self._health, *logs):
            log.add(end_ns, health, is_on_time=is_on_time, is_measured=is_measured)
            log.starvation.add(
                health.waits, end_ns - start_ns, requests, latency_ns, reads_replies=is_measured
            )

    def _add_arrivals(self, new: Sequence[ArrivalCounts]) -> None:
        is_late = bool(self.arrivals and new) and new[0].at_ns < self.arrivals[-1].at_ns
        self.arrivals += new
        for counts in new:
            before = self._arrived.get(counts.phase)
            self._arrived[counts.phase] = counts if before is None else before.then(counts)
        if is_late:  # overdue ones of one phase, after those of another
            self.arrivals.sort(key=lambda counts: counts.at_ns)

    def evidence_of(self, level: LevelPart) -> Evidence:
        """Return what is known of one level of a search."""
        return replace(
            self._evidence,
            series={
                labels: total
                for labels, total in self.total.totals.items()
                if labels.phase == level.phase and labels.stage == level.stage
            },
            measured=_of_level(self._evidence.measured, level),
        )

    def totals_of(self, level: LevelPart) -> Totals:
        """Return the requests of one level of a search in numbers."""
        whole = Accumulated()
        whole.totals.update(self.evidence_of(level).series)  # type: ignore[arg-type]  # totals
        return make_totals(whole, _of_level(self._evidence.measured, level))

    def aborted_in(self, level: LevelPart) -> int:
        """Return how many requests of a level the end of its graceful stop cut."""
        return sum(
            total.count
            for labels, total in self.total.totals.items()
            if labels.phase == level.phase
            and labels.stage == level.stage
            and labels.failure == ABORTED
            and labels.kind == "request"
        )

    def unreachable(self) -> str | None:
        """Say so when no connection was accepted for so long that the run must end."""
        if self._unreachable_ns < UNREACHABLE_AFTER_NS:
            return None
        lasted = format_duration(self._unreachable_ns)
        return f"no request reached the target for {lasted}: {self._outage}"

    def standings(self) -> tuple[Standing, ...]:
        """Return how each threshold stands now."""
        mask = Masker(self._graph.secrets)
        standings = ((gate.threshold, gate.standing(self._evidence)) for gate in self._gates)
        return tuple(
            Standing(
                mask(one.text),
                now.verdict,
                mask(now.observed),
                one.pair,
                mask(now.limit),
                now.amount,
                now.limit_amount,
            )
            for one, now in standings
        )

    def insight(self, pool: WorkerPool) -> Insight:
        """Return what may be known of the run while it goes on."""
        return Insight(
            standings=self.standings,
            doubts=lambda: self._doubts_so_far(pool),
            failing=lambda: self._failing,
            workers=pool.standings,
            arrivals=self._arrived,
            gauges=self._gauges,
        )

    def _doubts_so_far(self, pool: WorkerPool) -> tuple[str, ...]:
        """Return what may be said of the generator before the run is over."""
        doubts = Doubts(biased=[*losses_so_far(pool.standings())])
        doubts_of_health(doubts, self._health, self._counters)
        doubts_of_starvation(doubts, self._health.starvation, self._graph)
        doubts_of_generator(doubts, self._health.facts())
        return (*doubts.invalid, *doubts.biased)

    def next_end_ns(self, now_ns: int) -> int | None:
        """Return when a threshold that may abort the run is next to be looked at."""
        ends = (gate.next_end_ns(self._evidence, now_ns) for gate in self._gates)
        return min((end_ns for end_ns in ends if end_ns is not None), default=None)

    def broken(self) -> str | None:
        """Name the first threshold that says the run must end now."""
        for gate in self._gates:
            if (broken := gate.check(self._evidence)) is not None:
                return f"`{gate.threshold}` is broken: {broken.observed}"
        return None

    def notice_pool(self, pool: WorkerPool) -> None:
        """Add what only the workers know at the end of the run."""
        self._workers, self._start_spread_ns = pool.size, pool.start_spread_ns
        self._links, self._began_apart = pool.links, pool.apart
        self.notices += pool_notices(pool)

    def outcome(
        self,
        run_id: str,
        *,
        stop: Stop,
        ended_ns: int,
        phases: tuple[PhaseTimes, ...],
        changes: Sequence[ChangedLoad],
    ) -> RunOutcome:
        loads = phase_loads(
            self._graph,
            phases,
            counters=self._counters,
            arrivals=self.arrivals,
            lateness=self._lateness,
        )
        spans = {phase.name: (phase.begin_ns, phase.gone_ns) for phase in phases}
        hosts = host_figures(self._graph, self._links, spans, started_ns=self._started_ns)
        doubts = self._doubts(after_warmup(loads, self.arrivals, self._evidence.measured), hosts)
        doubts_of_hands(doubts, changes, started_ns=self._started_ns)
        return RunOutcome(
            run_id=run_id,
            seed=self._graph.seed,
            started_ns=self._started_ns,
            ended_ns=ended_ns,
            ending=stop.ending,
            reason=stop.reason,
            workers=self._workers,
            start_spread_ns=self._start_spread_ns,
            hosts=hosts,
            total=self.total,
            history=self._history,
            requests=self._requests,
            running=self._running,
            components=self._components,
            phases=phases,
            counters=self._counters,
            task_counts=task_counts(self._graph, self._counters, self._runs()),
            health=self._health,
            evidence=self._evidence,
            gates=self._gates,
            biased=tuple(doubts.biased),
            invalid=tuple(doubts.invalid),
            loads=loads,
            changes=load_changes(changes, self._started_ns),
            found=tuple(self.found),
            steps=tuple(self.steps),
            failing=self._failing,
            notices=(
                *(search.text for search in self.found),
                *self.notices,
                *idle_notices(
                    self._graph, [phase.name for phase in phases], self._counters, self._runs()
                ),
                *counter_notices(self._counters),
                *filter(None, [self._health.starvation.unknown()]),
                *stall_notices(loads, self._stalls.longest, started_ns=self._started_ns),
            ),
        )

    def _doubts(self, loads: Sequence[PhaseLoad], hosts: Sequence[HostFigures]) -> Doubts:
        doubts = Doubts(
            biased=[
                *start_failures(self._counters),
                *quits(self._counters),
                *overtime(self._counters),
                *self.tool_faults,
            ]
        )
        doubts_of_workers(doubts, hosts)
        doubts_of_clocks(doubts, hosts, self._began_apart)
        doubts_of_health(doubts, self._health, self._counters)
        doubts_of_starvation(doubts, self._health.starvation, self._graph)
        doubts_of_loads(doubts, loads)
        doubts_of_searches(doubts, self.found)
        doubts_of_generator(doubts, self._health.facts())
        doubts_of_clients(doubts, self._counters)
        doubts_of_mix(doubts, task_counts(self._graph, self._counters, self._runs()))
        return doubts

    def _runs(self) -> Counter[TaskKey]:
        """Return how many iterations of each task began in measured time, cut ones included."""
        runs: Counter[TaskKey] = Counter()
        for labels, total in self.total.totals.items():
            if labels.kind == "iteration" and not labels.warmup:
                runs[labels.phase, labels.user, labels.task] += total.count
        return runs

    def _evidence_of(self, measured: tuple[MeasuredTime, ...]) -> Evidence:
        programs = {
            (phase.name, program.name): program
            for phase in self._graph.phases
            for program in self._graph.programs_of(phase)
        }
        runs, counters = self._runs(), self._counters
        return Evidence(
            series=self.total.totals,
            measured=measured,
            gauges={
                **(self._health.gauges() if self._asks_generator else {}),
                **self._gauges,
            },
            arrivals=self.arrivals,
            sustainable={search.phase: search.level for search in self.found if search.is_found},
            apart=self._apart,
            baseline=self._baseline,
            # Tasks that never ran too: they are the greatest part of a wrong mix.
            task_runs=[
                TaskRuns(
                    phase,
                    user,
                    task.name,
                    task.weight,
                    runs[key],
                    counters.skips[key] + counters.substitutions[key],
                    counters.gained.get(key, 0.0),
                )
                for phase, user in counters.started
                for task in programs[phase, user].tasks
                for key in ((phase, user, task.name),)
            ],
        )


def _are_on_time(arrivals: Sequence[ArrivalCounts]) -> bool:
    """Whether iterations were due, and at most one in a hundred was late."""
    due = sum(counts.due for counts in arrivals)
    return due > 0 and sum(counts.late for counts in arrivals) <= due // 100


def _answered(snapshots: Iterable[Snapshot], foreign: Container[str]) -> tuple[int, float]:
    """Return how many requests are results, and the sum of their latencies in nanoseconds.

    Those of other tools' phases are left out: nothing here is on their way.
    """
    latencies = [
        delta.latency
        for snapshot in snapshots
        for labels, delta in snapshot.deltas.items()
        if labels.is_timed_request and labels.phase not in foreign
    ]
    count = sum(latency.count for latency in latencies)
    return count, sum(latency.count * latency.mean for latency in latencies)


def _of_level(measured: Sequence[MeasuredTime], level: LevelPart) -> tuple[MeasuredTime, ...]:
    return tuple(
        time for time in measured if time.phase == level.phase and time.stage == level.stage
    )

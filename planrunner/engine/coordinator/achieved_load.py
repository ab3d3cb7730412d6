"""What phases and task mixes asked for and what they got: from the graph and what was counted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TypeVar

from planrunner.engine.coordinator.outcome import PhaseTimes
from planrunner.engine.recording.counters import Counters, TaskKey
from planrunner.engine.steering import ChangedLoad, level_words
from planrunner.graph.loads import PhaseCounts
from planrunner.graph.run_graph import PhaseNode, Renewal, RunGraph, UserProgram
from planrunner.metrics.histogram import Histogram
from planrunner.metrics.judging.evidence import ArrivalCounts
from planrunner.metrics.judging.measured import MeasuredTime
from planrunner.results.aggregate import TaskCount
from planrunner.results.loads import LoadChange, PhaseLoad

__all__ = ["after_warmup", "load_changes", "phase_loads", "task_counts"]

_Amount = TypeVar("_Amount", int, float)


def phase_loads(
    graph: RunGraph,
    times: Iterable[PhaseTimes],
    *,
    counters: Counters,
    arrivals: Iterable[ArrivalCounts],
    lateness: Mapping[str, Histogram],
) -> tuple[PhaseLoad, ...]:
    """Return the load of every phase that began, in the order in which they ended."""
    nodes = {phase.name: phase for phase in graph.phases}
    by_phase: dict[str, list[ArrivalCounts]] = {}
    for counts in arrivals:
        by_phase.setdefault(counts.phase, []).append(counts)
    return tuple(
        _load(
            nodes[time.name], time, counters, by_phase.get(time.name, []), lateness.get(time.name)
        )
        for time in times
        if time.name in nodes and not nodes[time.name].load.is_foreign
    )


def after_warmup(
    loads: Iterable[PhaseLoad],
    arrivals: Iterable[ArrivalCounts],
    measured: Iterable[MeasuredTime],
) -> tuple[PhaseLoad, ...]:
    """Return the loads without the arrivals of warm-ups, whose latencies are in no number."""
    begins: dict[str, int] = {}
    for part in measured:
        begins[part.phase] = min(begins.get(part.phase, part.start_ns), part.start_ns)
    warm: dict[str, list[ArrivalCounts]] = {}
    for counts in arrivals:
        if counts.phase not in begins or counts.at_ns < begins[counts.phase]:
            warm.setdefault(counts.phase, []).append(counts)
    return tuple(
        replace(
            load,
            requested=load.requested - sum(counts.due for counts in warm.get(load.phase, ())),
            achieved=load.achieved - sum(counts.started for counts in warm.get(load.phase, ())),
            dropped=load.dropped - sum(counts.dropped for counts in warm.get(load.phase, ())),
            late=load.late - sum(counts.late for counts in warm.get(load.phase, ())),
        )
        for load in loads
    )


def _load(
    phase: PhaseNode,
    time: PhaseTimes,
    counters: Counters,
    arrivals: list[ArrivalCounts],
    lateness: Histogram | None,
) -> PhaseLoad:
    if time.steered_ns is not None:  # the plan asked for nothing of what came then
        arrivals = [counts for counts in arrivals if counts.at_ns < time.steered_ns]
    achieved = phase.load.achieved(_counts(phase.name, time, counters, arrivals))
    return PhaseLoad(
        phase=phase.name,
        model=phase.load.kind,
        unit=achieved.unit,
        requested=achieved.requested,
        achieved=achieved.achieved,
        dropped=sum(counts.dropped for counts in arrivals),
        late=sum(counts.late for counts in arrivals),
        lateness_p99_ns=lateness.percentile(99) if lateness is not None and lateness.count else 0,
        lateness_max_ns=lateness.max if lateness is not None and lateness.count else 0,
        is_paced=bool(arrivals),
    )


def _counts(
    phase: str, time: PhaseTimes, counters: Counters, arrivals: list[ArrivalCounts]
) -> PhaseCounts:
    return PhaseCounts(
        lasted_ns=(time.steered_ns or time.end_ns) - time.begin_ns,
        is_paced=bool(arrivals),
        due=sum(counts.due for counts in arrivals),
        started=sum(counts.started for counts in arrivals),
        begun=_sum_of(counters.picks.items(), phase),
        users=_sum_of(counters.started.items(), phase),
        failed_starts=counters.failed_starts(phase),
    )


def load_changes(changes: Iterable[ChangedLoad], started_ns: int) -> tuple[LoadChange, ...]:
    """Return what was changed by hand as results have it."""
    return tuple(
        LoadChange(
            one.phase, one.at_ns - started_ns, level_words(one.before), level_words(one.after)
        )
        for one in changes
    )


def _sum_of(counts: Iterable[tuple[tuple[str, ...], int]], phase: str) -> int:
    return sum(count for key, count in counts if key[0] == phase)


def task_counts(
    graph: RunGraph, counters: Counters, runs: Mapping[TaskKey, int]
) -> tuple[TaskCount, ...]:
    """Return what became of each task's picks, over all phases.

    Args:
        graph: What ran.
        counters: Of the whole run.
        runs: How many iterations of each task began in measured time.
    """
    ran, gained = _by_task(runs), _by_task(counters.gained)
    skips, substitutions = _by_task(counters.skips), _by_task(counters.substitutions)
    return tuple(
        TaskCount(
            program.name,
            task.name,
            task.weight,
            ran.get((program.name, task.name), 0),
            skipped=skips.get((program.name, task.name), 0),
            substituted=substitutions.get((program.name, task.name), 0),
            gained=gained.get((program.name, task.name), 0.0),
            share=share,
        )
        for program in graph.users
        for task, share in zip(program.tasks, _declared(graph, program), strict=True)
        if any(name == program.name for _, name in counters.started)
    )


def _declared(graph: RunGraph, program: UserProgram) -> tuple[float | None, ...]:
    """Return the share of picks that each task of a class should have; None for that by weight."""
    phases = [phase for phase in graph.phases if program.name in phase.classes]
    chained = [phase for phase in phases if program.renewal(phase.load) is Renewal.NOTHING]
    if not program.is_chained or not chained:
        return (None,) * len(program.tasks)
    return program.task_shares()


def _by_task(amounts: Mapping[TaskKey, _Amount]) -> Mapping[tuple[str, str], _Amount]:
    summed: dict[tuple[str, str], _Amount] = {}
    for (_, user_class, task), amount in amounts.items():
        before = summed.get((user_class, task))
        summed[user_class, task] = amount if before is None else before + amount
    return summed

"""What each phase asked for and what it got: from the graph and from what workers counted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from planrunner.engine.coordinator.outcome import PhaseTimes
from planrunner.engine.recording.counters import Counters
from planrunner.graph.run_graph import ClosedLoad, CountedLoad, OpenLoad, PhaseNode, RunGraph
from planrunner.load.arrivals import ArrivalSchedule as Schedule
from planrunner.load.population import users_at
from planrunner.metrics.histogram import Histogram
from planrunner.metrics.judging.evidence import ArrivalCounts
from planrunner.results.loads import PhaseLoad

__all__ = ["phase_loads"]


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
    counted: dict[str, list[ArrivalCounts]] = {}
    for one in arrivals:
        counted.setdefault(one.phase, []).append(one)
    return tuple(
        _load(nodes[time.name], time, counters, counted.get(time.name, []), lateness.get(time.name))
        for time in times
        if time.name in nodes
    )


def _load(
    phase: PhaseNode,
    time: PhaseTimes,
    counters: Counters,
    arrivals: list[ArrivalCounts],
    lateness: Histogram | None,
) -> PhaseLoad:
    model, unit, requested, achieved = _counts(phase, time, counters, arrivals)
    return PhaseLoad(
        phase=phase.name,
        model=model,
        unit=unit,
        requested=requested,
        achieved=achieved,
        dropped=sum(one.dropped for one in arrivals),
        late=sum(one.late for one in arrivals),
        lateness_p99_ns=lateness.percentile(99) if lateness is not None and lateness.count else 0,
        lateness_max_ns=lateness.max if lateness is not None and lateness.count else 0,
        is_paced=bool(arrivals),
    )


def _counts(
    phase: PhaseNode, time: PhaseTimes, counters: Counters, arrivals: list[ArrivalCounts]
) -> tuple[str, str, int, int]:
    """Return the model, what is counted, how many were asked for, and how many there were."""
    load, lasted_ns = phase.load, time.end_ns - time.begin_ns
    started = sum(one.started for one in arrivals)
    if isinstance(load, OpenLoad):
        due = sum(one.due for one in arrivals)
        if not load.exact and load.arrivals == "uniform":
            due = max(due, Schedule(load.stages).count_before(lasted_ns))
        return "open", "arrivals", due, started
    if isinstance(load, CountedLoad):
        return "counted", "iterations", load.total, _sum_of(counters.picks.items(), phase.name)
    if isinstance(load, ClosedLoad):
        if arrivals:
            return "closed", "iterations", sum(one.due for one in arrivals), started
        peak = max(users_at(load.stages, moment) for moment in _moments(load, lasted_ns))
        users = _sum_of(counters.started.items(), phase.name)
        failed = counters.failed_starts(phase.name)
        return "closed", "users", peak, min(peak, users) - failed
    return "search", "iterations", sum(one.due for one in arrivals), started


def _moments(load: ClosedLoad, lasted_ns: int) -> Iterator[int]:
    moment = 0
    yield 0
    for _, duration_ns in load.spans:
        moment = min(moment + duration_ns, lasted_ns)
        yield moment


def _sum_of(counts: Iterable[tuple[tuple[str, ...], int]], phase: str) -> int:
    return sum(count for key, count in counts if key[0] == phase)

"""What of a run's load a worker would have had: the arithmetic by which it is shared out."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from planrunner.engine.workers.assignment import users_by_worker
from planrunner.graph.run_graph import PhaseNode, RunGraph
from planrunner.results.record.hosts import MissingLoad
from planrunner.schedule.partition import WorkerShare
from planrunner.schedule.sharing import taking_arrivals
from planrunner.units import NS_PER_S, Rate

__all__ = ["missing_load"]


def missing_load(
    graph: RunGraph, phase: PhaseNode, share: WorkerShare, from_ns: int
) -> Iterator[MissingLoad]:
    """Yield what a worker's share of a phase is, class by class; nothing of a search.

    Args:
        graph: What runs.
        phase: One of its phases.
        share: Of the worker.
        from_ns: Since when that is missing, from the run's start.
    """
    if phase.load.is_search:
        return
    if phase.load.has_due_times:
        yield from _arrivals(graph, phase, share, from_ns)
    else:
        for name in phase.classes:
            users = users_by_worker(graph, phase, share.workers, {name})
            if users[share.worker]:
                mine, whole = users[share.worker], sum(users)
                yield MissingLoad(phase.name, name, from_ns, "users", float(mine), float(whole))


def _arrivals(
    graph: RunGraph, phase: PhaseNode, share: WorkerShare, from_ns: int
) -> Iterator[MissingLoad]:
    taking = taking_arrivals(share, phase.load.most_users)
    if taking is None:
        return
    for name, rate in _rates(graph, phase):
        if rate:
            missing = float(rate / taking.workers)
            yield MissingLoad(phase.name, name, from_ns, "arrivals/s", missing, float(rate))


def _rates(graph: RunGraph, phase: PhaseNode) -> list[tuple[str, Fraction]]:
    """Return the highest rate of each class, per second."""
    load = phase.load
    exact = [(name, rate) for name, rate in load.exact if isinstance(rate, Rate)]
    if exact:
        return [(name, Fraction(rate.count * NS_PER_S, rate.per_ns)) for name, rate in exact]
    weights = {program.name: program.weight for program in graph.programs_of(phase)}
    whole = sum(weights.values())
    return [(name, load.peak_rate * weight / whole) for name, weight in weights.items()]

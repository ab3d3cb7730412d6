"""What of a run falls to each of several workers; all of them come to the same answer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Container, Mapping
from itertools import count

from planrunner.engine.stop import Among
from planrunner.graph.run_graph import PhaseNode, RunGraph
from planrunner.schedule.partition import WorkerShare
from planrunner.schedule.sharing import owned_iterations, seat_owners, share_of, share_of_rate
from planrunner.units import Rate

__all__ = ["held_rows", "iteration_numbers", "throttle_of", "users_by_worker", "who_shares"]


def _seats(graph: RunGraph, phase: PhaseNode) -> tuple[str, ...]:
    programs = {program.name: program for program in graph.programs_of(phase)}
    return phase.class_of_seats(programs[name] for name in phase.classes)


def users_by_worker(
    graph: RunGraph, phase: PhaseNode, workers: int, classes: Container[str]
) -> list[int]:
    """Return the most users of `classes` that each worker has at once in a phase."""
    load = phase.load
    if load.has_due_times:
        takes_part = any(name in classes for name in phase.classes)
        most = load.most_users if takes_part else 0
        return [share_of(most, WorkerShare(worker, workers)) for worker in range(workers)]
    seats = _seats(graph, phase)
    owned = Counter(
        owner
        for name, owner in zip(seats, seat_owners(seats, workers), strict=True)
        if name in classes
    )
    return [owned[worker] for worker in range(workers)]


def held_rows(graph: RunGraph, workers: int) -> Mapping[str, tuple[int, ...]]:
    """Return how many rows of each data source each worker's users can hold at once."""
    return {
        node.key: _most_at_once(graph, workers, node.key)
        for node in graph.data
        if workers > 1 and node.is_held
    }


def _most_at_once(graph: RunGraph, workers: int, source: str) -> tuple[int, ...]:
    in_turn, in_parallel = [0] * workers, [0] * workers
    for phase in graph.phases:
        drawing = {item.name for item in graph.programs_of(phase) if source in item.data}
        for worker, users in enumerate(users_by_worker(graph, phase, workers, drawing)):
            if phase.start_at_ns is None:
                in_turn[worker] = max(in_turn[worker], users)
            else:
                in_parallel[worker] += users
    return tuple(map(sum, zip(in_turn, in_parallel, strict=True)))


def who_shares(graph: RunGraph, workers: int, among: Among) -> frozenset[int]:
    """Return the workers that have any users in the phase, or any that draw from the source."""
    kind, name = among
    sharing: set[int] = set()
    for phase in graph.phases:
        if kind == "users":
            classes = set(phase.classes) if phase.name == name else set()
        else:
            classes = {item.name for item in graph.programs_of(phase) if name in item.data}
        users = users_by_worker(graph, phase, workers, classes)
        sharing |= {worker for worker, number in enumerate(users) if number}
    return frozenset(sharing)


def iteration_numbers(graph: RunGraph, phase: PhaseNode, share: WorkerShare) -> Callable[[], int]:
    """Return what numbers the iterations of a worker: no two of a phase have the same number."""
    shared = phase.load.shared_iterations
    if share.workers > 1 and shared:
        owners = seat_owners(_seats(graph, phase), share.workers)
        return owned_iterations(owners, shared, share.worker).__next__
    return count(share.worker, share.workers).__next__


def throttle_of(graph: RunGraph, phase: PhaseNode, share: WorkerShare) -> Rate | None:
    """Return the cap on a worker's requests; None for none."""
    throttle = phase.load.throttle
    if throttle is None:
        return None
    owners = seat_owners(_seats(graph, phase), share.workers)
    return share_of_rate(throttle, owners, share.worker)

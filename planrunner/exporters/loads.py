"""How many users of each class a phase has, and when: the split is the engine's own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from fractions import Fraction

from planrunner.graph.run_graph import ClosedLoad, CountedLoad, OpenLoad, PhaseNode, RunGraph
from planrunner.schedule.population import Stage
from planrunner.units import NS_PER_S

__all__ = ["class_rates", "class_stages", "starts_ns", "users_of_class"]


def users_of_class(graph: RunGraph, phase: PhaseNode, level: int) -> Mapping[str, int]:
    """Return how many users each class has when there are so many in all."""
    return Counter(phase.class_of_seats(graph.programs_of(phase))[:level])


def class_stages(graph: RunGraph, phase: PhaseNode) -> Mapping[str, Sequence[Stage]]:
    """Return the stages of each class of a phase that has users."""
    load = phase.load
    assert isinstance(load, ClosedLoad | CountedLoad)
    found: dict[str, list[Stage]] = {name: [] for name in phase.classes}
    for stage in load.population:
        users = users_of_class(graph, phase, stage.level)
        for name, stages in found.items():
            stages.append(Stage(stage.name, stage.duration_ns, users.get(name, 0)))
    return {name: stages for name, stages in found.items() if any(one.level for one in stages)}


def class_rates(graph: RunGraph, phase: PhaseNode) -> Mapping[str, Sequence[tuple[int, Fraction]]]:
    """Return the stages of each class of a phase with arrivals: ns, and arrivals a second."""
    load = phase.load
    assert isinstance(load, OpenLoad)
    if load.exact:
        lasting = sum(stage.duration_ns for stage in load.stages)
        return {
            name: [
                (0, _per_second(rate.count, rate.per_ns)),
                (lasting, _per_second(rate.count, rate.per_ns)),
            ]
            for name, rate in load.exact
            if rate.count
        }
    programs = graph.programs_of(phase)
    whole = sum(program.weight for program in programs)
    return {
        program.name: [
            (
                stage.duration_ns,
                _per_second(stage.rate.count, stage.rate.per_ns) * Fraction(program.weight, whole),
            )
            for stage in load.stages
        ]
        for program in programs
    }


def starts_ns(phases: Sequence[PhaseNode]) -> Sequence[int]:
    """Return when each phase begins, if none takes longer than planned."""
    found, at_ns = [], 0
    for phase in phases:
        found.append(at_ns if phase.start_at_ns is None else phase.start_at_ns)
        if phase.start_at_ns is None:
            at_ns += phase.load.planned_ns
    return found


def _per_second(count: int, per_ns: int) -> Fraction:
    return Fraction(count * NS_PER_S, per_ns)

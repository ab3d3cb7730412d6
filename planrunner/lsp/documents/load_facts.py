"""What the compiler says of phases and classes: who runs, how many, how long."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Final

from planrunner.compiler import compile_plan
from planrunner.compiler.load.selection import PlanSelection
from planrunner.graph.run_graph import PhaseNode, RunGraph
from planrunner.language.diagnostics import PlanError
from planrunner.lsp.documents.view import PlanView
from planrunner.lsp.names.kinds import NameKind
from planrunner.plan.yaml.document import PlanPath
from planrunner.units import format_count, write_duration, write_milliseconds

__all__ = [
    "MAIN",
    "class_share",
    "end_words",
    "in_profile",
    "phase_at",
    "phase_named",
    "phase_words",
    "split_words",
    "stage_ends_ns",
    "task_share",
]

MAIN: Final = "main"
"""What an unnamed phase is called."""


def in_profile(view: PlanView, name: str) -> PlanView:
    """Return the view where a profile runs; nothing is compiled where it can't be."""
    plan, graph = view.facts.plan, None
    if plan is not None:
        with suppress(PlanError):
            graph = compile_plan(plan, selection=PlanSelection(profile=name))
    return replace(view, facts=replace(view.facts, graph=graph))


def phase_at(view: PlanView, path: PlanPath) -> PhaseNode | None:
    """Return the compiled phase of a place; None where it doesn't run by default."""
    graph = view.facts.graph
    if graph is None:
        return None
    depth = {"phases": 2, "profiles": 3, "stages": 1}.get(str(path[0]) if path else "")
    if depth is None or len(path) < depth:
        return None
    names = view.reading.names
    found = (
        one.name
        for one in names
        if one.kind is NameKind.PHASE and one.is_definition and one.path[:depth] == path[:depth]
    )
    return phase_named(graph, next(found, MAIN))


def phase_named(graph: RunGraph, name: str) -> PhaseNode | None:
    """Return a phase, or the first one of its matrix."""
    return next((one for one in graph.phases if name in (one.name, one.matrix)), None)


def phase_words(graph: RunGraph, phase: PhaseNode) -> Iterator[str]:
    """Yield what a phase does, in a few lines."""
    yield from phase.load.words()
    if phase.load.planned_ns and not phase.load.is_counted:
        yield f"lasts {write_milliseconds(phase.load.planned_ns)}"
    if split := split_words(graph, phase):
        yield split


def split_words(graph: RunGraph, phase: PhaseNode) -> str:
    """Return how the users of a phase are split: `30 users: 24 Browser, 6 Buyer`."""
    seats = Counter(phase.class_of_seats(graph.programs_of(phase)))
    if not seats:
        return ""
    shown = ", ".join(f"{seats[name]} {name}" for name in phase.classes if seats[name])
    return f"{format_count(seats.total(), 'user')}: {shown}"


def class_share(graph: RunGraph, name: str) -> str:
    """Return which share of the users a class has; empty where its weight decides nothing."""
    program = next((one for one in graph.users if one.name == name), None)
    is_split = any(name in one.classes and not one.load.exact for one in graph.phases)
    if program is None or program.count is not None or not is_split:
        return ""
    total = sum(one.weight for one in graph.users if one.count is None)
    return f"{program.weight / total:.0%} of users" if total else ""


def task_share(graph: RunGraph, owner: str, name: str) -> str:
    """Return how often a class picks a task, by its weight."""
    program = next((one for one in graph.users if one.name == owner), None)
    task = next((one for one in program.tasks if one.name == name), None) if program else None
    if program is None or task is None or len(program.tasks) < 2:
        return ""
    total = sum(one.weight for one in program.tasks)
    return f"{task.weight / total:.0%} of picks" if total else ""


def stage_ends_ns(phase: PhaseNode) -> list[int]:
    """Return when each stage ends, from the start of the phase."""
    ends, at = [], 0
    for _, lasts_ns in phase.load.spans:
        at += lasts_ns
        ends.append(at)
    return ends


def end_words(end_ns: int) -> str:
    return f"ends at {write_duration(end_ns)}" if end_ns else "a jump"

"""The most requests that a plan can send: never fewer than happen, whatever the draws are.

A failed step that is no request ends its iteration and is counted as one, so it is part of this.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import takewhile
from math import ceil
from typing import Final

from planrunner.graph.run_graph import (
    CallNode,
    ChooseNode,
    ForeachNode,
    FunctionNode,
    GroupNode,
    IfNode,
    ParallelNode,
    PhaseNode,
    PollNode,
    RepeatNode,
    RequestNode,
    RunGraph,
    StepNode,
    SwitchNode,
    TaskProgram,
    ThinkNode,
    UserProgram,
    WhileNode,
    nested_steps,
)
from planrunner.schedule.pauses import Pause, PauseKind
from planrunner.units import NS_PER_S
from planrunner.values import dataclass

__all__ = ["most_requests"]

_MOST_COUNTED: Final = 10**12
"""Nobody wants to read a larger bound."""


@dataclass(frozen=True, slots=True)
class PassBounds:
    """One iteration.

    Attributes:
        requests: The most that it sends.
        pause_ns: The least from its begin to that of the user's next one, if replies take no time.
        can_fail: Whether a step that is no request may fail.
    """

    requests: int
    pause_ns: float
    can_fail: bool


def most_requests(graph: RunGraph) -> int | None:
    """Return the most requests of the whole run; None where only the target limits them."""
    phases = [_of_phase(graph, phase) for phase in graph.phases]
    if any(count is None for count in phases):
        return None
    whole = sum(count for count in phases if count is not None)
    return whole if whole <= _MOST_COUNTED else None


def _of_phase(graph: RunGraph, phase: PhaseNode) -> int | None:
    passes = [_of_class(program) for program in graph.programs_of(phase)]
    if not passes or any(one is None for one in passes):
        return None
    known = [one for one in passes if one is not None]
    requests = max(one.requests for one in known)
    most = phase.load.most_iterations(min(one.pause_ns for one in known))
    limits = [] if most is None else [most * requests]
    if phase.load.throttle is not None:
        turns = ceil(phase.load.throttle.per_second * phase.load.planned_ns / NS_PER_S) + 1
        # Steps that fail take no turn, but an iteration that takes none may fail without an end.
        if not any(one.can_fail for one in known):
            limits.append(turns)
    return min(limits, default=None)


def _of_class(program: UserProgram) -> PassBounds | None:
    tasks = [_of_task(task) for task in program.tasks]
    if any(one is None for one in tasks):
        return None
    known = [one for one in tasks if one is not None]
    pause_ns = min(one.pause_ns for one in known) + _least_ns(program.wait)
    return PassBounds(
        max(one.requests for one in known),
        max(pause_ns, program.pace_ns),
        any(one.can_fail for one in known),
    )


def _of_task(task: TaskProgram) -> PassBounds | None:
    requests = _most(task.steps)
    if requests is None:
        return None
    # What fails and is no request is one sample more. Whatever it is, it may end the iteration, so
    # that only the pauses before it are sure.
    can_fail = task.needs is not None or any(map(_can_fail, task.steps))
    pause_ns = sum(_lead_ns(task.steps))
    return PassBounds(requests + can_fail, min(pause_ns, task.timeout_ns or pause_ns), can_fail)


def _can_fail(step: StepNode) -> bool:
    """Whether a step that is no request may fail, itself or inside."""
    if isinstance(step, RequestNode) and step.is_silent:
        return True
    if isinstance(step, ThinkNode | RequestNode | GroupNode | CallNode) and step.when is None:
        return any(map(_can_fail, (one for _, inner in nested_steps(step) for one in inner)))
    return True


def _lead_ns(steps: Iterable[StepNode]) -> Iterator[float]:
    """Yield the shortest think times before anything can end the iteration."""
    for step in takewhile(lambda one: isinstance(one, ThinkNode) and one.when is None, steps):
        assert isinstance(step, ThinkNode)
        yield _least_ns(step.pause)


def _most(steps: Sequence[StepNode]) -> int | None:
    """Return the most requests that these steps send; None where the plan sets no limit."""
    whole = 0
    for step in steps:
        found = _most_of(step)
        if found is None or found > _MOST_COUNTED:
            return None
        whole += found
    return whole


def _most_of(step: StepNode) -> int | None:  # noqa: C901, PLR0911, PLR0912 - a table
    match step:
        case RequestNode():
            return int(not step.is_silent)
        case ParallelNode():
            return len(step.requests)
        case PollNode():
            # A reply may take no time at all, and the last attempt begins as the time is over.
            return step.timeout_ns // step.every_ns + 2 if step.every_ns else None
        case IfNode() | ChooseNode() | SwitchNode():
            return _largest([_most(inner) for _, inner in nested_steps(step)])
        case WhileNode():
            return _times(step.most, _most(step.steps))
        case RepeatNode():
            times = int(step.shown) if step.shown.isdecimal() else None
            return _times(times, _most(step.steps))
        case ForeachNode():
            return _times(None, _most(step.steps))
        case GroupNode() | CallNode():
            return _most(step.steps)
        case FunctionNode():
            return None
        case _:
            return None if nested_steps(step) else 0


def _largest(counts: Sequence[int | None]) -> int | None:
    known = [count for count in counts if count is not None]
    return max(known, default=0) if len(known) == len(counts) else None


def _times(times: int | None, each: int | None) -> int | None:
    """Return how many so many rounds send; rounds that send nothing may be any number."""
    if each == 0:
        return 0
    return None if times is None or each is None else times * each


def _least_ns(pause: Pause | None) -> float:
    """Return the shortest that a pause can be."""
    if pause is None or pause.kind in (PauseKind.NORMAL, PauseKind.EXPONENTIAL):
        return 0
    return pause.first

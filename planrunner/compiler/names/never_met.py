"""Conditions of tasks that no step can ever make true."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Final

from planrunner.compiler.names.references import references_in
from planrunner.graph.run_graph import (
    FunctionNode,
    PopNode,
    PushNode,
    RequestNode,
    StepNode,
    walk_steps,
)
from planrunner.language.expressions.expression import Expression
from planrunner.language.expressions.values import Evaluate, EvaluationError
from planrunner.values import dataclass

__all__ = ["TaskNames", "never_met", "written_by"]

_ANYTHING: Final = "*"


@dataclass(frozen=True, slots=True)
class TaskNames:
    """What a task reads before it runs, and writes when it does.

    Attributes:
        condition: Its `needs`, and what evaluates that; None without one.
        written: The names that its steps may change.
    """

    condition: tuple[Expression, Evaluate] | None
    written: AbstractSet[str]


def written_by(steps: Sequence[StepNode], known: AbstractSet[str]) -> AbstractSet[str]:
    """Return the names that steps may change: those that they are known to set, and lists."""
    names = set(known)
    for step in walk_steps(steps):
        match step:
            case PushNode():
                names |= {name for name, _ in step.values}
            case PopNode():
                names.add(step.source)
            case RequestNode() if step.exchange.is_step:
                names.add(_ANYTHING)  # a list that a function gets is the user's own
            case FunctionNode():
                names.add(_ANYTHING)
            case _:
                pass
    return names


def never_met(
    state: Mapping[str, object], tasks: Sequence[TaskNames], elsewhere: AbstractSet[str]
) -> Iterator[tuple[int, list[str]]]:
    """Yield the tasks that can never run, by position, each with the names that keep it from that.

    Only what reads nothing but first values of the state that are written in the plan, and that no
    task that can run changes, is certain. `elsewhere` is what other steps of the class change.
    """
    changed = set(elsewhere)
    left = dict(enumerate(tasks))
    while True:
        can_run = [
            position for position, task in left.items() if not _is_never_met(task, state, changed)
        ]
        if not can_run:
            break
        for position in can_run:
            changed |= left.pop(position).written
    for position, task in left.items():
        yield position, sorted(_roots(task))


def _roots(task: TaskNames) -> set[str]:
    if task.condition is None:
        return set()
    return {reference.root for _, reference in references_in(task.condition[0])}


def _is_never_met(task: TaskNames, state: Mapping[str, object], changed: AbstractSet[str]) -> bool:
    roots = _roots(task)
    if not roots or not roots <= state.keys() or not roots.isdisjoint(changed):
        return False
    if task.condition is None or _ANYTHING in changed:
        return False
    try:
        return not task.condition[1](dict(state))
    except EvaluationError:
        return False

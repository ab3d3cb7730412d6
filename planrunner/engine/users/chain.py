"""Picks of one user that depend on the task that it ran last, as `next` says."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from planrunner.engine.users.bound_task import BoundTask
from planrunner.engine.users.user_context import Actor
from planrunner.graph.run_graph import TaskPick
from planrunner.schedule.weights import PickIndex, balanced_picker, random_picker
from planrunner.values import dataclass

__all__ = ["TaskChain"]


@dataclass(frozen=True, slots=True)
class _Following:
    """What may follow a task.

    Attributes:
        tasks: The positions of the tasks in the class.
        weights: Theirs.
    """

    tasks: tuple[int, ...]
    weights: tuple[int, ...]
    total: int
    pick: PickIndex


class TaskChain:
    """Draws from the tasks that may follow the last one; else from all.

    A pick that comes to nothing leaves the user where it was: the next one is drawn alike.

    Args:
        tasks: The class's tasks, as bound.
        following: For each, those that may follow it by position, with their weights.
        first: Picks among all.
        pick: How positions are drawn.
        actor: The user.

    Attributes:
        tasks: As given; the same ones may be bound anew while the user goes on.
    """

    __slots__ = ("_actor", "_at", "_first", "_following", "tasks")

    def __init__(
        self,
        tasks: Sequence[BoundTask],
        following: Sequence[Sequence[tuple[int, int]]],
        *,
        first: PickIndex,
        pick: TaskPick,
        actor: Actor,
    ) -> None:
        self.tasks = tasks
        self._actor = actor
        self._first = first
        self._at: int | None = None
        picker = balanced_picker if pick is TaskPick.BALANCED else random_picker
        self._following: list[_Following | None] = []
        for pairs in following:
            weights = [weight for _, weight in pairs]
            self._following.append(
                _Following(
                    tuple(position for position, _ in pairs),
                    tuple(weights),
                    sum(weights),
                    picker(weights, actor.rng),
                )
                if pairs
                else None
            )

    def pick(self) -> int:
        """Return the position of the picked task, which runs unless its `needs` refuses it."""
        found = self._from_here()
        if found is None:
            picked = self._first()
        else:
            picked = found.tasks[found.pick()]
            for task, weight in self._weighted(found):
                if task.counts_at(self._actor.moment_ns):
                    task.gained += weight / found.total
        if self.tasks[picked].needs is None:
            self._at = picked
        return picked

    def among(self) -> Sequence[tuple[BoundTask, int]]:
        """Return what may be drawn in the place of a refused pick, each with its weight."""
        found = self._from_here()
        if found is None:
            return [(task, task.weight) for task in self.tasks]
        return list(self._weighted(found))

    def ran(self, task: BoundTask | None) -> None:
        """Note what became of a pick with a condition."""
        if task is not None:
            self._at = self.tasks.index(task)

    def _weighted(self, found: _Following) -> Iterator[tuple[BoundTask, int]]:
        return zip((self.tasks[place] for place in found.tasks), found.weights, strict=True)

    def _from_here(self) -> _Following | None:
        return None if self._at is None else self._following[self._at]

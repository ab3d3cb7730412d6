"""Which share of a class's iterations each task should have had, by weights and what was open."""

from __future__ import annotations

from collections.abc import Sequence

from planrunner.values import dataclass

__all__ = ["TaskPicks", "expected_runs"]


@dataclass(frozen=True, slots=True)
class TaskPicks:
    """What became of the draws of a task.

    Attributes:
        runs: How often it ran, in the place of another task included.
        refused: Draws of it that its `needs` refused.
        gained: What it could expect of others' refusals: its share by weight of each draw that
            followed one, and each run in the place of another task.
    """

    weight: int
    runs: int
    refused: int = 0
    gained: float = 0.0


def expected_runs(tasks: Sequence[TaskPicks]) -> list[float]:
    """Return how many of a class's runs each task should have had.

    Of each draw a task expects its share by weight; what was refused it can't run. So `needs`
    that aren't met, and what `else` says then, are part of what the plan asks for.
    """
    weights = sum(task.weight for task in tasks)
    draws = sum(task.runs + task.refused - task.gained for task in tasks)
    return [max(draws * task.weight / weights + task.gained - task.refused, 0.0) for task in tasks]

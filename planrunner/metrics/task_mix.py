"""Which share of a class's iterations each task should have had, by weights and what was open."""

from __future__ import annotations

from collections.abc import Sequence
from math import pi, sqrt

from planrunner.values import dataclass

__all__ = ["TaskPicks", "chance_error", "expected_runs"]


@dataclass(frozen=True, slots=True)
class TaskPicks:
    """What became of the draws of a task.

    Attributes:
        runs: How often it ran, in the place of another task included.
        refused: Draws of it that its `needs` refused.
        gained: What it could expect beside draws by the class's weights: its share of each draw
            that followed a refusal, or another task as `next` says, and each run in the place of
            another task.
    """

    weight: int
    runs: int
    refused: int = 0
    gained: float = 0.0


def expected_runs(tasks: Sequence[TaskPicks]) -> list[float]:
    """Return how many of a class's runs each task should have had.

    Of each draw a task expects its share by weight; what was refused it can't run. So `needs`
    that aren't met, what `else` says then, and where `next` leads are part of what the plan asks
    for.
    """
    weights = sum(task.weight for task in tasks)
    draws = sum(task.runs + task.refused - task.gained for task in tasks)
    return [max(draws * task.weight / weights + task.gained - task.refused, 0.0) for task in tasks]


def chance_error(tasks: Sequence[TaskPicks]) -> float:
    """Return the mix error, in percent, that drawing has on average.

    The mean deviation of a share p over n draws is sqrt(2 p (1 - p) n / pi) draws; a refused draw
    is one too.
    """
    runs = sum(task.runs for task in tasks)
    draws = runs + sum(task.refused for task in tasks)
    shares = [
        min((expected + task.refused) / draws, 1.0)
        for expected, task in zip(expected_runs(tasks), tasks, strict=True)
    ]
    return 50 / runs * sum(sqrt(2 * share * (1 - share) * draws / pi) for share in shares)

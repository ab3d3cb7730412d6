"""What stands between a picked task and its run: what it needs, and the time it may take."""

from __future__ import annotations

import asyncio
from bisect import bisect
from collections.abc import Callable, Mapping, Sequence
from itertools import accumulate

from planrunner.engine.recording.recorder import SpanRecorder
from planrunner.engine.users.evaluate import note_failure
from planrunner.engine.users.user_context import Actor, Step, TaskTimedOut, run_steps
from planrunner.graph.run_graph import Evaluate, TaskProgram
from planrunner.protocols.base import FailureKind
from planrunner.units import NS_PER_S, format_duration

__all__ = ["BoundTask", "limit_steps", "settle_pick"]


class BoundTask:
    """A task bound to its phase and class, for all users of the class.

    Attributes:
        begun: Iterations of it so far.
        check: Evaluates what it needs.
        spans: Records its iterations.
        skipped: Picks of it that were refused, another pick in their place or none.
        substituted: Picks of it in whose place the task that its `needs` names ran.
        gained: What it could expect of draws by other weights than the class's, see
            `metrics.task_mix`.
        counts_at: Whether what happens at a moment is a result; skipped and later are not
            counted in a warm-up.
    """

    __slots__ = (
        "begun",
        "check",
        "counts_at",
        "gained",
        "name",
        "needs",
        "skipped",
        "spans",
        "steps",
        "substituted",
        "weight",
    )

    def __init__(
        self,
        task: TaskProgram,
        steps: tuple[Step, ...],
        spans: SpanRecorder,
        *,
        check: Callable[[Actor, Evaluate], object],
        counts_at: Callable[[int], bool],
    ) -> None:
        self.name = task.name
        self.weight = task.weight
        self.needs = task.needs
        self.steps = steps
        self.spans = spans
        self.check = check
        self.begun = 0
        self.skipped = 0
        self.substituted = 0
        self.gained = 0.0
        self.counts_at = counts_at


def settle_pick(
    user: Actor,
    picked: BoundTask,
    tasks: Sequence[BoundTask],
    among: Sequence[tuple[BoundTask, int]] | None = None,
) -> BoundTask | None:
    """Return the task that runs for a pick, or None when it is skipped; counts what it does.

    Args:
        user: Whose pick it is.
        picked: The task.
        tasks: Those of the class.
        among: What it was picked from, with weights; None for all tasks by their own.

    Raises:
        IterationEnded: A condition has no value.
    """
    by_name: Mapping[str, BoundTask] = {task.name: task for task in tasks}
    refused: set[str] = set()
    task = picked
    counts = 1 if picked.counts_at(user.moment_ns) else 0
    while (needs := task.needs) is not None and not task.check(user, needs.condition):
        refused.add(task.name)
        match needs.otherwise:
            case "skip":
                picked.skipped += counts
                return None
            case "repick":
                picked.skipped += counts
                choices = [(other, other.weight) for other in tasks] if among is None else among
                left = [choice for choice in choices if choice[0].name not in refused]
                if not left:
                    return None
                task = picked = _draw(user, left, counts)
            case name:
                task = by_name[name]
    if task is not picked:
        picked.substituted += counts
        task.gained += counts
    return task


def _draw(user: Actor, among: Sequence[tuple[BoundTask, int]], counts: int) -> BoundTask:
    bounds = tuple(accumulate(weight for _, weight in among))
    for task, weight in among:
        task.gained += counts * weight / bounds[-1]
    return among[bisect(bounds, user.rng.random() * bounds[-1])][0]


def limit_steps(steps: Sequence[Step], timeout_ns: int, place: str = "") -> Step:
    """Return one step that runs all of them, and fails as `timeout` when that takes too long.

    `place` is where the task stands, for whoever looks for the reason.
    """

    async def run(user: Actor) -> None:
        try:
            async with asyncio.timeout(timeout_ns / NS_PER_S) as user.limit:
                await run_steps(user, steps)
        except TimeoutError as error:
            words = f"the task took longer than {format_duration(timeout_ns)}"
            note_failure(user, words, FailureKind.TIMEOUT)
            raise TaskTimedOut(words, place) from error
        finally:
            user.limit = None

    return run

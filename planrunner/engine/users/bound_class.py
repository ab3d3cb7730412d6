"""A user class bound to one phase: what all its users there have in common."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from planrunner.engine.scheduling.arrival_queue import ArrivalQueue
from planrunner.engine.scheduling.iteration_budget import Quota
from planrunner.engine.scheduling.lateness import Punctuality
from planrunner.engine.scheduling.timeline import Timeline
from planrunner.engine.users.bound_task import BoundTask
from planrunner.engine.users.data_feeds import NO_FEEDS, ClassFeeds
from planrunner.engine.users.user_context import Step
from planrunner.graph.run_graph import Renewal, UserProgram
from planrunner.values import dataclass

__all__ = ["BoundProgram", "Gathering"]


class Gathering(Protocol):
    """Where users wait for each other: it has to know how many there are."""

    def join(self) -> None: ...

    def leave(self) -> None: ...


@dataclass(frozen=True, slots=True)
class BoundProgram:
    """What the users of one class do in one phase.

    Attributes:
        feeds: Gives its users their rows of data.
        next_iteration: Numbers the phase's iterations over all its users.
        stop_plan: Ends the run because of what the words say.
        warm_tasks: The same tasks for iterations that are warm-up; none where none is.
        quota: Gives a user the number of iterations it may begin; None for no limit.
        queue: Where its users wait for arrivals; None but in the open model.
        punctual: Where iterations that have a due time are counted; None where they have none.
        renewal: What begins anew with each iteration.
        gatherings: The barriers that its users may come to.
    """

    program: UserProgram
    phase: str
    timeline: Timeline
    tasks: tuple[BoundTask, ...]
    on_start: tuple[Step, ...]
    on_stop: tuple[Step, ...]
    next_iteration: Callable[[], int]
    stop_plan: Callable[[str], None]
    feeds: ClassFeeds = NO_FEEDS
    warm_tasks: tuple[BoundTask, ...] = ()
    quota: Callable[[], Quota] | None = None
    queue: ArrivalQueue | None = None
    punctual: Punctuality | None = None
    renewal: Renewal = Renewal.NOTHING
    gatherings: tuple[Gathering, ...] = ()

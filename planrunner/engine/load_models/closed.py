"""The closed model: a population of users that changes in stages."""

from __future__ import annotations

from collections import deque
from typing import cast

from planrunner.engine.load_models.base import Phase, PhaseContext
from planrunner.engine.load_models.user_pool import UserPool
from planrunner.graph.loads import ClosedLoad, LoadModel
from planrunner.schedule.population import SeatChange, changes, users_at
from planrunner.schedule.sharing import seat_owners

__all__ = ["ClosedPhase"]


class ClosedPhase(Phase):
    """Users that come and go as the stages say.

    Args:
        context: What every model needs.
        load: Its stages.
    """

    def __init__(self, context: PhaseContext, load: ClosedLoad) -> None:
        super().__init__(context)
        self._starts = 0
        self._classes: tuple[str, ...] = ()
        # Each with its moment and the number that its user has in its class; counted over all
        # workers' users.
        self._changes: deque[tuple[int, SeatChange, int]] = deque()
        self._load_of_now, self._begin_ns = load, context.begin_ns
        self._plan(load, context.begin_ns, level=0)

    def _plan(self, load: ClosedLoad, begin_ns: int, *, level: int) -> None:
        context = self._context
        worker, name = context.worker, context.phase.name
        classes = context.class_of_seats(load)
        if len(classes) > len(self._classes):
            self._classes = classes
        owners = seat_owners(self._classes, worker.share.workers)
        for change in changes(load.stages, level):
            key = name, self._classes[change.slot]
            if owners[change.slot] == worker.share.worker:
                moment_ns = begin_ns + change.offset_ns
                self._changes.append((moment_ns, change, worker.indices[key]))
                self._starts += change.starts
            worker.indices[key] += change.starts

    def _take(self, load: LoadModel, begin_ns: int) -> None:
        load = cast("ClosedLoad", load)  # a load at another level is of its own model
        level = users_at(self._load_of_now.stages, max(begin_ns - 1 - self._begin_ns, 0))
        while self._changes and self._changes[-1][0] >= begin_ns:
            _, change, _ = self._changes.pop()
            self._starts -= change.starts
        self._plan(load, begin_ns, level=level)
        self._load_of_now, self._begin_ns = load, begin_ns

    async def _load(self, pool: UserPool) -> None:
        sleeper, now = self._sleeper, self._clock.now_ns
        while not sleeper.cut:
            due_ns = self._changes[0][0] if self._changes else self._timeline.ends_ns
            if now() < due_ns:
                await self._sleep(due_ns)
            elif self._changes:
                _, change, index = self._changes.popleft()
                self._move(pool, change, index)
            else:
                return

    def _move(self, pool: UserPool, change: SeatChange, index: int) -> None:
        if change.starts:
            pool.start(self._classes[change.slot], index, slot=change.slot)
        else:
            pool.stop(change.slot)

    def _is_hopeless(self, failed: int) -> bool:
        return failed == self._starts

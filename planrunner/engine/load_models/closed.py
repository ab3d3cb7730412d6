"""The closed model: a population of users that changes in stages."""

from __future__ import annotations

from planrunner.engine.load_models.base import Phase, PhaseContext
from planrunner.engine.load_models.user_pool import UserPool
from planrunner.graph.loads import ClosedLoad
from planrunner.schedule.population import SeatChange, changes
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
        worker, name = context.worker, context.phase.name
        classes = context.class_of_seats(load)
        owners = seat_owners(classes, worker.share.workers)
        # Each with the number that its user has in its class; counted over all workers' users.
        self._changes: list[tuple[SeatChange, int]] = []
        for change in changes(load.stages):
            key = name, classes[change.slot]
            if owners[change.slot] == worker.share.worker:
                self._changes.append((change, worker.indices[key]))
            worker.indices[key] += change.starts
        self._classes = classes

    async def _load(self, pool: UserPool) -> None:
        begin_ns = self._context.begin_ns
        for change, index in self._changes:
            await self._sleeper.until(begin_ns + change.offset_ns)
            if self._sleeper.cut:
                return
            if change.starts:
                pool.start(self._classes[change.slot], index, slot=change.slot)
            else:
                pool.stop(change.slot)
        await self._sleeper.until(self._timeline.ends_ns)

    def _is_hopeless(self, failed: int) -> bool:
        return failed == sum(change.starts for change, _ in self._changes)

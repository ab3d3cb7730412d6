"""The counted model: a number of iterations, by users that all start at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from planrunner.engine.load_models.base import Phase, PhaseContext
from planrunner.engine.load_models.user_pool import UserPool
from planrunner.engine.scheduling.iteration_budget import Quota
from planrunner.graph.loads import CountedLoad
from planrunner.load.partition import WorkerShare
from planrunner.load.sharing import owned_iterations, seat_owners

__all__ = ["CountedPhase"]


def _quotas(load: CountedLoad, owners: Sequence[int], share: WorkerShare) -> Callable[[], Quota]:
    """Return what gives each of a worker's users its iterations: its own, or from the shared."""
    if load.per_user:
        return lambda: Quota(load.per_user)
    mine = owned_iterations(owners, load.iterations, share.worker)
    shared = Quota(load.iterations if share.workers == 1 else sum(1 for _ in mine))
    return lambda: shared


class CountedPhase(Phase):
    """Users that work until no iteration is left to begin, or the time is up.

    Args:
        context: What every model needs.
        load: Its iterations.
    """

    def __init__(self, context: PhaseContext, load: CountedLoad) -> None:
        worker = context.worker
        classes = context.class_of_seats(load)
        owners = seat_owners(classes, worker.share.workers)
        self._users: list[tuple[str, int]] = []
        for name, owner in zip(classes, owners, strict=True):
            index = worker.indices[context.phase.name, name]
            worker.indices[context.phase.name, name] += 1
            if owner == worker.share.worker:
                self._users.append((name, index))
        quota = _quotas(load, owners, worker.share)
        programs = {name: replace(bound, quota=quota) for name, bound in context.programs.items()}
        super().__init__(replace(context, programs=programs))

    async def _load(self, pool: UserPool) -> None:
        if not self._users:
            return
        for name, index in self._users:
            pool.start(name, index)
        await self._sleeper.until(self._timeline.ends_ns)
        if not self._sleeper.cut:
            self._context.worker.counters.overtime[self._context.phase.name] += 1

    def _done(self) -> None:
        self._sleeper.cut_short()

    def _is_hopeless(self, failed: int) -> bool:
        return failed == len(self._users)

"""The counted model: a number of iterations, by users that start at once or one after the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from planrunner.engine.load_models.base import Phase, PhaseContext
from planrunner.engine.load_models.user_pool import UserPool
from planrunner.engine.scheduling.iteration_budget import Quota
from planrunner.graph.loads import CountedLoad
from planrunner.schedule.partition import WorkerShare
from planrunner.schedule.population import changes
from planrunner.schedule.sharing import owned_iterations, seat_owners

__all__ = ["CountedPhase"]


def _quotas(
    load: CountedLoad, owners: Sequence[int], share: WorkerShare, warmup: int
) -> Callable[[], Quota]:
    """Return what gives each of a worker's users its iterations: its own, or from the shared."""
    if load.per_user:
        return lambda: Quota(load.per_user, warmup)
    if share.workers == 1:
        shared = Quota(load.iterations, warmup)
    else:
        mine = list(owned_iterations(owners, load.iterations, share.worker))
        shared = Quota(len(mine), sum(number < warmup for number in mine))
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
        # Class and number of each user, and when it starts: offsets from the phase's start.
        self._users: list[tuple[str, int, int]] = []
        starts = (change.offset_ns for change in changes(load.population))
        for name, owner, offset_ns in zip(classes, owners, starts, strict=True):
            index = worker.indices[context.phase.name, name]
            worker.indices[context.phase.name, name] += 1
            if owner == worker.share.worker:
                self._users.append((name, index, offset_ns))
        self._are_all_here = False
        warmup = context.phase.warmup_iterations
        self._quota = quota = _quotas(load, owners, worker.share, warmup)
        self._is_shared = not load.per_user
        programs = {name: replace(bound, quota=quota) for name, bound in context.programs.items()}
        super().__init__(replace(context, programs=programs))

    async def _load(self, pool: UserPool) -> None:
        if not self._users:
            return
        begin_ns = self._context.begin_ns
        for name, index, offset_ns in self._users:
            if offset_ns:
                await self._sleeper.until(begin_ns + offset_ns)
            if self._sleeper.cut or self._is_exhausted():
                break
            pool.start(name, index)
        self._are_all_here = True
        if not pool.has_work:
            return
        await self._sleeper.until(self._timeline.ends_ns)
        if not self._sleeper.cut:
            self._context.worker.counters.overtime[self._context.phase.name] += 1

    def _done(self) -> None:
        if self._are_all_here or self._is_exhausted():
            self._sleeper.cut_short()

    def _is_exhausted(self) -> bool:
        return self._is_shared and not self._quota().left

    def _is_hopeless(self, failed: int) -> bool:
        return failed == len(self._users)

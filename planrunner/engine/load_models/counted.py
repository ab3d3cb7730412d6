"""The counted model: a number of iterations, by users who all start at once."""

from __future__ import annotations

from collections.abc import Sequence

from planrunner.engine.load_models.base import Phase, PhaseContext
from planrunner.engine.load_models.user_pool import UserPool
from planrunner.load.sharing import seat_owners

__all__ = ["CountedPhase"]


class CountedPhase(Phase):
    """Users who work until no iteration is left to begin, or the time is up.

    Args:
        part: Of the phase, what every model needs.
        classes: The class of each user, on all workers.
    """

    def __init__(self, part: PhaseContext, *, classes: Sequence[str]) -> None:
        super().__init__(part)
        around = part.context
        owners = seat_owners(classes, around.part.workers)
        self._users: list[tuple[str, int]] = []
        for name, owner in zip(classes, owners, strict=True):
            index = around.indices[part.phase.name, name]
            around.indices[part.phase.name, name] += 1
            if owner == around.part.worker:
                self._users.append((name, index))

    async def _load(self, pool: UserPool) -> None:
        if not self._users:
            return
        for name, index in self._users:
            pool.start(name, index)
        await self._sleeper.until(self._timeline.ends_ns)
        if not self._sleeper.cut:
            self._part.context.counters.overtime[self._part.phase.name] += 1

    def _done(self) -> None:
        self._sleeper.cut_short()

    def _is_hopeless(self, failed: int) -> bool:
        return failed == len(self._users)

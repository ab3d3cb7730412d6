"""The closed model: a population of users that changes in stages."""

from __future__ import annotations

from collections.abc import Sequence

from planrunner.compiler.graph import ClosedLoad
from planrunner.engine.crowd import Crowd
from planrunner.engine.phases.base import Part, Phase
from planrunner.load.population import Change, changes

__all__ = ["ClosedPhase"]


class ClosedPhase(Phase):
    """Users who come and go as the stages say.

    Args:
        part: Of the phase, what every model needs.
        load: Its stages.
        classes: The class of each slot.
    """

    def __init__(self, part: Part, *, load: ClosedLoad, classes: Sequence[str]) -> None:
        super().__init__(part)
        self._changes: list[Change] = list(changes(load.stages))
        self._classes = classes

    async def _load(self, crowd: Crowd) -> None:
        begin_ns = self._part.begin_ns
        for change in self._changes:
            await self._nap.until(begin_ns + change.offset_ns)
            if self._nap.cut:
                return
            if change.starts:
                crowd.start(self._classes[change.slot], slot=change.slot)
            else:
                crowd.stop(change.slot)
        await self._nap.until(self._timeline.ends_ns)

    def _is_hopeless(self, failed: int) -> bool:
        return failed == sum(change.starts for change in self._changes)

"""What every model of load does alike: a crowd, an end that anyone may bring forward, a wind-down.

Whoever cuts the phase's `nap` ends it.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Mapping

from planrunner.engine.load_models.user_pool import Crowd, Surroundings
from planrunner.engine.scheduling.interruptible_sleep import Nap
from planrunner.engine.scheduling.timeline import Timeline
from planrunner.engine.stop import Ending, Stop, StopLevel
from planrunner.engine.users.bound_class import BoundProgram
from planrunner.graph.run_graph import PhaseNode
from planrunner.values import dataclass

__all__ = ["Part", "Phase"]


@dataclass(frozen=True, slots=True)
class Part:
    """What a phase needs to run on this worker.

    Attributes:
        programs: Its user classes, bound.
        nap: On which it waits; cut to end the phase early.
        begin_ns: From when the load's offsets count: the phase's start, or a level's of a search.
    """

    phase: PhaseNode
    programs: Mapping[str, BoundProgram]
    timeline: Timeline
    surroundings: Surroundings
    stop: Stop
    nap: Nap
    begin_ns: int


class Phase(ABC):
    """One phase on this worker."""

    def __init__(self, part: Part) -> None:
        self._part = part
        self._clock = part.surroundings.clock
        self._nap = part.nap
        self._timeline = part.timeline
        self._crowd: Crowd | None = None

    async def run(self) -> None:
        """Run the load and the graceful stop; returns when the last user has gone."""
        part = self._part
        async with asyncio.TaskGroup() as group:
            self._crowd = Crowd(
                part.phase.name,
                programs=part.programs,
                surroundings=part.surroundings,
                group=group,
                on_empty=self._emptied,
                on_done=self._done,
            )
            forget = part.stop.listen(self._told)
            try:
                self._told()
                await self._load(self._crowd)
                self._timeline.cut(self._clock.now_ns())
                self._close()
                await self._crowd.wind_down(part.phase.graceful_stop_ns)
            finally:
                forget()

    @abstractmethod
    async def _load(self, crowd: Crowd) -> None:
        """Start and stop users until the phase is over."""

    def _close(self) -> None:  # noqa: B027 - most models have nothing to do
        """Do what must be done before users are told to stop."""

    def _done(self) -> None:  # noqa: B027 - most models have nothing to do
        """Nobody has any iteration left to do at the moment."""

    @abstractmethod
    def _is_hopeless(self, failed: int) -> bool:
        """Whether no user will ever work, after so many whose `on_start` failed."""

    def _told(self) -> None:
        if self._part.stop.level is StopLevel.RUNNING:
            return
        self._nap.cut_short()
        if self._crowd is not None:
            self._crowd.hurry()
            if self._part.stop.level is StopLevel.AT_ONCE:
                self._crowd.cancel()

    def _emptied(self) -> None:
        """Nobody is left: the end of the run, if it is because no `on_start` ended well."""
        name = self._part.phase.name
        tally = self._part.surroundings.tally
        failed = tally.failed_starts(name)
        if failed and self._is_hopeless(failed):
            self._part.stop.request(
                # No number: a worker knows only its own users, and this is said for all of them.
                f"no user of phase `{name}` is left: every `on_start` failed, one because "
                f"{tally.start_reason(name)}",
                ending=Ending.CANNOT_RUN,
                among=("users", name),
            )

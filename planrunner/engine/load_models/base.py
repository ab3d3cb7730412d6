"""What every load model does alike: a pool of users, an end that can come early, a wind-down.

Whoever cuts the phase's `sleeper` ends it.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Mapping

from planrunner.engine.load_models.user_pool import UserPool, WorkerContext
from planrunner.engine.scheduling.interruptible_sleep import InterruptibleSleep
from planrunner.engine.scheduling.lateness import Punctuality
from planrunner.engine.scheduling.timeline import Timeline
from planrunner.engine.stop import Ending, Stop, StopLevel
from planrunner.engine.users.bound_class import BoundProgram
from planrunner.errors import Misuse
from planrunner.graph.loads import LoadModel, RunnableLoad
from planrunner.graph.run_graph import PhaseNode
from planrunner.values import dataclass

__all__ = ["Phase", "PhaseContext"]


@dataclass(frozen=True, slots=True)
class PhaseContext:
    """What a phase needs to run on this worker.

    Attributes:
        programs: Its user classes, bound.
        sleeper: On which it waits; cut to end the phase early.
        begin_ns: From when the load's offsets count: the phase's start, or a level's of a search.
        punctual: Counts the iterations that have a due time.
    """

    phase: PhaseNode
    programs: Mapping[str, BoundProgram]
    timeline: Timeline
    worker: WorkerContext
    stop: Stop
    sleeper: InterruptibleSleep
    begin_ns: int
    punctual: Punctuality

    def class_of_seats(self, load: RunnableLoad) -> tuple[str, ...]:
        """Return the class of each user of the load, on all workers."""
        programs = (self.programs[name].program for name in self.phase.classes)
        return load.class_of_seats([program.share for program in programs])


class Phase(ABC):
    """One phase on this worker."""

    def __init__(self, context: PhaseContext) -> None:
        self._context = context
        self._clock = context.worker.clock
        self._sleeper = context.sleeper
        self._timeline = context.timeline
        self._pool: UserPool | None = None
        self._is_changed = False

    @property
    def is_over(self) -> bool:
        """Whether what its sleeper waits for may be another thing now."""
        return self._is_changed

    def change(self, load: LoadModel, begin_ns: int) -> None:
        """Go on with another load of the same model from then on (clock time)."""
        self._take(load, begin_ns)
        self._is_changed = True
        self._sleeper.wake()

    def _take(self, load: LoadModel, begin_ns: int) -> None:
        """Plan for another load."""
        del begin_ns
        raise Misuse(f"a phase can't change to {load.kind}")

    async def _sleep(self, due_ns: int) -> None:
        """Sleep until then, until the phase ends, or until its load is changed."""
        self._is_changed = False
        await self._sleeper.until_over(self, due_ns)

    async def run(self) -> None:
        """Run the load and the graceful stop; returns when the last user has gone."""
        context = self._context
        async with asyncio.TaskGroup() as group:
            self._pool = UserPool(
                context.phase,
                programs=context.programs,
                context=context.worker,
                group=group,
                on_empty=self._emptied,
                on_done=self._done,
            )
            forget = context.stop.listen(self._heed_stop)
            try:
                self._heed_stop()
                await self._load(self._pool)
                self._timeline.cut(self._clock.now_ns())
                self._close()
                await self._pool.wind_down(context.phase.graceful_stop_ns)
            finally:
                forget()

    @abstractmethod
    async def _load(self, pool: UserPool) -> None:
        """Start and stop users until the phase is over."""

    def _close(self) -> None:  # noqa: B027 - most models have nothing to do
        """Do what must be done before users are told to stop."""

    def _done(self) -> None:  # noqa: B027 - most models have nothing to do
        """Nobody has any iteration left to do at the moment."""

    @abstractmethod
    def _is_hopeless(self, failed: int) -> bool:
        """Whether no user will ever work, after so many whose `on_start` failed."""

    def _heed_stop(self) -> None:
        if self._context.stop.level is StopLevel.RUNNING:
            return
        self._sleeper.cut_short()
        if self._pool is not None:
            self._pool.hurry()
            if self._context.stop.level is StopLevel.AT_ONCE:
                self._pool.cancel()

    def _emptied(self) -> None:
        """Nobody is left: the end of the run, if it is because no `on_start` ended well."""
        name = self._context.phase.name
        counters = self._context.worker.counters
        failed = counters.failed_starts(name)
        if failed and self._is_hopeless(failed):
            self._context.stop.request(
                # No number: a worker knows only its own users, and this is said for all of them.
                f"no user of phase `{name}` is left: every `on_start` failed, one because "
                f"{counters.start_reason(name)}",
                ending=Ending.CANNOT_RUN,
                among=("users", name),
            )

"""The closed model: a population of users that changes in stages."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from planrunner.clock import Clock
from planrunner.compiler.graph import PhaseNode, UserProgram
from planrunner.engine.crowd import Crowd, Surroundings
from planrunner.engine.nap import Nap
from planrunner.engine.stop import Ending, Stop, StopLevel
from planrunner.engine.timeline import Timeline
from planrunner.engine.user import BoundProgram
from planrunner.load.population import Share, changes, exact_seats, peak, seats

__all__ = ["ClosedPhase", "seat_classes"]


def seat_classes(phase: PhaseNode, programs: Mapping[str, UserProgram]) -> tuple[str, ...]:
    """Return the user class of each slot of the phase."""
    load = phase.load
    if load.exact:
        names = [name for name, _ in load.exact]
        return tuple(names[seat] for seat in exact_seats([users for _, users in load.exact]))
    shares = [Share(name, programs[name].weight, programs[name].count) for name in phase.classes]
    return tuple(phase.classes[seat] for seat in seats(shares, peak(load.stages)))


class ClosedPhase:
    """One closed phase on this worker; whoever cuts its `nap` ends it."""

    def __init__(
        self,
        phase: PhaseNode,
        *,
        programs: Mapping[str, BoundProgram],
        timeline: Timeline,
        surroundings: Surroundings,
        stop: Stop,
        nap: Nap,
    ) -> None:
        self._phase = phase
        self._programs = programs
        self._timeline = timeline
        self._around = surroundings
        self._clock: Clock = surroundings.clock
        self._stop = stop
        self._starts = sum(change.starts for change in changes(phase.load.stages))
        self._nap = nap
        self._crowd: Crowd | None = None

    async def run(self) -> None:
        """Run all stages and the graceful stop; returns when the last user has gone."""
        async with asyncio.TaskGroup() as group:
            self._crowd = Crowd(
                self._phase.name,
                programs=self._programs,
                surroundings=self._around,
                group=group,
                on_empty=self._emptied,
            )
            forget = self._stop.listen(self._told)
            try:
                self._told()
                await self._stages(self._crowd)
                self._timeline.cut(self._clock.now_ns())
                await self._crowd.wind_down(self._phase.graceful_stop_ns)
            finally:
                forget()

    async def _stages(self, crowd: Crowd) -> None:
        begin_ns = self._timeline.started_ns
        programs = {name: bound.program for name, bound in self._programs.items()}
        classes = seat_classes(self._phase, programs)
        for change in changes(self._phase.load.stages):
            await self._nap.until(begin_ns + change.offset_ns)
            if self._nap.cut:
                return
            if change.starts:
                crowd.start(change.slot, classes[change.slot])
            else:
                crowd.stop(change.slot)
        await self._nap.until(self._timeline.ends_ns)

    def _told(self) -> None:
        if self._stop.level is StopLevel.RUNNING:
            return
        self._nap.cut_short()
        if self._stop.level is StopLevel.AT_ONCE and self._crowd is not None:
            self._crowd.cancel()

    def _emptied(self) -> None:
        """Nobody is left: the end of the run, if it is because no `on_start` ended well."""
        failed = self._around.tally.failed_starts(self._phase.name)
        if failed and failed == self._starts:
            self._stop.request(
                f"no user of phase `{self._phase.name}` is left: `on_start` of {failed} failed",
                ending=Ending.CANNOT_RUN,
            )

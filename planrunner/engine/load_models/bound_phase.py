"""A phase on this worker: bound once, and run once; or, of a search, once for each level."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import replace
from typing import assert_never

from planrunner.engine.load_models.base import Phase, PhaseContext
from planrunner.engine.load_models.closed import ClosedPhase
from planrunner.engine.load_models.counted import CountedPhase
from planrunner.engine.load_models.open import OpenPhase, schedule_of
from planrunner.engine.load_models.user_pool import WorkerContext
from planrunner.engine.scheduling.arrival_queue import ArrivalQueue
from planrunner.engine.scheduling.interruptible_sleep import InterruptibleSleep
from planrunner.engine.scheduling.iteration_budget import Quota
from planrunner.engine.scheduling.lateness import Punctuality
from planrunner.engine.scheduling.timeline import Timeline
from planrunner.engine.stop import Stop
from planrunner.engine.users.bound_class import BoundProgram
from planrunner.graph.load import class_of_seats
from planrunner.graph.run_graph import ClosedLoad, CountedLoad, OpenLoad, PhaseNode
from planrunner.load.population import Share
from planrunner.load.sharing import (
    dealt_arrivals,
    owned_iterations,
    seat_owners,
    share_of,
    taking_arrivals,
)

__all__ = ["BoundPhase", "RunnableLoad"]

RunnableLoad = ClosedLoad | OpenLoad | CountedLoad
"""What a worker runs; a search is several of these."""

Bind = Callable[[Callable[[], None]], Mapping[str, BoundProgram]]
"""Binds the programs of a phase; takes what a `stop: phase` step calls."""


class BoundPhase:
    """One phase of a run.

    Attributes:
        stopped: A step said `stop: phase`.
        on_stop: Called when one does.
        lead_ns: How long before its begin it must be told to run: not at all.
        punctual: Counts the iterations that have a due time.
    """

    def __init__(
        self,
        phase: PhaseNode,
        *,
        timeline: Timeline,
        bind: Bind,
        context: WorkerContext,
        stop: Stop,
    ) -> None:
        self._phase = phase
        self._timeline = timeline
        self._around = context
        self._stop = stop
        self._sleeper = InterruptibleSleep(context.clock)
        self._programs = bind(self._stop_phase)
        self.punctual = Punctuality(timeline)
        self.stopped = False
        self.on_stop: Callable[[], None] = lambda: None
        self.lead_ns = 0
        self._begin_ns = timeline.started_ns

    async def run(self, load: RunnableLoad, begin_ns: int) -> None:
        """Run a load that begins then (clock time) until the last user has gone."""
        await self.prepare(load, begin_ns)()

    def prepare(
        self, load: RunnableLoad, begin_ns: int
    ) -> Callable[[], Coroutine[object, object, None]]:
        """Do what takes its time for many users, and return what runs the load."""
        self._begin_ns = begin_ns
        self._sleeper = InterruptibleSleep(self._around.clock)
        model = self._model(load)

        async def go() -> None:
            await model.run()
            self.punctual.close(self._timeline.ends_ns)

        return go

    def _model(self, load: RunnableLoad) -> Phase:
        match load:
            case ClosedLoad():
                part = self._part(quota=None)
                return ClosedPhase(part, load=load, classes=self._classes(load))
            case CountedLoad():
                part = self._part(quota=self._quotas(load))
                return CountedPhase(part, classes=self._classes(load))
            case OpenLoad():
                return self._open(load)
            case _ as unreachable:
                assert_never(unreachable)

    def _part(self, quota: Callable[[], Quota] | None) -> PhaseContext:
        programs = {
            name: replace(bound, quota=quota, punctual=self.punctual)
            for name, bound in self._programs.items()
        }
        return PhaseContext(
            self._phase,
            programs,
            self._timeline,
            self._around,
            self._stop,
            self._sleeper,
            self._begin_ns,
        )

    def _classes(self, load: RunnableLoad) -> tuple[str, ...]:
        programs = [self._programs[name].program for name in self._phase.classes]
        shares = [Share(program.name, program.weight, program.count) for program in programs]
        return class_of_seats(load, shares)

    def _open(self, load: OpenLoad) -> OpenPhase:
        names = [name for name, _ in load.exact] or list(self._phase.classes)
        weights = [self._programs[name].program.weight for name in names]
        part = self._part(quota=None)
        programs = {
            name: replace(bound, queue=ArrivalQueue()) for name, bound in part.programs.items()
        }
        seed = self._around.seed
        schedule = schedule_of(load, weights, seed=seed, phase=self._phase.name)
        taking = taking_arrivals(self._around.part, load.max_users)
        return OpenPhase(
            replace(part, programs=programs),
            names=names,
            schedule=iter(()) if taking is None else dealt_arrivals(schedule, taking),
            punctual=self.punctual,
            max_users=share_of(load.max_users, self._around.part),
        )

    def _quotas(self, load: CountedLoad) -> Callable[[], Quota]:
        if load.per_user:
            return lambda: Quota(load.per_user)
        part = self._around.part
        owners = seat_owners(self._classes(load), part.workers)
        mine = owned_iterations(owners, load.iterations, part.worker)
        shared = Quota(load.iterations if part.workers == 1 else sum(1 for _ in mine))
        return lambda: shared

    def _stop_phase(self) -> None:
        if not self.stopped:
            self.end()
            self.on_stop()

    def end(self) -> None:
        """Begin the graceful stop, because a step of some worker said `stop: phase`."""
        self.stopped = True
        self._sleeper.cut_short()

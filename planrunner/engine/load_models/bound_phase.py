"""A phase on this worker: bound once, and run once; or, of a search, once for each level."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import replace
from typing import Final, assert_never

from planrunner.engine.load_models.base import Phase, PhaseContext
from planrunner.engine.load_models.closed import ClosedPhase
from planrunner.engine.load_models.counted import CountedPhase
from planrunner.engine.load_models.open import OpenPhase
from planrunner.engine.load_models.user_pool import WorkerContext
from planrunner.engine.scheduling.interruptible_sleep import InterruptibleSleep
from planrunner.engine.scheduling.lateness import Punctuality
from planrunner.engine.scheduling.timeline import Timeline
from planrunner.engine.stop import Stop
from planrunner.engine.users.bound_class import BoundProgram
from planrunner.graph.loads import ClosedLoad, CountedLoad, LoadModel, OpenLoad, RunnableLoad
from planrunner.graph.run_graph import PhaseNode

__all__ = ["BoundPhase"]

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

    shortage: Final = ""

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
        self._context = context
        self._stop = stop
        self._sleeper = InterruptibleSleep(context.clock)
        self._programs = bind(self._stop_phase)
        self.punctual = Punctuality(timeline)
        self.stopped = False
        self.on_stop: Callable[[], None] = lambda: None
        self.lead_ns = 0
        self._begin_ns = timeline.started_ns
        self._model: Phase | None = None

    async def run(self, load: RunnableLoad, begin_ns: int) -> None:
        """Run a load that begins then (clock time) until the last user has gone."""
        await self.prepare(load, begin_ns)()

    def prepare(
        self, load: RunnableLoad, begin_ns: int
    ) -> Callable[[], Coroutine[object, object, None]]:
        """Do what takes its time for many users, and return what runs the load."""
        self._begin_ns = begin_ns
        self._sleeper = InterruptibleSleep(self._context.clock)
        model = self._model = _model_of(load, self._phase_context(load))

        async def go() -> None:
            await model.run()
            self.punctual.close(self._timeline.ends_ns)

        return go

    def change(self, load: LoadModel, begin_ns: int) -> None:
        """Go on with another load of the same model from then on (clock time)."""
        self._timeline.steer(begin_ns)
        # Due times from then on are no result either, and begin an interval of their own.
        self.punctual.window_ends_ns = min(self.punctual.window_ends_ns, begin_ns)
        assert self._model is not None
        self._model.change(load, begin_ns)

    def _phase_context(self, load: RunnableLoad) -> PhaseContext:
        programs = {
            name: replace(bound, punctual=self.punctual, renewal=bound.program.renewal(load))
            for name, bound in self._programs.items()
        }
        return PhaseContext(
            self._phase,
            programs,
            self._timeline,
            self._context,
            self._stop,
            self._sleeper,
            self._begin_ns,
            self.punctual,
        )

    def _stop_phase(self) -> None:
        if not self.stopped:
            self.end()
            self.on_stop()

    def end(self) -> None:
        """Begin the graceful stop, because a step of some worker said `stop: phase`."""
        self.stopped = True
        self._sleeper.cut_short()


def _model_of(load: RunnableLoad, context: PhaseContext) -> Phase:
    """Return what runs a load; nothing else in the engine asks which of these it is."""
    match load:
        case ClosedLoad():
            return ClosedPhase(context, load)
        case OpenLoad():
            return OpenPhase(context, load)
        case CountedLoad():
            return CountedPhase(context, load)
        case _ as unreachable:
            assert_never(unreachable)

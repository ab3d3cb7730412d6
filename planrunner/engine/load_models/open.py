"""The open model: iterations arrive at a rate, whether or not earlier ones have ended."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextvars import copy_context
from dataclasses import replace
from functools import partial
from random import Random
from typing import Final, cast

from planrunner.engine.load_models.base import Phase, PhaseContext
from planrunner.engine.load_models.user_pool import UserPool
from planrunner.engine.scheduling.arrival_queue import ArrivalQueue
from planrunner.engine.scheduling.dealing import Dealing
from planrunner.engine.users.virtual_user import user_stream
from planrunner.graph.loads import LoadModel, OpenLoad
from planrunner.schedule.arrivals import (
    ArrivalKind,
    ArrivalSchedule,
    RateStage,
    dealt_classes,
    merged,
)
from planrunner.schedule.sharing import dealt_arrivals, share_of, taking_arrivals
from planrunner.units import Rate

__all__ = ["OpenPhase"]

_HOPELESS_AFTER: Final = 10
"""Users whose on_start failed, and no other: one more will not do better."""


def _schedule(
    load: OpenLoad, weights: Sequence[int], *, seed: int, phase: str, stream: str
) -> Iterator[tuple[int, int]]:
    """Yield each arrival of a phase: its offset in ns, and the position of its class.

    Positions are those of `load.exact`, or else of `weights`. The same in every run with the
    seed, and on every worker.
    """
    if not load.exact:
        return zip(
            _offsets(load, load.stages, user_stream(seed, phase, stream, 0)),
            dealt_classes(weights),
            strict=False,
        )
    duration_ns = sum(stage.duration_ns for stage in load.stages)
    streams = [
        _offsets(load, _constant(rate, duration_ns), user_stream(seed, phase, stream, position))
        for position, (_, rate) in enumerate(load.exact)
    ]
    return merged(streams)


def _constant(rate: Rate, duration_ns: int) -> tuple[RateStage, ...]:
    return (RateStage("hold", 0, rate), RateStage("hold", duration_ns, rate))


def _offsets(load: OpenLoad, stages: Sequence[RateStage], rng: Random) -> Iterator[int]:
    arrivals = ArrivalSchedule(stages)
    if load.arrivals is ArrivalKind.UNIFORM:
        return arrivals.offsets()
    return arrivals.poisson_offsets(rng)


class OpenPhase(Phase):
    """Arrivals given to idle users; new users start while there are fewer than `max_users`.

    Args:
        context: What every model needs.
        load: Its rate.
    """

    def __init__(self, context: PhaseContext, load: OpenLoad) -> None:
        queues = {name: ArrivalQueue() for name in context.programs}
        programs = {
            name: replace(bound, queue=queues[name]) for name, bound in context.programs.items()
        }
        super().__init__(replace(context, programs=programs))
        self._names = [name for name, _ in load.exact] or list(context.phase.classes)
        self._queues = [queues[name] for name in self._names]
        self._punctual = context.punctual
        self._max_users = share_of(load.max_users, context.worker.share)
        self._changes = 0
        self._schedule, self._begin_ns = self._own(load), context.begin_ns
        self._dealing: Dealing | None = None
        self._next: tuple[Iterator[tuple[int, int]], int] | None = None

    def _take(self, load: LoadModel, begin_ns: int) -> None:
        self._changes += 1
        own = self._own(cast("OpenLoad", load))  # a load at another level is of its own model
        self._next = own, begin_ns
        if self._dealing is not None:
            self._dealing.until_ns = begin_ns

    def _own(self, load: OpenLoad) -> Iterator[tuple[int, int]]:
        """Return the arrivals of this worker."""
        context, worker = self._context, self._context.worker
        taking = taking_arrivals(worker.share, load.max_users)
        if taking is None:
            return iter(())
        weights = [context.programs[name].program.weight for name in self._names]
        # No class can have such a name, so no user has this stream.
        stream = f"\0arrivals{self._changes or ''}"
        schedule = _schedule(
            load, weights, seed=worker.seed, phase=context.phase.name, stream=stream
        )
        return dealt_arrivals(schedule, taking)

    async def _load(self, pool: UserPool) -> None:
        now, sleeper = self._clock.now_ns, self._sleeper
        dealing = self._deal_to(pool)
        try:
            while not sleeper.cut:
                dealing.go_on()
                await dealing.wait()
                await self._sleep(min(dealing.until_ns, self._timeline.ends_ns))
                if self._next is not None and now() >= dealing.until_ns:
                    (self._schedule, self._begin_ns), self._next = self._next, None
                    dealing = self._deal_to(pool)
                elif now() >= self._timeline.ends_ns:
                    return
            dealing.miss_rest()
        finally:
            dealing.stop()

    def _deal_to(self, pool: UserPool) -> Dealing:
        begin_ns = self._begin_ns
        starts = partial(self._starts, pool)
        context = copy_context()  # the phase's own, in which its users begin
        dealing = self._dealing = Dealing(
            ((begin_ns + offset_ns, position) for offset_ns, position in self._schedule),
            clock=self._clock,
            sleeper=self._sleeper,
            queues=self._queues,
            starts=partial(context.run, starts),
            punctual=self._punctual,
        )
        if self._next is not None:
            _, dealing.until_ns = self._next
        return dealing

    def _starts(self, pool: UserPool, position: int, due_ns: int) -> bool:
        """Start a user for an arrival; False when all are busy."""
        # If all places are taken, one of another class that is idle goes home as this one comes.
        if len(pool) >= self._max_users and not any(queue.dismiss() for queue in self._queues):
            return False
        worker, name = self._context.worker, self._names[position]
        number = worker.indices[self._context.phase.name, name]
        worker.indices[self._context.phase.name, name] = number + 1
        # Nobody knows what users others have started, so every worker has numbers of its own.
        index = number * worker.share.workers + worker.share.worker
        pool.start(name, index, due_ns=due_ns)
        return True

    def _close(self) -> None:
        for queue in self._queues:
            queue.close()

    def _is_hopeless(self, failed: int) -> bool:
        started = self._pool.started if self._pool is not None else 0
        is_over = self._sleeper.cut or self._clock.now_ns() >= self._timeline.ends_ns
        return failed == started and (failed >= _HOPELESS_AFTER or is_over)

"""The users of one phase on this worker: starting them, telling them to stop, waiting for them."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from itertools import count
from typing import Final

from planrunner.clock import Clock
from planrunner.engine.recording.counters import Counters
from planrunner.engine.scheduling.interruptible_sleep import InterruptibleSleep
from planrunner.engine.steps.wires import Wires
from planrunner.engine.users.bound_class import BoundProgram, Gathering
from planrunner.engine.users.sessions import Sessions
from planrunner.engine.users.user_context import Actor
from planrunner.engine.users.virtual_user import UserState, VirtualUser, user_stream
from planrunner.graph.run_graph import PhaseNode
from planrunner.language.expressions.builtins.random_draws import Rand
from planrunner.protocols.base import Scope
from planrunner.schedule.partition import ALL, WorkerShare
from planrunner.units import NS_PER_S

__all__ = ["UserPool", "WorkerContext"]

ON_STOP_NS: Final = 30 * NS_PER_S
"""What all `on_stop` of a phase have together once its iterations have ended."""


class WorkerContext:
    """What the users of all phases of a worker have in common.

    Attributes:
        scope: Names every user starts with: params, `run`, `now`.
        alive: Users now, by class.
        next_id: Numbers users over the whole run, from 0.
        indices: Users started so far, by phase and class; of all workers where each can know it.
        share: Which worker this is.
        sessions: Opens those of each user.
    """

    def __init__(
        self, *, clock: Clock, wires: Wires, scope: Scope, seed: int, share: WorkerShare = ALL
    ) -> None:
        self.clock = clock
        self.wires = wires
        self.scope = scope
        self.seed = seed
        self.counters = Counters()
        self.alive: Counter[str] = Counter()
        self.share = share
        self.sessions = Sessions(wires.by_channel)
        self.next_id: Callable[[], int] = count(share.worker, share.workers).__next__
        self.indices: Counter[tuple[str, str]] = Counter()


class UserPool:
    """The live users of one phase.

    Args:
        on_empty: Called when the last one has gone.
        on_done: Called when none has any iteration left to do.

    Attributes:
        started: Users started so far.
    """

    def __init__(
        self,
        phase: PhaseNode,
        *,
        programs: Mapping[str, BoundProgram],
        context: WorkerContext,
        group: asyncio.TaskGroup,
        on_empty: Callable[[], None],
        on_done: Callable[[], None] | None = None,
    ) -> None:
        self._phase = phase.name
        self._own = phase.scope
        self._programs = programs
        self._places = {name: place for place, name in enumerate(programs)}
        self._context = context
        self._group = group
        self._on_empty = on_empty
        self._on_done = on_done
        self._by_slot: dict[int, VirtualUser] = {}
        # In the order of their start: all with their slots, and those that have not come to their
        # on_stop yet.
        self._live: dict[VirtualUser, int | None] = {}
        self._busy: dict[VirtualUser, int | None] = {}
        self._awaited = self._live
        self._awaited_by_others: dict[VirtualUser, tuple[Gathering, ...]] = {}
        self._empty: InterruptibleSleep | None = None
        self.started = 0

    def __len__(self) -> int:
        return len(self._live)

    @property
    def has_work(self) -> bool:
        """Whether any user may still run an iteration."""
        return bool(self._busy)

    def start(
        self, user_class: str, index: int, *, slot: int | None = None, due_ns: int = 0
    ) -> None:
        """Start a fresh user.

        Args:
            user_class: What it does.
            index: Of the users of its class in this phase, on all workers: names its stream.
            slot: By which to stop it.
            due_ns: When the arrival was due that it starts for; its first request has this time.
        """
        context, bound = self._context, self._programs[user_class]
        rng = user_stream(context.seed, self._phase, user_class, index)
        identity: dict[str, object] = {"id": context.next_id(), "class": user_class}
        scope = {
            **context.scope,
            "rand": Rand(rng),
            "user": identity,
            "phase": {"name": self._phase},
            **self._own,
        }
        # Classes begin at different places, so that ten of one user each don't share one.
        sessions = context.sessions.open(index + self._places[user_class])
        actor = Actor(
            clock=context.clock,
            scope=scope,
            sessions=sessions,
            rng=rng,
            counters=context.counters,
            plan=context.scope,
        )
        actor.ends = context.sessions.ends(sessions)
        user = VirtualUser(bound, actor, identity=identity, on_change=self._changed)
        actor.due_ns = due_ns
        if slot is not None:
            self._by_slot[slot] = user
        self._live[user] = self._busy[user] = slot
        self.started += 1
        context.alive[user_class] += 1
        context.counters.started[self._phase, user_class] += 1
        if bound.gatherings:
            self._awaited_by_others[user] = bound.gatherings
            for gathering in bound.gatherings:
                gathering.join()
        user.start(self._group)

    def stop(self, slot: int) -> None:
        """Tell the user of the slot to stop, if it still runs."""
        if (user := self._by_slot.pop(slot, None)) is not None:
            user.tell_to_stop()
            self._not_awaited(user)

    async def wind_down(self, graceful_stop_ns: int) -> None:
        """Let all finish within `graceful_stop_ns`, cut the rest, and wait for each `on_stop`."""
        for user in reversed(self._live):
            user.tell_to_stop()
        for user in tuple(self._awaited_by_others):
            self._not_awaited(user)
        await self._until_empty(self._busy, graceful_stop_ns)
        for user in tuple(self._busy):
            user.abort()
        await self._until_empty(self._live, ON_STOP_NS)
        self.cancel()

    def hurry(self) -> None:
        """Let all finish without any pause."""
        for user in tuple(self._live):
            user.hurry()

    def cancel(self) -> None:
        """End all at once."""
        for user in tuple(self._live):
            user.cancel()

    async def _until_empty(self, awaited: dict[VirtualUser, int | None], limit_ns: int) -> None:
        if awaited:
            clock = self._context.clock
            self._awaited, self._empty = awaited, InterruptibleSleep(clock)
            await self._empty.until(clock.now_ns() + limit_ns)

    def _not_awaited(self, user: VirtualUser) -> None:
        """Let nobody wait for a user that has been told to stop, or has gone."""
        for gathering in self._awaited_by_others.pop(user, ()):
            gathering.leave()

    def _changed(self, user: VirtualUser) -> None:
        if user.state is UserState.ITERATING:
            return
        self._busy.pop(user, None)
        self._not_awaited(user)
        if not self._busy and self._on_done is not None:
            self._on_done()
        if user.state is UserState.ENDED:
            slot = self._live.pop(user)
            if slot is not None and self._by_slot.get(slot) is user:
                del self._by_slot[slot]  # nothing keeps it: it is free without any collection
            self._context.alive[user.user_class] -= 1
            if not self._live:
                self._on_empty()
        if self._empty is not None and not self._awaited:
            self._empty.cut_short()

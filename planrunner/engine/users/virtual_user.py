"""A virtual user: its life, from `on_start` to its last connection.

| state     | what it does                        | told to stop        | aborted (grace is over)  |
|-----------|-------------------------------------|---------------------|--------------------------|
| starting  | first values of its state, on_start | finishes on_start   | cancelled: ended         |
| iterating | picks, runs steps, waits            | finishes iteration; | cancelled: the request   |
|           |                                     | a wait between two  | in flight is `aborted`,  |
|           |                                     | ends now            | then finishing           |
| finishing | on_stop                             | -                   | -                        |
| ended     | connections closed                  | -                   | -                        |

starting → iterating, unless on_start failed (→ ended, counted) or was aborted (→ ended);
iterating → finishing → ended. Cancelling the task from outside ends it in any state. Where each
iteration is a visitor of its own (`visitor`), it iterates at once, and finishing is for the last
one's on_stop.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextvars import Context, copy_context
from enum import Enum, auto
from random import Random

from planrunner.engine.scheduling.driving import driven
from planrunner.engine.users.bound_class import BoundProgram
from planrunner.engine.users.iterations import IterationLoop
from planrunner.engine.users.user_context import Actor
from planrunner.engine.users.visitor import Arrival, Visitor
from planrunner.graph.run_graph import Renewal
from planrunner.language.hashes import blake2b

__all__ = ["UserState", "VirtualUser", "user_stream"]


class UserState(Enum):
    STARTING = auto()
    ITERATING = auto()
    FINISHING = auto()
    ENDED = auto()


class _UserRandom(Random):
    """A stream without attributes of its own until it needs one, as each user has one."""

    gauss_next = None

    def seed(self, a: object = None, version: int = 2) -> None:
        """Begin anew; a whole number gives what it gives in Python's own."""
        del version
        super(Random, self).seed(a)


def user_stream(seed: int, phase: str, user_class: str, index: int) -> Random:
    """Return the stream of all random draws of one user, the same in every run with the seed."""
    origin = f"{seed}\0{phase}\0{user_class}\0{index}".encode()
    return _UserRandom(int.from_bytes(blake2b(origin, digest_size=16).digest()))


class VirtualUser:
    """Runs a bound program as one actor."""

    __slots__ = ("_aborted", "_actor", "_bound", "_identity", "_on_change", "_task", "state")

    def __init__(
        self,
        bound: BoundProgram,
        actor: Actor,
        *,
        identity: dict[str, object],
        on_change: Callable[[VirtualUser], None],
    ) -> None:
        self._bound = bound
        self._actor = actor
        self._identity = identity
        self._on_change = on_change
        self._aborted = False
        self._task: asyncio.Task[None] | None = None
        self.state = UserState.STARTING

    @property
    def user_class(self) -> str:
        return self._bound.program.name

    def start(self, group: asyncio.TaskGroup) -> None:
        context = copy_context()
        task = self._task = group.create_task(self._live(context), context=context)
        # Not a `finally` in the coroutine: a task that is cancelled before its first step has none.
        task.add_done_callback(self._done, context=context)

    def tell_to_stop(self) -> None:
        """Let it finish its iteration; a wait between two iterations ends now."""
        self._actor.sleeper.cut_short()

    def hurry(self) -> None:
        """Let it finish its iteration without any pause."""
        self._actor.sleeper.hurry()

    def abort(self) -> None:
        """Cut the iteration, or on_start, that still runs."""
        if self.state in (UserState.STARTING, UserState.ITERATING) and not self._aborted:
            self._aborted = True
            self.cancel()

    def cancel(self) -> None:
        """End it at once, whatever it is doing."""
        if self._task is not None:
            self._actor.is_cut = True
            self._task.cancel()

    async def _live(self, context: Context) -> None:
        actor, bound = self._actor, self._bound
        visitor = Visitor(bound, actor)
        try:
            started = bound.renewal is Renewal.LIFE  # else each iteration begins one
            if not started:
                try:
                    started = await visitor.begin() is Arrival.READY
                except asyncio.CancelledError:
                    if not self._outlives():
                        raise
            if started:
                self._enter(UserState.ITERATING)
                # Each coroutine between the driver and the request would be passed through twice
                # a request, so there is none but that of the iterations.
                try:
                    iterations = IterationLoop(bound, actor, visitor, self._identity)
                    await driven(iterations.run, context)
                except asyncio.CancelledError:
                    if not self._outlives():
                        raise
                self._enter(UserState.FINISHING)
                await visitor.end()
        finally:
            visitor.leave()
            for session in actor.sessions:
                await session.close()

    def _done(self, _: asyncio.Task[None]) -> None:
        bound = self._bound
        if self.state is UserState.STARTING and bound.queue is not None and bound.punctual:
            bound.punctual.unbegun += 1  # the arrival that it was started for
        self._enter(UserState.ENDED)

    def _enter(self, state: UserState) -> None:
        self.state = state
        self._on_change(self)

    def _outlives(self) -> bool:
        """Say whether a cancellation was an `abort`, which ends no more than what it did."""
        task = asyncio.current_task()
        if not self._aborted or task is None or task.uncancel():
            return False
        self._actor.is_cut = False
        return True

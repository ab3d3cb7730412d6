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
iterating → finishing → ended. Cancelling the task from outside ends it in any state.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from copy import deepcopy
from enum import Enum, auto
from hashlib import blake2b
from random import Random
from typing import Final

from planrunner.engine.users.bound_class import BoundProgram
from planrunner.engine.users.evaluate import evaluated
from planrunner.engine.users.iterations import IterationLoop
from planrunner.engine.users.user_context import Actor, IterationEnded, Step, StepsStopped
from planrunner.graph.run_graph import OnFail
from planrunner.units import NS_PER_S

__all__ = ["UserState", "VirtualUser", "run_once", "user_stream"]


RETRY_NS: Final = NS_PER_S
"""Between a failed block of steps and its next try."""


class UserState(Enum):
    STARTING = auto()
    ITERATING = auto()
    FINISHING = auto()
    ENDED = auto()


async def run_once(actor: Actor, steps: Sequence[Step]) -> bool:
    """Run steps that are no iteration; False at the first failure."""
    actor.failure = ""
    try:
        for step in steps:
            await step(actor)
            if actor.failure:
                return False
    except StepsStopped:
        return True
    except IterationEnded:
        return False
    return True


def user_stream(seed: int, phase: str, user_class: str, index: int) -> Random:
    """Return the stream of all random draws of one user, the same in every run with the seed."""
    origin = f"{seed}\0{phase}\0{user_class}\0{index}".encode()
    return Random(int.from_bytes(blake2b(origin, digest_size=16).digest()))


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
        task = self._task = group.create_task(self._live())
        # Not a `finally` in the coroutine: a task that is cancelled before its first step has none.
        task.add_done_callback(self._done)

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
            self._task.cancel()

    async def _live(self) -> None:
        actor, feeds = self._actor, self._bound.feeds
        try:
            has_rows = feeds.start(actor.scope, actor.rng)
            started = False
            with self._until_aborted():
                started = has_rows and await self._started()
            if started:
                self._enter(UserState.ITERATING)
                # Each coroutine between the task and the request would be passed through twice a
                # request, so there is none here and one in `Rounds`.
                with self._until_aborted():
                    await IterationLoop(self._bound, actor, self._identity).run()
                self._enter(UserState.FINISHING)
                await self._finish()
        finally:
            feeds.end(actor.scope)
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

    @contextmanager
    def _until_aborted(self) -> Iterator[None]:
        """Leave the block at `abort`; the cancellation of anyone else goes through."""
        try:
            yield
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if not self._aborted or task is None or task.uncancel():
                raise

    async def _started(self) -> bool:
        actor, bound = self._actor, self._bound
        on_fail = bound.program.on_start_fail
        try:
            for name, evaluate in bound.program.state:
                # A constant is one object for all users; what one user changes must be its own.
                actor.scope[name] = deepcopy(evaluated(actor, evaluate))
        except IterationEnded:
            started = False
        else:
            started = await self._runs(bound.on_start, on_fail, may_stop=True)
        if not started:
            actor.counters.start_failed(bound.phase, self.user_class, actor.words)
            self._failed("on_start", on_fail)
        return started

    async def _finish(self) -> None:
        program = self._bound.program
        if not await self._runs(self._bound.on_stop, program.on_stop_fail, may_stop=False):
            self._actor.counters.stop_failures += 1
            self._failed("on_stop", program.on_stop_fail)

    def _failed(self, what: str, on_fail: OnFail) -> None:
        if on_fail is OnFail.STOP_PLAN:
            words = self._actor.words
            self._bound.stop_plan(f"`{what}` of a user `{self.user_class}` failed: {words}")

    async def _runs(self, steps: Sequence[Step], on_fail: OnFail, *, may_stop: bool) -> bool:
        """Run steps that are no iteration; False when they failed for good.

        With `may_stop`, a user that has been told to stop doesn't try again.
        """
        actor = self._actor
        while not await run_once(actor, steps):
            if on_fail is not OnFail.RETRY or (may_stop and actor.sleeper.cut):
                return False
            actor.counters.retries += 1
            if may_stop:
                await actor.pause(RETRY_NS)
            else:
                await actor.clock.sleep_until(actor.clock.now_ns() + RETRY_NS)
        return True

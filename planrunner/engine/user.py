"""A virtual user: its life, from `on_start` to its last connection.

| state     | what it does                        | told to stop        | aborted (grace is over)  |
|-----------|-------------------------------------|---------------------|--------------------------|
| starting  | first values of its state, on_start | finishes on_start   | cancelled: ended         |
| iterating | picks, runs steps, waits            | finishes iteration, | cancelled: the request   |
|           |                                     | pauses cost nothing | in flight is `aborted`,  |
|           |                                     | any more            | then finishing           |
| finishing | on_stop                             | -                   | -                        |
| ended     | connections closed                  | -                   | -                        |

starting → iterating, unless on_start failed (→ ended, counted) or was aborted (→ ended);
iterating → finishing → ended. Cancelling the task from outside ends it in any state.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from copy import deepcopy
from enum import Enum, auto
from hashlib import blake2b
from random import Random
from typing import Any, Final

from planrunner.compiler.graph import OnFail, Pick, UserProgram
from planrunner.engine.actor import Actor, IterationEnded, Step, StepsStopped
from planrunner.engine.data import NO_FEEDS, ClassFeeds
from planrunner.engine.evaluate import evaluated
from planrunner.engine.nap import SHORTEST_NS
from planrunner.engine.tasks import BoundTask, settle_pick
from planrunner.engine.timeline import Timeline
from planrunner.load.weights import balanced_picker, random_picker
from planrunner.metrics.series import ABORTED
from planrunner.units import NS_PER_S
from planrunner.values import dataclass

__all__ = ["BoundProgram", "UserState", "VirtualUser", "run_once", "user_stream"]


@dataclass(frozen=True, slots=True)
class BoundProgram:
    """What the users of one class do in one phase.

    Attributes:
        feeds: Gives its users their rows of data.
        next_iteration: Numbers the phase's iterations over all its users.
        stop_plan: Ends the run because of what the words say.
    """

    program: UserProgram
    phase: str
    timeline: Timeline
    tasks: tuple[BoundTask, ...]
    on_start: tuple[Step, ...]
    on_stop: tuple[Step, ...]
    next_iteration: Callable[[], int]
    stop_plan: Callable[[str], None]
    feeds: ClassFeeds = NO_FEEDS


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
        """Let it finish its iteration; a pause ends now."""
        self._actor.nap.cut_short()

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
            if has_rows and await self._until_aborted(self._started):
                self._enter(UserState.ITERATING)
                await self._until_aborted(self._iterate)
                self._enter(UserState.FINISHING)
                await self._finish()
        finally:
            feeds.end(actor.scope)
            for session in actor.sessions:
                await session.close()

    def _done(self, _: asyncio.Task[None]) -> None:
        self._enter(UserState.ENDED)

    def _enter(self, state: UserState) -> None:
        self.state = state
        self._on_change(self)

    async def _until_aborted(self, doing: Callable[[], Coroutine[Any, Any, bool]]) -> bool:
        """Do it to its end, or until `abort`; the cancellation of anyone else goes through."""
        try:
            return await doing()
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if not self._aborted or task is None or task.uncancel():
                raise
            return False

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
            actor.tally.start_failures[bound.phase, self.user_class] += 1
            self._failed("on_start", on_fail)
        return started

    async def _finish(self) -> None:
        program = self._bound.program
        if not await self._runs(self._bound.on_stop, program.on_stop_fail, may_stop=False):
            self._actor.tally.stop_failures += 1
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
            if on_fail is not OnFail.RETRY or (may_stop and actor.nap.cut):
                return False
            actor.tally.retries += 1
            if may_stop:
                await actor.pause(RETRY_NS)
            else:
                await actor.clock.sleep_until(actor.clock.now_ns() + RETRY_NS)
        return True

    async def _iterate(self) -> bool:
        bound, actor = self._bound, self._actor
        nap, tasks = actor.nap, bound.tasks
        pick = self._picker()
        wait = None if bound.program.wait is None else actor.drawer(bound.program.wait)
        next_rows = bound.feeds.iterate if bound.feeds.per_iteration else None
        # The end of the phase is looked at as well: its timer may fire late, or at the same moment.
        while not nap.cut and actor.moment_ns < bound.timeline.ends_ns:
            if next_rows is not None and not next_rows(actor.scope, actor.rng):
                break
            picked = tasks[pick()]
            if bound.program.uses_iteration:
                self._number_iteration()
            task = picked if picked.needs is None else self._settled(picked)
            if task is None:
                took_ns = 0
            else:
                task.begun += 1
                took_ns = await self._iteration(task)
            pause_ns = 0 if wait is None else wait()
            if not took_ns and pause_ns < SHORTEST_NS:
                pause_ns = SHORTEST_NS  # nothing in it waited, so nobody else has had a turn
            if pause_ns:
                await actor.pause(pause_ns)
        return True

    def _settled(self, picked: BoundTask) -> BoundTask | None:
        """Return the task that runs for a pick; None when there is nothing to run."""
        actor = self._actor
        try:
            return settle_pick(actor, picked, self._bound.tasks)
        except IterationEnded:
            actor.tally.end_early(actor.words)
            picked.begun += 1
            picked.record(actor.moment_ns, 0, actor.failure)
            actor.failure = ""
            return None

    async def _iteration(self, task: BoundTask) -> int:
        """Run the steps of one iteration; returns how long they took, 0 if one ended it."""
        actor = self._actor
        began_ns = actor.moment_ns
        ended_early = False
        try:
            for step in task.steps:
                await step(actor)
        except StepsStopped:
            pass
        except IterationEnded:
            ended_early = True
            actor.tally.end_early(actor.words)
        except asyncio.CancelledError:
            actor.tally.aborted += 1
            task.record(began_ns, actor.clock.now_ns() - began_ns, ABORTED)
            raise
        took_ns = actor.moment_ns - began_ns
        task.record(began_ns, took_ns, actor.failure)
        if actor.failure:
            actor.failure = ""
        for name in self._bound.program.iteration_names:
            actor.scope.pop(name, None)
        return 0 if ended_early else took_ns

    def _picker(self) -> Callable[[], int]:
        program, rng = self._bound.program, self._actor.rng
        weights = [task.weight for task in program.tasks]
        if program.pick is Pick.BALANCED:
            return balanced_picker(weights, rng)
        return random_picker(weights, rng)

    def _number_iteration(self) -> None:
        self._actor.scope["iteration"] = self._bound.next_iteration()
        own = self._identity.get("iteration")
        self._identity["iteration"] = own + 1 if isinstance(own, int) else 0

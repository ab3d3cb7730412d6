"""The iterations of one user: picked, counted, run and spaced as its phase's model of load says.

| model            | begins the next iteration                                     | due time      |
|------------------|---------------------------------------------------------------|---------------|
| closed, counted  | after the one before and its `wait`                           | none          |
| with a pace      | `pace` after the later of the last one's due time and start;  | that          |
|                  | an overrun at once                                            |               |
| open             | when an arrival is given to it                                | the arrival's |
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Generator, Sequence
from types import coroutine
from typing import Any, Final

from planrunner.engine.scheduling.arrival_queue import ArrivalQueue, Seat
from planrunner.engine.scheduling.driving import AS_TASK
from planrunner.engine.scheduling.interruptible_sleep import SHORTEST_NS
from planrunner.engine.scheduling.iteration_budget import Quota
from planrunner.engine.scheduling.lateness import LATE_NS
from planrunner.engine.users.bound_class import BoundProgram
from planrunner.engine.users.bound_task import BoundTask, settle_pick
from planrunner.engine.users.chain import TaskChain
from planrunner.engine.users.sessions import EndIteration
from planrunner.engine.users.user_context import Actor, IterationEnded, NeverBegun, StepsStopped
from planrunner.engine.users.visitor import Arrival, Visitor
from planrunner.graph.run_graph import Renewal, TaskPick
from planrunner.metrics.series import ABORTED
from planrunner.schedule.weights import balanced_picker, random_picker

__all__ = ["IterationLoop"]

_EVENTS: Final = (StepsStopped, NeverBegun, IterationEnded, asyncio.CancelledError)
"""What ends an iteration before its last step."""


class IterationLoop:
    """What one user does from its on_start to its on_stop."""

    __slots__ = ("_actor", "_begin", "_bound", "_chain", "_identity", "_pick", "_tasks", "_visitor")

    def __init__(
        self, bound: BoundProgram, actor: Actor, visitor: Visitor, identity: dict[str, object]
    ) -> None:
        self._bound = bound
        self._actor = actor
        self._visitor = visitor
        self._identity = identity
        self._tasks = bound.warm_tasks or bound.tasks
        self._pick = self._picker()
        self._chain = self._chained(self._pick)
        if self._chain is not None:
            self._pick = self._chain.pick
        # Runs one iteration that was due then; False when the user must end.
        self._begin: Callable[[int], Awaitable[bool]] = {
            Renewal.NOTHING: self._one,
            Renewal.SESSION: self._renewed,
            Renewal.LIFE: self._visit,
        }[bound.renewal]
        if actor.ends:
            self._begin = _ending(self._begin, actor.ends)

    def run(self) -> Coroutine[Any, Any, None]:
        """Run iterations until the phase ends or the user is told to stop."""
        queue, is_life = self._bound.queue, self._bound.renewal is Renewal.LIFE
        if queue is not None:
            return self._on_arrival(queue) if is_life else self._freely()
        if self._bound.program.pace_ns:
            return self._paced()
        if self._bound.quota is not None:
            return self._counted(self._bound.quota())
        if is_life:
            return self._visiting()
        return self._freely()

    # The hot path: what `_iteration`, `_conclude`, `SpanRecorder.record` and `Actor.__await__` do
    # is repeated inline, as each call would cost each request 2 %. Not `async`, so that it can
    # yield a wait itself.
    @coroutine
    def _freely(self) -> Generator[Any, None, None]:  # noqa: C901, PLR0912, PLR0915
        bound, actor, pick = self._bound, self._actor, self._pick
        sleeper, tasks, timeline, ends = actor.sleeper, bound.tasks, bound.timeline, actor.ends
        program = bound.program
        numbers, names = program.uses_iteration, program.iteration_names or program.hidden_names
        queue, seat, is_new = bound.queue, Seat() if bound.queue is not None else None, True
        renew = self._visitor.renew if bound.renewal is Renewal.SESSION else None
        wait = self._waits() if queue is None else None
        has_needs = any(task.needs is not None for task in tasks)
        next_rows = bound.feeds.iterate if bound.feeds.per_iteration else None
        while True:
            if queue is None or seat is None:
                # The end of the phase as well: its timer may fire late, or at the same moment.
                if sleeper.cut or actor.moment_ns >= timeline.ends_ns:
                    break
            else:
                if is_new:  # its first due time is set, unless a request of on_start took it
                    is_new = False
                else:
                    actor.due_ns = 0  # if nothing was sent
                    if sleeper.cut or not queue.enter(seat):
                        break
                    actor.wait = seat.wait
                    try:
                        yield actor
                    except BaseException:
                        self._stands_up(seat)
                        raise
                    # What it is given counts as started: it runs, even if the phase ends meanwhile.
                    if not seat.wait.outcome:
                        break
                    actor.due_ns = seat.wait.outcome
                actor.moment_ns = actor.due_ns or actor.moment_ns
                if renew is not None and not renew():
                    yield AS_TASK
                    yield from self._leave_out()
                    continue
            if next_rows is not None and not next_rows(actor.scope, actor.rng):
                self._never_began()
                break
            task: Any = tasks[pick()]
            if numbers:
                self._number_iteration()
            if has_needs and task.needs is not None:
                task = self._settled(task)
            took_ns = 0
            if task is not None:
                task.begun += 1
                began_ns = actor.began_ns = actor.moment_ns
                try:
                    for step in task.steps:
                        rest: Any = step(actor)
                        if rest is actor:
                            try:
                                yield actor
                            except BaseException as cut:
                                actor.hang_up(cut)
                                raise
                            conclude = actor.pending.conclude
                            rest = conclude(actor)
                        if rest is not None:
                            yield AS_TASK
                            yield from rest
                except _EVENTS as event:
                    took_ns = self._cut(task, began_ns, event)
                else:
                    took_ns = actor.moment_ns - began_ns
                    spans = task.spans
                    if actor.failure or not spans.begin_ns <= began_ns < spans.end_ns:
                        self._conclude(task, began_ns)
                    else:
                        append = spans.append
                        append(took_ns)
                        if names or actor.made:
                            self._forget_iteration()
                finally:
                    for end in ends:
                        yield AS_TASK
                        yield from end().__await__()
            if wait is not None or not took_ns:
                pause_ns = 0 if wait is None else wait()
                if not took_ns and pause_ns < SHORTEST_NS:
                    pause_ns = SHORTEST_NS  # nothing in it waited, so no other task has had a turn
                if pause_ns:
                    yield from actor.pause(pause_ns)

    async def _visiting(self) -> None:
        wait = self._waits()
        while self._goes_on() and await self._begin(0):
            await self._rest(0 if wait is None else wait(), None)

    async def _counted(self, quota: Quota) -> None:
        wait = self._waits()
        while self._goes_on() and self._takes(quota):
            if not await self._begin(0):
                break
            await self._rest(0 if wait is None else wait(), quota)

    async def _paced(self) -> None:
        actor, pace_ns = self._actor, self._bound.program.pace_ns
        quota = None if self._bound.quota is None else self._bound.quota()
        # After an overrun iterations are due later than the pace alone would have them.
        due_ns = slot_ns = actor.moment_ns
        over_ns = 0
        try:
            while self._goes_on() and (quota is None or self._takes(quota)):
                began_ns = actor.moment_ns
                slot_ns = self._begins(due_ns, began_ns, slot_ns, over_ns) + pace_ns
                was_due_ns, due_ns = due_ns, max(due_ns, began_ns) + pace_ns
                if not await self._begin(was_due_ns):
                    break
                over_ns = actor.moment_ns - due_ns
                await self._rest(max(-over_ns, 0), quota)
        finally:
            if quota is None:
                self._never_begins(slot_ns)

    def _takes(self, quota: Quota) -> bool:
        """Take an iteration; False when none is left. The first that is no warm-up counts."""
        if not quota.take():
            return False
        bound = self._bound
        if self._tasks is not bound.tasks and not quota.is_warm:
            self._tasks = bound.tasks
            if self._chain is not None:
                self._chain.tasks = bound.tasks
            bound.timeline.count_from(self._actor.moment_ns)
        return True

    def _goes_on(self) -> bool:
        actor = self._actor
        return not actor.sleeper.cut and actor.moment_ns < self._bound.timeline.ends_ns

    async def _rest(self, pause_ns: int, quota: Quota | None) -> None:
        """Wait between two iterations, but not after the last one of a number of them."""
        actor = self._actor
        if not pause_ns or (quota is not None and not quota.left):
            return
        if quota is None:
            await actor.pause(pause_ns)
            return
        quota.rest(actor.sleeper)
        await actor.pause(pause_ns)
        quota.rested(actor.sleeper)

    def _begins(self, due_ns: int, began_ns: int, slot_ns: int, over_ns: int) -> int:
        """Note when an iteration with a due time begins.

        Args:
            due_ns: That time.
            began_ns: Now.
            slot_ns: When the pace alone would have it.
            over_ns: How long after `due_ns` the iteration before it ended.

        Returns:
            The last time at which the pace alone would have had an iteration.
        """
        punctual, pace_ns = self._bound.punctual, self._bound.program.pace_ns
        missed = (began_ns - slot_ns) // pace_ns
        if punctual is not None:
            if due_ns >= punctual.window_ends_ns:
                punctual.enter(due_ns)
            punctual.lateness_ns.append(began_ns - due_ns)
            punctual.missed += missed
            punctual.overran += 0 < over_ns <= LATE_NS
        return slot_ns + missed * pace_ns

    def _never_begins(self, slot_ns: int) -> None:
        """Count what the pace alone would still have had until the phase ended."""
        bound = self._bound
        left_ns = bound.timeline.ends_ns - slot_ns
        # A user that was told to stop earlier owes nothing for the time after that.
        is_over = self._actor.clock.now_ns() >= bound.timeline.ends_ns
        if bound.punctual is not None and is_over and left_ns > 0:
            bound.punctual.missed += -(-left_ns // bound.program.pace_ns)

    async def _on_arrival(self, queue: ArrivalQueue) -> None:
        actor, seat = self._actor, Seat()
        # The first arrival's due time is set already, unless a request of on_start took it.
        due_ns = actor.due_ns
        while True:
            if due_ns:
                actor.moment_ns = due_ns
            if not await self._begin(due_ns):
                self._never_began()
                break
            if actor.sleeper.cut:
                break
            # What it is given counts as started: it runs, even if the phase ends meanwhile.
            try:
                due_ns = await queue.next(seat)
            except asyncio.CancelledError:
                self._stands_up(seat)
                raise
            if not due_ns:
                break

    def _stands_up(self, seat: Seat) -> None:
        """Wait no longer for an arrival: the user is cancelled."""
        seat.wait.is_pending = False
        if seat.was_given:
            self._never_began()

    def _never_began(self) -> None:
        if self._bound.queue is not None and self._bound.punctual is not None:
            self._bound.punctual.unbegun += 1

    async def _renewed(self, due_ns: int) -> bool:
        """Run one iteration with a session of its own; False when the user must end."""
        if self._visitor.renew():
            return await self._one(due_ns)
        await self._leave_out()
        return True

    async def _visit(self, due_ns: int) -> bool:
        """Run one iteration as a visitor of its own; False when the user must end."""
        actor, visitor = self._actor, self._visitor
        actor.due_ns = due_ns
        match await visitor.begin():
            case Arrival.NO_ROWS:
                return False
            case Arrival.FAILED:
                await self._leave_out()
                goes_on = True
            case Arrival.READY:
                # The due time belongs to the first request, which on_start may have sent.
                goes_on = await self._one(actor.due_ns)
        await visitor.end()
        visitor.leave()
        return goes_on

    async def _leave_out(self) -> None:
        """Let an iteration be that could not begin."""
        actor = self._actor
        actor.failure, actor.due_ns = "", 0
        self._never_began()
        await actor.pause(SHORTEST_NS)  # so that others have a turn

    async def _one(self, due_ns: int) -> bool:
        """Run one iteration that was due then; False when the user must end."""
        bound, actor = self._bound, self._actor
        if bound.feeds.per_iteration and not bound.feeds.iterate(actor.scope, actor.rng):
            return False
        picked = self._tasks[self._pick()]
        if bound.program.uses_iteration:
            self._number_iteration()
        task = picked if picked.needs is None else self._settled(picked)
        took_ns = 0
        if task is not None:
            task.begun += 1
            actor.due_ns = due_ns
            took_ns = await self._iteration(task)
        actor.due_ns = 0  # nothing was sent: the next iteration has a due time of its own
        if not took_ns:
            await actor.pause(SHORTEST_NS)  # so that others have a turn
        return True

    def _settled(self, picked: BoundTask) -> BoundTask | None:
        """Return the task that runs for a pick; None when there is nothing to run."""
        actor = self._actor
        try:
            if self._chain is None:
                return settle_pick(actor, picked, self._tasks)
            task = settle_pick(actor, picked, self._tasks, self._chain.among())
            self._chain.ran(task)
            return task
        except IterationEnded as ended:
            actor.counters.end_early(_reason(picked, self._bound.program.name, actor, ended))
            picked.begun += 1
            picked.spans.record(actor.moment_ns, 0, actor.failure)
            actor.failure = ""
            return None

    async def _iteration(self, task: BoundTask) -> int:
        """Run the steps of one iteration; returns how long they took, 0 if one ended it."""
        actor = self._actor
        began_ns = actor.began_ns = actor.moment_ns
        try:
            for step in task.steps:
                if (rest := step(actor)) is not None:
                    await rest
        except _EVENTS as event:
            return self._cut(task, began_ns, event)
        return self._conclude(task, began_ns)

    def _conclude(self, task: BoundTask, began_ns: int) -> int:
        """Record an iteration; returns how long it took."""
        actor = self._actor
        took_ns = actor.moment_ns - began_ns
        task.spans.record(began_ns, took_ns, actor.failure)
        actor.failure = ""
        self._forget_iteration()
        return took_ns

    def _forget_iteration(self) -> None:
        """Take away the names that the iteration has given values."""
        actor, program = self._actor, self._bound.program
        for name in program.iteration_names:
            actor.scope.pop(name, None)
        if program.hidden_names:
            actor.uncover(program.hidden_names)
        if actor.made:
            actor.forget(actor.made)

    def _cut(self, task: BoundTask, began_ns: int, event: BaseException) -> int:
        """Record an iteration that did not reach its last step; 0 unless it took its time."""
        actor = self._actor
        match event:
            case StepsStopped():
                return self._conclude(task, began_ns)
            case NeverBegun():
                task.begun -= 1
            case IterationEnded():
                actor.counters.end_early(_reason(task, self._bound.program.name, actor, event))
                self._conclude(task, began_ns)
            case _:
                actor.counters.aborted += 1
                task.spans.record(began_ns, actor.clock.now_ns() - began_ns, ABORTED)
                raise event
        return 0

    def _waits(self) -> Callable[[], int] | None:
        wait = self._bound.program.wait
        return None if wait is None else self._actor.drawer(wait)

    def _chained(self, first: Callable[[], int]) -> TaskChain | None:
        """Return what picks where tasks follow each other; not for ever new visitors."""
        bound, program = self._bound, self._bound.program
        if bound.renewal is not Renewal.NOTHING or not program.is_chained:
            return None
        return TaskChain(
            self._tasks, program.following, first=first, pick=program.pick, actor=self._actor
        )

    def _picker(self) -> Callable[[], int]:
        program, rng = self._bound.program, self._actor.rng
        weights = [task.weight for task in program.tasks]
        if program.pick is TaskPick.BALANCED:
            return balanced_picker(weights, rng)
        return random_picker(weights, rng)

    def _number_iteration(self) -> None:
        self._actor.scope["iteration"] = self._bound.next_iteration()
        own = self._identity.get("iteration")
        self._identity["iteration"] = own + 1 if isinstance(own, int) else 0


def _ending(
    begin: Callable[[int], Awaitable[bool]], ends: Sequence[EndIteration]
) -> Callable[[int], Awaitable[bool]]:
    """Return what runs an iteration, and then ends what lasts no longer."""

    async def begin_and_end(due_ns: int) -> bool:
        try:
            return await begin(due_ns)
        finally:
            for end in ends:
                await end()

    return begin_and_end


def _reason(task: BoundTask, user_class: str, actor: Actor, ended: IterationEnded) -> str:
    """Return why an iteration ended, with the task, or the class without tasks, and the line."""
    where = [f"task `{task.name}`" if task.name else f"user class `{user_class}`"]
    if ended.origin:
        where.append(ended.origin)
    return f"{actor.words} ({', '.join(where)})"

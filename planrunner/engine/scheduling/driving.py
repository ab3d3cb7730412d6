"""Coroutines that go on where the bytes come in that they wait for.

For each reply a task would be woken by a callback, in a later turn of the event loop. Here the
task stays asleep while a coroutine of it takes one step after the other, each called by the client
(`wire_wait`), and it is woken for everything else: what the coroutine waits for that is no
`WireWait`, its end, and a cancellation. To the coroutine there is no difference: it runs in the
task's context, and `asyncio.current_task` is the task.

To be that takes its time too, so a coroutine that needs it for some steps only may wait with an
`InPlace` of its own. After that it runs in the context, and is no task until it yields `AS_TASK`.

| state   | the task waits for | a `WireWait` ends           | the task is cancelled        |
|---------|--------------------|-----------------------------|------------------------------|
| asleep  | the bed            | the coroutine takes a step  | the bed is cancelled: awake  |
| waking  | the bed, which has | (none is pending)           | what the coroutine waits for |
|         | its result         |                             | is cancelled                 |
| awake   | what the coroutine | (none is pending)           | as in any task               |
|         | waits for          |                             |                              |
"""

from __future__ import annotations

import asyncio
from asyncio import CancelledError, Future, Task
from collections.abc import Callable, Coroutine, Generator
from contextvars import Context
from types import coroutine
from typing import Any, Final, Generic, TypeVar

from planrunner.wire_wait import WireWait, nobody

__all__ = ["AS_TASK", "InPlace", "driven"]

DrivenEnd = TypeVar("DrivenEnd")

# What asyncio documents for whoever runs tasks; its own are entered and left by the same.
_enter, _leave = asyncio._enter_task, asyncio._leave_task  # noqa: SLF001

AS_TASK: Final = object()
"""Yielded to go on as the current task."""


class InPlace:
    """Who waits with `wait` and goes on as no task; yielded itself in the place of that."""

    __slots__ = ("wait",)

    wait: WireWait[Any]


async def driven(
    begin: Callable[[], Coroutine[Any, Any, DrivenEnd]], context: Context
) -> DrivenEnd:
    """Run what `begin` begins; the current task must have been created with this context."""
    task = asyncio.current_task()
    assert task is not None  # it runs
    driver = _Driver(begin(), context, task)
    try:
        return await driver.run()
    finally:
        driver.forget()


class _Bed(Future[None]):
    """What a task waits for while it is asleep."""

    driver: _Driver[Any]

    def cancel(self, msg: object | None = None) -> bool:
        self.driver.stay()
        return super().cancel(msg)


class _Driver(Generic[DrivenEnd]):
    """Drives one coroutine.

    Attributes:
        awaited: What the coroutine waits for.
        bed: What the task waits for while it is asleep, or did.
        error: What the coroutine has ended with while the task was asleep; `StopIteration` for a
            result.
        resume: Takes a step as the task …
        glide: … and as none.
    """

    __slots__ = (
        "awaited",
        "bed",
        "error",
        "glide",
        "loop",
        "resume",
        "run_inside",
        "step",
        "task",
        "work",
    )

    bed: _Bed

    def __init__(
        self, work: Coroutine[Any, Any, DrivenEnd], context: Context, task: Task[Any]
    ) -> None:
        self.work = work
        self.task = task
        self.loop = task.get_loop()
        self.step: Callable[[None], Any] = work.send
        self.run_inside = context.run
        self.resume = self._resume
        self.glide = self._glide
        self.awaited: Any = None
        self.error: BaseException | None = None

    def forget(self) -> None:
        """Hold the coroutine no longer, and be held by no wait."""
        self.stay()
        del self.step, self.run_inside, self.resume, self.glide, self.work
        self.error = self.awaited = None

    def stay(self) -> None:
        """Take no step when a `WireWait` ends: the task has been cancelled, or is over."""
        wait = _wait_of(self.awaited)
        if wait is not None:
            wait.resume = nobody

    def _glide(self) -> None:
        """Take a step: the wait of an `InPlace` has ended."""
        run_inside = self.run_inside  # called through its slot, it would be looked for each time
        try:
            awaited = run_inside(self.step, None)
        except BaseException as error:  # noqa: BLE001 - the task raises it
            self._end(error)
        else:
            if awaited is self.awaited:
                awaited.wait.resume = self.glide
            elif awaited is AS_TASK:
                self._resume()
            else:
                self._await(awaited)

    def _resume(self) -> None:
        """Take a step as the task: a `WireWait` has ended."""
        loop, task = self.loop, self.task
        _enter(loop, task)
        run_inside = self.run_inside
        try:
            awaited = run_inside(self.step, None)
            while awaited is AS_TASK:
                awaited = run_inside(self.step, None)
        except BaseException as error:  # noqa: BLE001 - the task raises it
            self._end(error)
        else:
            if type(awaited) is WireWait:
                self.awaited = awaited
                awaited.resume = self.resume
            else:
                self._await(awaited)
        finally:
            _leave(loop, task)

    def _end(self, error: BaseException) -> None:
        self.error = error
        self._wake()

    def _await(self, awaited: object) -> None:
        self.awaited = awaited
        if not self._goes_on():
            self._wake()

    def _wake(self) -> None:
        if not self.bed.done():  # else the step has cancelled its own task
            self.bed.set_result(None)

    def _goes_on(self) -> bool:
        """Take the next step where a `WireWait` ends; False where it is none that is waited for."""
        awaited = self.awaited
        wait = _wait_of(awaited)
        if wait is None:
            return False
        wait.resume = self.resume if wait is awaited else self.glide
        return True

    @coroutine
    def run(self) -> Generator[Any, None, DrivenEnd]:
        """Be what the task runs."""
        try:
            self.awaited = self.work.send(None)
            while True:
                if self.awaited is AS_TASK:
                    self.awaited = self.work.send(None)
                elif self._goes_on():
                    try:
                        yield from self._made_bed()
                    except CancelledError as cut:
                        self._cut(cut)
                    self._get_up()
                else:
                    try:
                        yield self.awaited
                    except BaseException as error:  # noqa: BLE001 - the coroutine's to catch
                        self.awaited = self.work.throw(error)
                    else:
                        self.awaited = self.work.send(None)
        except StopIteration as end:
            result: DrivenEnd = end.value
            return result

    def _made_bed(self) -> Future[None]:
        bed = self.bed = _Bed(loop=self.loop)
        bed.driver = self
        return bed

    def _get_up(self) -> None:
        if self.error is not None:
            raise self.error

    def _cut(self, cut: CancelledError) -> None:
        """Let the coroutine be cancelled, as a task that it ran in by itself would be."""
        awaited = self.awaited
        if self.error is not None:
            raise cut if isinstance(self.error, StopIteration) else self.error
        if _wait_of(awaited) is not None or awaited is None or not awaited.cancel(*cut.args):
            self.awaited = self.work.throw(cut)
        # Else it waits for what has been cancelled, and goes on when that has ended.


def _wait_of(awaited: object) -> WireWait[Any] | None:
    """Return the wait that a coroutine waits with; None for other things."""
    if type(awaited) is WireWait:
        return awaited
    return awaited.wait if isinstance(awaited, InPlace) else None

"""Coroutines that go on where the bytes come in that they wait for.

For each reply a task would be woken by a callback, in a later turn of the event loop. Here the
task stays asleep while a coroutine of it takes one step after the other, each called by the client
(`wire_wait`), and it is woken for everything else: what the coroutine waits for that is
no `WireWait`, its end, and a cancellation. To the coroutine there is no difference: it runs in the
task's context, and `asyncio.current_task` is the task.

| state   | the task waits for | a `WireWait` ends           | the task is cancelled        |
|---------|--------------------|-----------------------------|------------------------------|
| asleep  | `bed`              | the coroutine takes a step  | `bed` is cancelled: awake    |
| waking  | `bed`, which has   | (none is pending)           | what the coroutine waits for |
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
from typing import Any, Generic, TypeVar

from planrunner.wire_wait import WireWait

__all__ = ["driven"]

DrivenEnd = TypeVar("DrivenEnd")

# What asyncio documents for whoever runs tasks; its own are entered and left by the same.
_enter, _leave = asyncio._enter_task, asyncio._leave_task  # noqa: SLF001


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


class _Driver(Generic[DrivenEnd]):
    """Drives one coroutine.

    Attributes:
        awaited: What the coroutine waits for.
        bed: What the task waits for while it is asleep, or did. Unless it is done, the coroutine
            waits with a `WireWait`.
        error: What the coroutine has ended with while the task was asleep; `StopIteration` for a
            result.
    """

    __slots__ = ("awaited", "bed", "error", "loop", "resume", "run_inside", "step", "task", "work")

    def __init__(
        self, work: Coroutine[Any, Any, DrivenEnd], context: Context, task: Task[Any]
    ) -> None:
        self.work = work
        self.task = task
        self.loop = task.get_loop()
        self.step: Callable[[None], Any] = work.send
        self.run_inside = context.run
        self.resume = self._resume
        self.awaited: Any = None
        self.bed: Future[None] | None = None
        self.error: BaseException | None = None

    def forget(self) -> None:
        """Hold the coroutine no longer: a wait may hold this."""
        del self.step, self.run_inside, self.resume, self.work
        self.error = self.awaited = self.bed = None

    def _resume(self) -> None:
        """Take a step: a `WireWait` has ended."""
        bed = self.bed
        if bed is None or bed.done():
            return  # the task is being cancelled
        loop, task = self.loop, self.task
        try:
            _enter(loop, task)
        except RuntimeError:  # another task runs: that has to end its step first
            loop.call_soon(self._resume_late)
            return
        run_inside = self.run_inside  # called through its slot, it would be looked for each time
        try:
            awaited = run_inside(self.step, None)
        except BaseException as error:  # noqa: BLE001 - the task raises it
            self.error = error
            bed.set_result(None)
        else:
            if awaited is self.awaited:  # a `WireWait`: this was asleep
                awaited.resume = self.resume
            else:
                self._await(awaited, bed)
        finally:
            _leave(loop, task)

    def _await(self, awaited: object, bed: Future[None]) -> None:
        self.awaited = awaited
        if type(awaited) is WireWait:
            awaited.resume = self.resume
        else:
            bed.set_result(None)

    def _resume_late(self) -> None:
        if self.awaited is not None and not self.awaited.is_pending:  # else it waits again
            self._resume()

    @coroutine
    def run(self) -> Generator[Any, None, DrivenEnd]:
        """Be what the task runs."""
        try:
            self.awaited = self.work.send(None)
            while True:
                if type(self.awaited) is WireWait:
                    try:
                        yield from self._lie_down(self.awaited)
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

    def _lie_down(self, awaited: WireWait[Any]) -> Future[None]:
        awaited.resume = self.resume
        bed = self.bed = self.loop.create_future()
        return bed

    def _get_up(self) -> None:
        if self.error is not None:
            raise self.error

    def _cut(self, cut: CancelledError) -> None:
        """Let the coroutine be cancelled, as a task that it ran in by itself would be."""
        awaited = self.awaited
        if self.error is not None:
            raise cut if isinstance(self.error, StopIteration) else self.error
        if type(awaited) is WireWait or awaited is None or not awaited.cancel(*cut.args):
            self.awaited = self.work.throw(cut)
        # Else it waits for what has been cancelled, and goes on when that has ended.

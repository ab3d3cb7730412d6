"""One user's calls: each is a sample, or so many of them as the plan says."""

from __future__ import annotations

import asyncio
from asyncio import CancelledError
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any, Protocol

from planrunner.protocols.base import CUT, FailureKind, Reply, Scope, Session
from planrunner.protocols.python.clients.call import (
    BoundFunction,
    Done,
    How,
    TimeUpError,
    Within,
    awaited_in_row,
    called_in_row,
    is_awaitable,
    no_batch,
    raised,
)
from planrunner.protocols.python.clients.collections import CollectionCount
from planrunner.protocols.python.clients.context import SayLine
from planrunner.protocols.python.clients.isolated import IsolatedProcess
from planrunner.protocols.python.clients.thread_call import ThreadCall
from planrunner.protocols.python.clients.watched import SHORT_NS, watched
from planrunner.protocols.python.operation import RETURNED, PythonReply
from planrunner.protocols.threads import Threads
from planrunner.timing.batches import Calibration
from planrunner.units import format_duration

__all__ = ["CallRoom", "PythonSession"]


class CallRoom(Protocol):
    """What the sessions of a client share."""

    now: Callable[[], int]
    count: CollectionCount
    threads: Threads
    tell: SayLine
    waiting: dict[ThreadCall, int]

    def note_block(self, name: str, took_ns: int) -> None: ...
    def note_queue(self, queued_ns: int, latency_ns: int) -> None: ...
    def give_up(self, name: str) -> None: ...


class PythonSession:
    """One user's calls, one at a time."""

    __slots__ = ("_count", "_now", "_process", "_reply", "_room")

    def __init__(self, room: CallRoom) -> None:
        self._room = room
        self._count = room.count
        self._now = room.now
        self._reply = PythonReply()
        self._process: IsolatedProcess | None = None

    async def send(self, bound: BoundFunction, scope: Scope) -> Reply:  # noqa: C901 - the hot path
        given = bound.given(scope, self._room.tell)
        if not bound.is_quick:
            return await self._elsewhere(bound, given, scope)
        reply, now, count = self._reply, self._now, self._count
        before, began_ns = count.number, now()
        try:
            value = bound.function(**given)
            ended_ns = now()
            if ended_ns - began_ns > SHORT_NS:
                self._room.note_block(bound.name, ended_ns - began_ns)
            if is_awaitable(value):
                value = await self._awaited(bound, value)
                ended_ns = now()
            if ended_ns - began_ns > bound.timeout_ns:
                raise TimeUpError
        except CancelledError as error:
            if _is_told_to_end(error):
                raise
            return self._failed(bound, began_ns, error)
        except BaseException as error:  # noqa: BLE001 - the boundary: a stranger's code
            return self._failed(bound, began_ns, error)
        reply.failure, reply.status, reply.detail = None, RETURNED, ""
        reply.asked_ns = reply.sent_ns = began_ns
        reply.ended_ns = ended_ns
        reply.value = value
        reply.collections = count.number - before
        reply.calls = reply.cpu_ns = reply.peak_rss = None
        if bound.target:
            scope[bound.target] = value
        return reply

    async def _elsewhere(self, bound: BoundFunction, given: dict[str, Any], scope: Scope) -> Reply:
        """Do what takes a thread, another process, or several calls."""
        asked_ns = self._now()
        try:
            calls = bound.calls or await self._calibrated(bound, given)
            done = await self._done(bound, given, calls)
            if done.error is None and is_awaitable(done.value):
                await self._finish(bound, done)
        except TimeUpError as error:
            return self._failed(bound, asked_ns, error)
        if done.error is not None:
            return self._failed(bound, done.asked_ns, done.error)
        reply = self._reply
        reply.failure, reply.status, reply.detail = None, RETURNED, ""
        reply.ended_ns, reply.value = done.ended_ns, done.value
        reply.collections, reply.peak_rss = done.collections, done.peak_rss
        reply.cpu_ns = None if done.cpu_ns is None else done.cpu_ns // calls
        if bound.operation.calls == 1:
            reply.asked_ns, reply.sent_ns, reply.calls = done.asked_ns, done.began_ns, None
        else:
            each_ns = (done.ended_ns - done.began_ns) // calls
            reply.asked_ns = reply.sent_ns = done.ended_ns - each_ns
            reply.calls = calls
        if bound.target:
            scope[bound.target] = done.value
        return reply

    async def _awaited(self, bound: BoundFunction, work: Awaitable[object]) -> object:
        """Await what a function returned; it is named if it holds up everything else."""
        async with Within(bound.timeout_ns):
            return await watched(work, self._now, partial(self._room.note_block, bound.name))

    async def _finish(self, bound: BoundFunction, done: Done) -> None:
        """Await what a function returned from where it was called; then the sample is complete."""
        if bound.operation.calls != 1:
            done.error = no_batch(bound.name)
            return
        work: Any = done.value
        try:
            done.value = await self._awaited(bound, work)
        except CancelledError as error:
            if _is_told_to_end(error):
                raise
            done.error = error
        except BaseException as error:  # noqa: BLE001 - the boundary: a stranger's code
            done.error = error
        done.ended_ns = self._now()

    async def _calibrated(self, bound: BoundFunction, given: dict[str, Any]) -> int:
        """Find how many calls make a millisecond, before the first of them is a sample."""
        calibration = Calibration()
        while not calibration.is_done:
            done = await self._done(bound, given, calibration.calls)
            if done.error is not None:
                return 1  # the sample that follows says what is wrong
            calibration.add(done.ended_ns - done.began_ns)
        bound.calls = calibration.calls
        return calibration.calls

    async def _done(self, bound: BoundFunction, given: dict[str, Any], calls: int) -> Done:
        match bound.how:
            case How.THREAD:
                return await self._in_thread(bound, given, calls)
            case How.PROCESS:
                if self._process is None:
                    self._process = IsolatedProcess(self._now)
                return await self._process.call(bound, given, calls)
            case _:
                return await self._in_loop(bound, given, calls)

    async def _in_loop(self, bound: BoundFunction, given: dict[str, Any], calls: int) -> Done:
        count = self._count
        done = Done(self._now())
        before = count.number
        try:
            if bound.how is How.ASYNC:
                work = awaited_in_row(bound.function, given, calls)
                done.value = await self._awaited(bound, work)
            else:
                done.value = called_in_row(bound.function, given, calls)
        except CancelledError as error:
            if _is_told_to_end(error):
                raise
            done.error = error
        except BaseException as error:  # noqa: BLE001 - the boundary: a stranger's code
            done.error = error
        done.ended_ns = self._now()
        done.collections = count.number - before
        took_ns = done.ended_ns - done.began_ns
        if bound.how is How.INLINE and took_ns > SHORT_NS:
            self._room.note_block(bound.name, took_ns)
        if took_ns > bound.timeout_ns and done.error is None:
            done.error = TimeUpError()
        return done

    async def _in_thread(self, bound: BoundFunction, given: dict[str, Any], calls: int) -> Done:
        room = self._room
        loop = asyncio.get_running_loop()
        call = ThreadCall(bound.function, given, calls, loop=loop, now=self._now, count=self._count)
        done = call.done
        room.waiting[call] = done.asked_ns + bound.timeout_ns
        has_to_wait = room.threads.run(call)
        try:
            await call.told
        except (TimeUpError, CancelledError):
            if not call.has_ended:
                room.give_up(bound.name)
            raise
        finally:
            del room.waiting[call]
        if has_to_wait:
            room.note_queue(done.began_ns - done.asked_ns, done.ended_ns - done.asked_ns)
        return done

    def _failed(self, bound: BoundFunction, began_ns: int, error: BaseException | str) -> Reply:
        reply = self._reply
        reply.asked_ns = reply.sent_ns = began_ns
        reply.ended_ns = self._now()
        reply.status = reply.collections = 0
        reply.calls = reply.cpu_ns = reply.peak_rss = None
        if isinstance(error, TimeUpError):
            limit = format_duration(bound.timeout_ns)
            reply.failure = FailureKind.TIMEOUT
            reply.detail = f"`{bound.name}` took longer than {limit}"
            return reply
        reply.failure = FailureKind.ERROR
        reply.detail = error if isinstance(error, str) else raised(bound.name, error)
        return reply

    def set_header(self, name: str, value: str | None) -> None:
        """Do nothing: a call has no headers."""

    def renew(self) -> None:
        """Do nothing: calls keep nothing of a visitor."""

    def lanes(self, count: int) -> Sequence[Session]:
        return [self, *(PythonSession(self._room) for _ in range(count - 1))]

    async def close(self) -> None:
        if self._process is not None:
            await self._process.close()


def _is_told_to_end(error: CancelledError) -> bool:
    task = asyncio.current_task()
    return task is None or task.cancelling() > 0 or CUT in error.args

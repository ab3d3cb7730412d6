"""Threads that call plain functions, so that the event loop does not wait for them.

Not those of `concurrent.futures`: the interpreter waits for these when it ends, and a function that
never returns would keep the process for ever.
"""

from __future__ import annotations

from asyncio import AbstractEventLoop, Future
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue
from threading import Semaphore, Thread
from typing import Any, Final

from planrunner.protocols.python.clients.call import Done, called_in_row
from planrunner.protocols.python.clients.collections import CollectionCount
from planrunner.protocols.python.clients.imports import Function

__all__ = ["ThreadCall", "Threads"]

_MOST: Final = 256
"""More at a time only make each other wait; what comes then is told as time in a queue."""

Job = Callable[[], None]


class Threads:
    """Starts a thread when none is free; calls that come when there are enough wait for one.

    Attributes:
        size: How many there are.
    """

    def __init__(self, most: int = _MOST) -> None:
        self.size = 0
        self._most = most
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._free = Semaphore(0)

    def run(self, job: Job) -> bool:
        """Have a job done; says whether it has to wait until another one ends."""
        is_free = self._free.acquire(blocking=False)
        self._jobs.put(job)
        if is_free:
            return False
        if self.size >= self._most:
            return True
        self.size += 1
        Thread(target=self._work, name=f"planrunner call {self.size}", daemon=True).start()
        return False

    def lost(self) -> None:
        """Note that a thread will not come back, so that another may take its place."""
        self._most += 1

    def close(self) -> None:
        """Let the threads end that have nothing to do, and the others when they come back."""
        for _ in range(self.size):
            self._jobs.put(None)

    def _work(self) -> None:
        while True:
            try:
                job = self._jobs.get_nowait()
            except Empty:
                self._free.release()
                job = self._jobs.get()
            if job is None:
                return
            job()


class ThreadCall:
    """One sample's calls in a thread.

    Attributes:
        done: Filled by the thread.
        has_ended: Whether the thread is through with it.
        told: Completed in the loop.
    """

    __slots__ = (
        "_calls",
        "_count",
        "_function",
        "_given",
        "_loop",
        "_now",
        "done",
        "has_ended",
        "told",
    )

    def __init__(
        self,
        function: Function,
        given: dict[str, Any],
        calls: int,
        *,
        loop: AbstractEventLoop,
        now: Callable[[], int],
        count: CollectionCount,
    ) -> None:
        self._function, self._given, self._calls = function, given, calls
        self._loop, self._now, self._count = loop, now, count
        self.done = Done(now())
        self.has_ended = False
        self.told: Future[None] = loop.create_future()

    def __call__(self) -> None:
        done = self.done
        before = self._count.number
        done.began_ns = self._now()
        try:
            done.value = called_in_row(self._function, self._given, self._calls)
        except BaseException as error:  # noqa: BLE001 - the boundary: no function ends the thread
            done.error = error
        done.ended_ns = self._now()
        done.collections = self._count.number - before
        self.has_ended = True
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            self._loop.call_soon_threadsafe(self._tell)

    def _tell(self) -> None:
        if not self.told.done():
            self.told.set_result(None)

"""Threads that call plain functions, so that the event loop does not wait for them.

Not those of `concurrent.futures`: the interpreter waits for these when it ends, and a function that
never returns would keep the process for ever.
"""

from __future__ import annotations

from collections.abc import Callable
from queue import Empty, SimpleQueue
from threading import Semaphore, Thread
from typing import Final

__all__ = ["Threads"]

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

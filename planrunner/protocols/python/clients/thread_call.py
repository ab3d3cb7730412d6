"""A sample's calls in a thread."""

from __future__ import annotations

from asyncio import AbstractEventLoop, Future
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from planrunner.protocols.python.clients.call import Done, called_in_row
from planrunner.protocols.python.clients.collections import CollectionCount
from planrunner.protocols.python.clients.imports import Function

__all__ = ["ThreadCall"]


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

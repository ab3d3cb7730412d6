"""What a client waits with for what comes from the network.

A future of asyncio costs an object, and its end a turn of the event loop, each time. A `WireWait`
is used again and again, and what it ends goes on at once, in the call that brought the bytes.

Such a call may be made wherever the event loop itself calls, so whoever ends a wait must have
nothing left to do with what it was for: the waiter has gone on when `end` returns.
"""

from __future__ import annotations

import asyncio
from asyncio import CancelledError
from collections.abc import Callable, Generator
from contextvars import Context
from functools import partial
from types import coroutine
from typing import Any, Final, Generic, TypeVar

__all__ = ["WireWait", "outcome_of"]

WaitOutcome = TypeVar("WaitOutcome")


class WireWait(Generic[WaitOutcome]):
    """The wait of one waiter, which awaits it with `outcome_of`.

    To what drives a user (`engine.scheduling.driving`) it is a mark. To a task it is what a future
    is: the methods with the names of a future's are all that one asks for.

    Attributes:
        is_pending: It has begun, and nothing has ended it.
        outcome: What ended it.
        resume: Lets the waiter go on; set by whoever drives it.
    """

    __slots__ = ("_asyncio_future_blocking", "_is_cancelled", "is_pending", "outcome", "resume")

    get_loop: Final = staticmethod(asyncio.get_running_loop)

    outcome: WaitOutcome
    resume: Callable[[], object]

    def __init__(self) -> None:
        self._asyncio_future_blocking = True
        self._is_cancelled = self.is_pending = False
        self.resume = _nobody

    def begin(self) -> None:
        """Wait from now on, even if the end comes before anybody awaits it."""
        self.is_pending = True
        self.resume = _nobody

    def end(self, outcome: WaitOutcome) -> None:
        """End it; the waiter goes on at once, or in the loop's next turn if a task calls."""
        self.is_pending = False
        self.outcome = outcome
        self.resume()

    def end_soon(self, outcome: WaitOutcome) -> None:
        """End it; the waiter goes on in the loop's next turn."""
        self.is_pending = False
        self.outcome = outcome
        asyncio.get_running_loop().call_soon(self._go_on)

    def _go_on(self) -> None:
        if not self.is_pending:  # else its waiter was cancelled, and waits again
            self.resume()

    # -- what a task asks of what it waits for ----------------------------------------------

    def add_done_callback(self, wake: Callable[[Any], object], *, context: Context) -> None:
        call_soon = asyncio.get_running_loop().call_soon
        self.resume = partial(call_soon, wake, self, context=context)

    def cancel(self, msg: object = None) -> bool:
        del msg
        if self.is_pending:
            self.is_pending, self._is_cancelled = False, True
            self.resume()
        return self._is_cancelled

    def result(self) -> None:
        if self._is_cancelled:
            self._is_cancelled = False
            raise CancelledError


@coroutine
def outcome_of(wait: WireWait[WaitOutcome]) -> Generator[Any, None, WaitOutcome]:
    """Return what ends a wait that has begun."""
    if wait.is_pending:
        wait._asyncio_future_blocking = True  # noqa: SLF001 - a task takes it as a sign, and away
        try:
            yield wait
        finally:
            wait.is_pending = False
    return wait.outcome


def _nobody() -> None:
    """Be what nobody waits with."""

"""What a client waits with for what comes from the network.

A future of asyncio costs an object, and its end a turn of the event loop, each time. A `WireWait`
is used again and again, and what it ends goes on at once, in the call that brought the bytes.

Such a call may be made wherever the event loop itself calls, so whoever ends a wait must have
nothing left to do with what it was for: the waiter has gone on when `end` returns.

A session that has sent something and has nothing more to do before the reply may return the wait
itself: awaiting that gives the reply, by what its `sender` says of its end.
"""

from __future__ import annotations

import asyncio
from asyncio import CancelledError
from collections.abc import Awaitable, Callable, Generator
from contextvars import Context
from functools import partial
from types import coroutine
from typing import Any, Final, Generic, Protocol, TypeVar

__all__ = ["MUCH", "WireSender", "WireWait", "give_way", "nobody", "outcome_of"]

MUCH: Final = 64 * 1024
"""Bytes at once: of small frames or chunks, what takes some 0.1 s of our time."""

WaitOutcome = TypeVar("WaitOutcome")


class WireSender(Protocol):
    """Who returns its wait for what it has sent."""

    def go_on(self, outcome: Any) -> Awaitable[Any] | None:  # noqa: ANN401 - as the wait has it
        """Do what is left, where there is; returns what gives the reply if that takes its time."""

    def let_go(self) -> None:
        """Wait no longer for it: whoever did has been cancelled."""


class WireWait(Generic[WaitOutcome]):
    """The wait of one waiter, which awaits it with `outcome_of`.

    To what drives a user (`engine.scheduling.driving`) it is a mark. To a task it is what a future
    is: the methods with the names of a future's are all that one asks for.

    Attributes:
        is_pending: It has begun, and nothing has ended it.
        outcome: What ended it.
        resume: Lets the waiter go on; set by whoever drives it.
        reply: What comes of it where the wait itself is awaited, and ends with nothing.
        sender: Knows more.
    """

    __slots__ = ("_is_cancelled", "is_pending", "outcome", "reply", "resume", "sender")

    get_loop: Final = staticmethod(asyncio.get_running_loop)

    outcome: WaitOutcome
    resume: Callable[[], object]

    def __init__(self, sender: WireSender | None = None, reply: object = None) -> None:
        self._is_cancelled = self.is_pending = False
        self.resume = nobody
        self.sender: Any = sender
        self.reply: Any = reply

    def begin(self) -> None:
        """Wait from now on, even if the end comes before anybody awaits it."""
        self.is_pending = True
        self.resume = nobody

    def end(self, outcome: WaitOutcome) -> None:
        """End it; the waiter goes on at once, or in the loop's next turn if a task calls.

        Of a wait that only the network ends, the hot path has this inline.
        """
        if asyncio.current_task() is None:
            self.is_pending = False
            self.outcome = outcome
            self.resume()
        else:
            self.end_soon(outcome)

    def end_soon(self, outcome: WaitOutcome) -> None:
        """End it; the waiter goes on in the loop's next turn."""
        self.is_pending = False
        self.outcome = outcome
        asyncio.get_running_loop().call_soon(self._go_on)

    def _go_on(self) -> None:
        if not self.is_pending:  # else its waiter was cancelled, and waits again
            self.resume()

    def __await__(self) -> Generator[Any, None, Any]:
        """Wait for the reply of the sender; the hot path has this inline."""
        if self.is_pending:
            try:
                yield self
            except BaseException:
                self.abandon()
                raise
        rest = self.sender.go_on(self.outcome) if self.outcome else None
        return self.reply if rest is None else (yield from rest.__await__())

    def abandon(self) -> None:
        """Wait no longer: whoever did has been cancelled."""
        self.is_pending = False
        self.sender.let_go()

    __iter__ = __await__  # for `yield from`

    # -- what a task asks of what it waits for ----------------------------------------------

    @property
    def _asyncio_future_blocking(self) -> bool:
        """The sign that it can be waited for; a task takes it away, and it is there again."""
        return True

    @_asyncio_future_blocking.setter
    def _asyncio_future_blocking(self, is_blocking: bool) -> None:
        pass

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
        try:
            yield wait
        finally:
            wait.is_pending = False
    return wait.outcome


def nobody() -> None:
    """Be what nobody waits with."""


def give_way(transport: asyncio.Transport) -> None:
    """Read on when others had their turn: uvloop reads 32 times in a row while there is more."""
    transport.pause_reading()
    asyncio.get_running_loop().call_soon(_read_on, transport)


def _read_on(transport: asyncio.Transport) -> None:
    if not transport.is_closing():
        transport.resume_reading()

"""Arrivals given out as their time comes, in the calls of the timer: no task is woken for one.

An arrival that is given to an idle user has sent its request when the timer's call returns.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Final

from planrunner.clock import Clock
from planrunner.engine.scheduling.arrival_queue import ArrivalQueue
from planrunner.engine.scheduling.interruptible_sleep import InterruptibleSleep
from planrunner.engine.scheduling.lateness import Punctuality
from planrunner.engine.scheduling.timeline import FOREVER_NS
from planrunner.units import NS_PER_MS

__all__ = ["Dealing"]

_MOST_AT_ONCE: Final = 16
"""Arrivals given out without letting the users that got them work.

After a stall hundreds are due. Given out at once, each would start a user, for far more work than
the request itself; in small portions the first users are idle again for the next.
"""

_STALLED_NS: Final = NS_PER_MS
"""Woken so late, replies have come meanwhile: their users may be idle once they have seen them."""


class Dealing:
    """Gives the arrivals of one schedule to idle users, or to new ones.

    It is what a clock wakes itself, see `Wakeable`.

    Args:
        arrivals: When each is due (clock time), in order, and the position of its class.
        sleeper: Of the phase: nothing is given out once it is cut.
        queues: Where users of each class are idle.
        starts: Starts a user of a class for an arrival that was due then; False if none may.
        punctual: Counts.

    Attributes:
        until_ns: Arrivals that are due from then on are another schedule's.
    """

    def __init__(
        self,
        arrivals: Iterator[tuple[int, int]],
        *,
        clock: Clock,
        sleeper: InterruptibleSleep,
        queues: Sequence[ArrivalQueue],
        starts: Callable[[int, int], bool],
        punctual: Punctuality,
    ) -> None:
        self._arrivals = arrivals
        self._clock = clock
        self._sleeper = sleeper
        self._queues = queues
        self._starts = starts
        self._punctual = punctual
        self._loop = asyncio.get_running_loop()
        self._next = next(arrivals, None)
        self._last_call = partial(self._deal_now, is_last=True)
        self._is_awaited = False  # it is to be called
        self._error: Exception | None = None
        self.until_ns = FOREVER_NS

    @property
    def is_over(self) -> bool:
        """Whether no arrival of the schedule is left."""
        return self._error is not None or self._next is None or self._next[0] >= self.until_ns

    def go_on(self) -> None:
        """Begin, or go on if there was no arrival left until now."""
        if not self._is_awaited:
            self._deal()

    async def wait(self) -> None:
        """Return when it is over, or the phase is cut.

        Raises:
            Exception: What went wrong when a user was started.
        """
        await self._sleeper.until_over(self, FOREVER_NS)
        if self._error is not None:
            raise self._error

    def miss_rest(self) -> None:
        """Count what has been due when the phase was cut, and no user got."""
        now_ns, punctual = self._clock.now_ns(), self._punctual
        while not self.is_over and self._next is not None and self._next[0] < now_ns:
            if self._next[0] >= punctual.window_ends_ns:
                punctual.enter(self._next[0])
            punctual.missed += 1
            self._next = next(self._arrivals, None)

    def stop(self) -> None:
        """Give out nothing more, for whatever reason."""
        self._is_awaited, self._next = False, None

    def _deal(self, *, is_last: bool = False) -> None:
        """Give out what is due, and come back when the next arrival is.

        None is dropped before users whose reply is there have had their turn: `is_last` after that.
        """
        self._is_awaited = False
        now, sleeper, punctual = self._clock.now_ns, self._sleeper, self._punctual
        at_once = 0
        while self._next is not None and not sleeper.cut:
            due_ns, position = self._next
            if due_ns >= self.until_ns:
                break
            if (now_ns := now()) < due_ns:
                self._is_awaited = True
                self._clock.wake(self, due_ns)
                return
            if at_once == _MOST_AT_ONCE:  # behind: those who got arrivals must have their turn
                self._come_back()
                return
            at_once += 1
            if due_ns >= punctual.window_ends_ns:
                punctual.enter(due_ns)
            if self._queues[position].give(due_ns) or self._starts(position, due_ns):
                punctual.lateness_ns.append(now_ns - due_ns)
            elif is_last:
                punctual.dropped += 1
            else:
                self._come_back()
                return
            self._next = next(self._arrivals, None)
        sleeper.wake()

    def _come_back(self) -> None:
        """Go on when the network has had its turn."""
        self._is_awaited = True
        self._loop.call_soon(self._loop.call_soon, self._last_call)

    def _deal_now(self, *, is_last: bool) -> None:
        """Go on where no task calls."""
        if self._is_awaited:
            try:
                self._deal(is_last=is_last)
            except Exception as error:  # noqa: BLE001 - who waits raises it
                self._error = error
                self._sleeper.wake()

    # -- what a clock asks of whom it wakes --------------------------------------------------

    def get_loop(self) -> asyncio.AbstractEventLoop:
        return self._loop

    def done(self) -> bool:
        return not self._is_awaited

    def set_result(self, _: None, /) -> None:
        if self._next is not None and self._clock.now_ns() > self._next[0] + _STALLED_NS:
            self._come_back()
        else:
            self._deal_now(is_last=False)

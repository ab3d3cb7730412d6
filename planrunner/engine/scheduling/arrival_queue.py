"""Where users of the open model wait for their next arrival."""

from __future__ import annotations

import asyncio

__all__ = ["ArrivalQueue", "Seat"]


class Seat:
    """One user's place: the due time of what it has been given, 0 for nothing more."""

    __slots__ = ("due_ns", "waiter")

    def __init__(self) -> None:
        self.due_ns = 0
        self.waiter: asyncio.Future[None] | None = None


class ArrivalQueue:
    """The idle users of one class in one phase; the most recently idle one comes first."""

    __slots__ = ("_closed", "_idle")

    def __init__(self) -> None:
        self._idle: list[Seat] = []
        self._closed = False

    def __len__(self) -> int:
        return len(self._idle)

    async def next(self, seat: Seat) -> int:
        """Wait for an arrival; returns when it was due, or 0 when there are no more."""
        if self._closed:
            return 0
        seat.due_ns = 0
        waiter = seat.waiter = asyncio.get_running_loop().create_future()
        self._idle.append(seat)
        await waiter
        return seat.due_ns

    def give(self, due_ns: int) -> bool:
        """Give an arrival to the most recently idle user; False when no user is idle."""
        while self._idle:
            seat = self._idle.pop()
            if _wake(seat, due_ns):
                return True
        return False

    def dismiss(self) -> bool:
        """Send home the user that has been idle the longest; False when no user is idle."""
        while self._idle:
            if _wake(self._idle.pop(0), 0):
                return True
        return False

    def close(self) -> None:
        """Send home all users, now or when they come back."""
        self._closed = True
        while self.dismiss():
            pass


def _wake(seat: Seat, due_ns: int) -> bool:
    waiter = seat.waiter
    if waiter is None or waiter.done():  # its user was cancelled
        return False
    seat.due_ns = due_ns
    waiter.set_result(None)
    return True

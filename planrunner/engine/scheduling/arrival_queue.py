"""Where users of the open model wait for their next arrival."""

from __future__ import annotations

from planrunner.wire_wait import WireWait, outcome_of

__all__ = ["ArrivalQueue", "Seat"]


class Seat:
    """One user's place: its wait ends with the due time of what it is given, 0 for nothing more.

    The user's task stays asleep meanwhile, as it does for replies.
    """

    __slots__ = ("wait",)

    def __init__(self) -> None:
        self.wait: WireWait[int] = WireWait()

    @property
    def was_given(self) -> bool:
        """Whether an arrival is what ended the last wait, even if its user was cancelled since."""
        return self.wait.outcome != 0


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
        return await outcome_of(seat.wait) if self.enter(seat) else 0

    def enter(self, seat: Seat) -> bool:
        """Begin to wait for an arrival; False when there are no more."""
        if self._closed:
            return False
        wait = seat.wait
        wait.outcome = 0
        wait.begin()
        self._idle.append(seat)
        return True

    def give(self, due_ns: int) -> bool:
        """Give an arrival to the most recently idle user; False when no user is idle.

        It takes its first steps at once, or in the loop's next turn if a task calls.
        """
        while self._idle:
            wait = self._idle.pop().wait
            if wait.is_pending:  # else its user was cancelled
                wait.end(due_ns)
                return True
        return False

    def dismiss(self) -> bool:
        """Send home the user that has been idle the longest; False when no user is idle."""
        while self._idle:
            wait = self._idle.pop(0).wait
            if wait.is_pending:
                wait.end_soon(0)
                return True
        return False

    def close(self) -> None:
        """Send home all users, now or when they come back."""
        self._closed = True
        while self.dismiss():
            pass

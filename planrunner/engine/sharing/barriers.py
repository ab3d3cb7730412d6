"""A point at which the users of a phase wait for each other."""

from __future__ import annotations

from planrunner.engine.sharing.claimants import Claimant
from planrunner.graph.run_graph import ALL_USERS

__all__ = ["Barrier"]


class Barrier:
    """Lets users through together, time after time.

    | users                                    | how many it waits for                    |
    |------------------------------------------|------------------------------------------|
    | all                                      | as many as there are now                 |
    | N, which there are, or never were so far | N                                        |
    | N, which there were, but fewer are left  | those who are left: nobody else can come |
    | N, but no more than M can come any more  | M, as if that was its number             |

    Args:
        users: How many, or `ALL_USERS`.
        is_ready: Whether it is known how many there are.
    """

    __slots__ = ("_live", "_most", "_users", "_waiting", "is_ready")

    def __init__(self, users: int, *, is_ready: bool = True) -> None:
        self._users = users
        self._live = self._most = 0
        self._waiting: dict[Claimant, None] = {}
        self.is_ready = is_ready

    def join(self, users: int = 1) -> None:
        """Count users that have started and may come here; fewer than 0 for those who left."""
        if not self._live:
            self._most = 0  # a level of a search begins
        self._live += users
        self._most = max(self._most, self._live)
        self.look()

    def leave(self) -> None:
        """Count a user that won't come any more."""
        self.join(-1)

    def arrive(self, waiter: Claimant) -> None:
        """Give the waiter a sign once it may go on."""
        self._waiting[waiter] = None
        self.look()

    def withdraw(self, waiter: Claimant) -> None:
        """Forget a waiter, if it still waits."""
        self._waiting.pop(waiter, None)

    def at_most(self, users: int) -> None:
        """Wait for no more than can come: a worker is gone, and its users with it."""
        if self._users != ALL_USERS:
            self._users = min(self._users, max(users, 1))
        self.look()

    def look(self) -> None:
        """Let through those who are enough."""
        while self.is_ready and len(self._waiting) >= (enough := self._enough()):
            for waiter in tuple(self._waiting)[:enough]:
                del self._waiting[waiter]
                waiter.give(None)

    def _enough(self) -> int:
        if self._users == ALL_USERS or self._live < self._users <= self._most:
            return max(self._live, 1)
        return self._users

"""The sessions of users: opened by their number, and told where an iteration ends."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import cast

from planrunner.protocols.base import (
    Client,
    IterationBound,
    IterationSession,
    Numbering,
    Session,
)

__all__ = ["EndIteration", "Sessions", "opener"]

EndIteration = Callable[[], Awaitable[None]]


def opener(client: Client) -> Callable[[int], Session]:
    """Return what opens a session for the user of a number."""
    if isinstance(client, Numbering):
        return client.session_of
    return lambda _: client.session()


class Sessions:
    """Opens one session of each client; what clients can do is looked at once."""

    def __init__(self, clients: Sequence[Client]) -> None:
        self._openers = [opener(client) for client in clients]
        self._ending = [
            place
            for place, client in enumerate(clients)
            if isinstance(client, IterationBound) and client.ends_iterations
        ]

    def open(self, number: int = 0) -> list[Session]:
        return [open_one(number) for open_one in self._openers]

    def ends(self, sessions: Sequence[Session]) -> Sequence[EndIteration]:
        """Return what to call after each iteration; nothing, in most plans."""
        return [cast("IterationSession", sessions[place]).end_iteration for place in self._ending]

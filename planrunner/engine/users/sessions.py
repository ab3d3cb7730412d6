"""The sessions of users: opened by their number, and told where an iteration ends."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from typing import Final, cast

from planrunner.protocols import registry
from planrunner.protocols.base import Client, Session
from planrunner.protocols.telling_clients import (
    Accompanying,
    IterationBound,
    IterationSession,
    Numbering,
)

__all__ = ["EndIteration", "Sessions", "opener"]

EndIteration = Callable[[], Awaitable[None]]


def opener(client: Client) -> Callable[[int], Session]:
    """Return what opens a session for the user of a number."""
    if isinstance(client, Numbering):
        return client.session_of
    return lambda _: client.session()


class Sessions:
    """Opens one session of each client; what clients can do is looked at once.

    Args:
        clients: By what exchanges name as their protocol.
    """

    def __init__(self, clients: Mapping[str, Client]) -> None:
        self._openers = [opener(client) for client in clients.values()]
        self._ending = [
            place
            for place, client in enumerate(clients.values())
            if isinstance(client, IterationBound) and client.ends_iterations
        ]
        self._pairs: Final = tuple(_pairs(list(clients)))

    def open(self, number: int = 0) -> list[Session]:
        sessions = [open_one(number) for open_one in self._openers]
        for place, base in self._pairs:
            cast("Accompanying", sessions[place]).accompany(sessions[base])
        return sessions

    def ends(self, sessions: Sequence[Session]) -> Sequence[EndIteration]:
        """Return what to call after each iteration; nothing, in most plans."""
        return [cast("IterationSession", sessions[place]).end_iteration for place in self._ending]


def _pairs(channels: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Yield the places of channels that build on another one, each with that one's."""
    for place, channel in enumerate(channels):
        if base := registry.base_of(channel, channels):
            yield place, channels.index(base)

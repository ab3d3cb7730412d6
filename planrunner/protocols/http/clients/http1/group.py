"""The HTTP/2 connections of one user: its lanes share them, and open one where they have to."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol

from planrunner.protocols.base import Reply
from planrunner.protocols.http.clients.http1.open_connection import (
    ConnectionOwner,
    OpenConnection,
    SharedConnection,
)
from planrunner.protocols.http.url import Origin

__all__ = ["ConnectionGroup"]


class Member(ConnectionOwner, Protocol):
    """A session of the group.

    Attributes:
        connections: Its own and its places, by origin.
        reply: Of its requests.
    """

    connections: dict[str | None, OpenConnection]
    reply: Reply


class ConnectionGroup:
    """What the lanes of one user have open together.

    Args:
        streams: Requests side by side on one connection; 0 leaves it to the lanes there are.
        http1_only: Origins that don't speak HTTP/2, as any user has seen.
    """

    __slots__ = ("_connections", "_http1_only", "_opening", "_streams")

    def __init__(self, streams: int, http1_only: set[str]) -> None:
        self._streams = streams
        self._http1_only = http1_only
        self._connections: dict[str, list[SharedConnection]] = {}
        self._opening: dict[str, asyncio.Future[None]] = {}

    @property
    def is_multiplexing(self) -> bool:
        """Some connection of this user is shared."""
        return bool(self._connections)

    def join(self, member: Member, origin: Origin) -> OpenConnection | None:
        """Return a place for `member` on a connection that is open; None when there is no room."""
        key = str(origin)
        mine = member.connections.get(key)
        if mine is not None and mine.shared is not None and mine.is_usable:
            return mine
        usable = [one for one in self._connections.get(key, ()) if one.is_usable]
        if usable:
            self._connections[key] = usable
        else:
            self._connections.pop(key, None)
        for connection in usable:
            most = connection.max_streams
            if connection.places < min(self._streams or most, most):
                lane = member.connections[key] = connection.lane(member, member.reply)
                return lane
        return None

    async def open(
        self, member: Member, origin: Origin, dial: Callable[[Origin], Awaitable[OpenConnection]]
    ) -> OpenConnection:
        """Open a connection with `dial`, unless another lane opens one with room for this too.

        Raises:
            WireFault: It can't be opened.
        """
        key = str(origin)
        while key not in self._http1_only and (opening := self._opening.get(key)) is not None:
            await asyncio.shield(opening)
            if (lane := self.join(member, origin)) is not None:
                return lane
        if key in self._http1_only:
            return await dial(origin)
        self._opening[key] = opened = asyncio.get_running_loop().create_future()
        try:
            connection = await dial(origin)
        finally:
            del self._opening[key]
            opened.set_result(None)
        if connection.shared is None:
            self._http1_only.add(key)
        else:
            self._connections.setdefault(key, []).append(connection.shared)
        return connection

"""Connections to the members of a cluster, and the token that all of them accept."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from planrunner.protocols.etcd.operation import EtcdSettings
from planrunner.protocols.over_grpc.channels import connect, open_channel, tls_credentials
from planrunner.protocols.over_grpc.network import grpc

__all__ = ["Access", "Connection", "ConnectionPool"]


class Access:
    """How to reach the members: addresses, TLS, user; one for a client.

    Raises:
        CannotRun: A certificate can't be read.
    """

    def __init__(self, settings: EtcdSettings, stubs: Any) -> None:  # noqa: ANN401 - generated
        self.stubs = stubs
        self.endpoints = settings.endpoints
        self.metadata: tuple[tuple[str, str], ...] | None = None
        self._username, self._password = settings.username, settings.password
        self._credentials = (
            tls_credentials(settings.ca, settings.cert, settings.key)
            if settings.is_secure
            else None
        )
        self._asking = asyncio.Lock()

    @property
    def needs_token(self) -> bool:
        return bool(self._username) and self.metadata is None

    def channel(self, endpoint: str) -> grpc.aio.Channel:
        return open_channel(endpoint, self._credentials)

    async def renew(self, line: Connection, stale: object, timeout_s: float) -> None:
        """Ask for a token unless another user has replaced the `stale` one meanwhile.

        Raises:
            AioRpcError: There is none to be had.
        """
        async with self._asking:
            if self.metadata is not stale or not self._username:
                return
            request = self.stubs.AuthenticateRequest(name=self._username, password=self._password)
            answer = await line.authenticate(request, timeout=timeout_s)
            self.metadata = (("token", answer.token),)


class Connection:
    """A connection to one member.

    Attributes:
        endpoint: Its `host:port`.
        is_open: It was connected when it was last looked at.
        calls: By action: `Put`, `Get` …
    """

    __slots__ = ("_channel", "authenticate", "calls", "endpoint", "is_open", "watch")

    def __init__(self, access: Access, endpoint: str) -> None:
        self.endpoint = endpoint
        self._channel = channel = access.channel(endpoint)
        stubs = access.stubs
        kv, lease = stubs.KVStub(channel), stubs.LeaseStub(channel)
        self.calls: dict[str, Callable[..., Any]] = {
            "put": kv.Put,
            "get": kv.Range,
            "delete": kv.DeleteRange,
            "txn": kv.Txn,
            "lease": lease.LeaseGrant,
        }
        self.watch: Callable[..., Any] = stubs.WatchStub(channel).Watch
        self.authenticate: Callable[..., Any] = stubs.AuthStub(channel).Authenticate
        self.is_open = False

    async def connect(self, timeout_s: float) -> bool:
        """Wait until there is a connection, or until it is known that there is none now."""
        self.is_open = await connect(self._channel, timeout_s)
        return self.is_open

    async def close(self) -> None:
        await self._channel.close()


class ConnectionPool:
    """One connection at a time, to whichever member answers."""

    __slots__ = ("_access", "_at", "_lines")

    def __init__(self, access: Access) -> None:
        self._access = access
        self._lines: list[Connection | None] = [None] * len(access.endpoints)
        self._at = 0

    def __len__(self) -> int:
        return len(self._lines)

    @property
    def current(self) -> Connection:
        line = self._lines[self._at]
        if line is None:
            line = self._lines[self._at] = Connection(
                self._access, self._access.endpoints[self._at]
            )
        return line

    def leave(self, line: Connection) -> None:
        """Go on with the next member, unless a user that shares these lines already has."""
        line.is_open = False
        if line is self._lines[self._at]:
            self._at = (self._at + 1) % len(self._lines)

    async def close(self) -> None:
        lines: Sequence[Connection | None] = self._lines
        self._lines = [None] * len(lines)
        for line in lines:
            if line is not None:
                await line.close()

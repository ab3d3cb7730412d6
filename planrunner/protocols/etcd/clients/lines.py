"""Connections to the members of a cluster, and the token that all of them accept."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from planrunner.errors import CannotRun
from planrunner.language.files import MAX_READ, FileFault, read_file
from planrunner.protocols.etcd.network import grpc
from planrunner.protocols.etcd.operation import EtcdSettings

__all__ = ["CHANNEL_OPTIONS", "Access", "Connection", "ConnectionPool"]

CHANNEL_OPTIONS: Final = (
    # Channels with equal settings share a connection unless told not to: a user has its own.
    ("grpc.use_local_subchannel_pool", 1),
    ("grpc.enable_http_proxy", 0),  # the environment's proxies are ignored, as for HTTP
    ("grpc.enable_retries", 0),  # a failure that gRPC hides would be missing in the results
    # Calls are small and one at a time: these save some 5 % of the processor's time.
    ("grpc.optimization_target", "latency"),
    ("grpc.http2.bdp_probe", 0),
    ("grpc.max_receive_message_length", -1),
    ("grpc.max_send_message_length", -1),
    # A member that is restarted is back within a second; the default waits up to two minutes.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 5_000),  # this is how long one attempt may take
    ("grpc.max_reconnect_backoff_ms", 1_000),
)
_WAITING: Final = (grpc.ChannelConnectivity.IDLE, grpc.ChannelConnectivity.CONNECTING)


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
        self._credentials = _credentials(settings) if settings.is_secure else None
        self._asking = asyncio.Lock()

    @property
    def needs_token(self) -> bool:
        return bool(self._username) and self.metadata is None

    def channel(self, endpoint: str) -> grpc.aio.Channel:
        if self._credentials is None:
            return grpc.aio.insecure_channel(endpoint, options=CHANNEL_OPTIONS)
        return grpc.aio.secure_channel(endpoint, self._credentials, options=CHANNEL_OPTIONS)

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


def _credentials(settings: EtcdSettings) -> grpc.ChannelCredentials:
    return grpc.ssl_channel_credentials(
        root_certificates=_read(settings.ca),
        private_key=_read(settings.key),
        certificate_chain=_read(settings.cert),
    )


def _read(path: Path | None) -> bytes | None:
    if path is None:
        return None
    try:
        return read_file(path, most=MAX_READ)
    except FileFault as fault:
        raise CannotRun(f"`{path}` {fault.message}", hint=fault.hint) from fault


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
        channel = self._channel
        try:
            async with asyncio.timeout(timeout_s):
                while (state := channel.get_state(try_to_connect=True)) in _WAITING:
                    await channel.wait_for_state_change(state)
        except TimeoutError:
            return False
        self.is_open = state is grpc.ChannelConnectivity.READY
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

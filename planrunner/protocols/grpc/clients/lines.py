"""A connection to the server, and the calls that go over it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from planrunner.protocols.grpc.operation import GrpcSettings
from planrunner.protocols.grpc.schema.methods import GrpcMethod
from planrunner.protocols.over_grpc.channels import connect, open_channel, tls_credentials
from planrunner.protocols.over_grpc.network import grpc

__all__ = ["GrpcLine", "LineOpener"]

_MOST_RECEIVED: Final = 64 * 1024 * 1024
"""Bytes of a message; what a server announces beyond them isn't waited for."""

_READY: Final = grpc.ChannelConnectivity.READY


class LineOpener:
    """Opens connections as settings say.

    Raises:
        CannotRun: A certificate can't be read.
    """

    def __init__(self, settings: GrpcSettings) -> None:
        self.target = settings.target
        self._credentials = (
            tls_credentials(settings.ca, settings.cert, settings.key)
            if settings.is_secure
            else None
        )

    def open(self) -> GrpcLine:
        return GrpcLine(
            open_channel(
                self.target,
                self._credentials,
                ("grpc.max_receive_message_length", _MOST_RECEIVED),
            )
        )


class GrpcLine:
    """One channel; it connects when it is first used."""

    __slots__ = ("_calls", "_get_state", "channel")

    def __init__(self, channel: Any) -> None:  # noqa: ANN401 - grpc has no types
        self.channel = channel
        self._get_state = channel.get_state
        self._calls: dict[str, Callable[..., Any]] = {}

    @property
    def is_open(self) -> bool:
        """Whether there is a connection now: servers close those that are idle."""
        return bool(self._get_state() is _READY)

    def callable_of(self, method: GrpcMethod) -> Callable[..., Any]:
        """Return what calls a method with bytes, for bytes."""
        found = self._calls.get(method.path)
        if found is None:
            takes = "stream" if method.takes_stream else "unary"
            gives = "stream" if method.gives_stream else "unary"
            found = getattr(self.channel, f"{takes}_{gives}")(method.path)
            self._calls[method.path] = found
        return found

    async def connect(self, timeout_s: float) -> bool:
        """Wait until there is a connection, or until it is known that there is none now."""
        return await connect(self.channel, timeout_s)

    async def close(self) -> None:
        await self.channel.close()

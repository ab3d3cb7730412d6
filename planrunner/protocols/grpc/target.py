"""What calls are aimed at: what a run says and checks beforehand."""

from __future__ import annotations

from collections.abc import Iterator

from planrunner.protocols.base import Exchange
from planrunner.protocols.grpc.operation import GrpcSettings
from planrunner.protocols.plugin import ClientChoice, Reach, TargetHost

__all__ = ["choose_client", "hosts", "reach", "transport"]


def choose_client(settings: GrpcSettings) -> ClientChoice:
    """Say how many connections there will be: it is what speed depends on."""
    shared = settings.channels
    words = f"{shared} shared connections" if shared else "a connection for each user"
    return ClientChoice("aio", words + (" over TLS" if settings.is_secure else ""))


def hosts(exchange: Exchange, settings: GrpcSettings) -> Iterator[TargetHost]:
    """Yield the host that the call goes to."""
    del exchange
    if settings.target:
        host, _ = _address(settings)
        yield TargetHost(host, host)


def reach(settings: GrpcSettings) -> Iterator[Reach]:
    """Yield the server, which must accept a connection."""
    if settings.target:
        yield Reach(
            addresses=(_address(settings),),
            shown=f"`{settings.target}`",
            nobody="no gRPC server",
            hint="start it, or correct `grpc.target`; nothing was sent",
        )


def transport() -> str:
    """Say what sends the calls, with the versions that its speed depends on."""
    from planrunner.protocols.over_grpc.network import describe  # noqa: PLC0415 - it imports gRPC

    return describe()


def _address(settings: GrpcSettings) -> tuple[str, int]:
    host, _, port = settings.target.rpartition(":")
    return host.strip("[]"), int(port)

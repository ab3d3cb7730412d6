"""What etcd requests are aimed at: what a run says and checks beforehand."""

from __future__ import annotations

from collections.abc import Iterator

from planrunner.protocols.base import Exchange
from planrunner.protocols.etcd.operation import EtcdSettings
from planrunner.protocols.plugin import ClientChoice, Reach, TargetHost

__all__ = ["choose_client", "hosts", "reach"]


def choose_client(settings: EtcdSettings) -> ClientChoice:
    """Say how many connections there will be: it is what speed depends on."""
    shared = settings.connections
    words = f"{shared} shared connections" if shared else "a connection for each user"
    return ClientChoice("grpc", words)


def hosts(exchange: Exchange, settings: EtcdSettings) -> Iterator[TargetHost]:
    """Yield the hosts of all members: any of them may get a request."""
    del exchange
    for host, _ in _addresses(settings):
        yield TargetHost(host, host)


def reach(settings: EtcdSettings) -> Iterator[Reach]:
    """Yield the members, one of which must accept a connection."""
    if settings.endpoints:
        yield Reach(
            addresses=tuple(_addresses(settings)),
            shown=", ".join(f"`{endpoint}`" for endpoint in settings.endpoints),
            nobody="no etcd",
            hint="start it, or correct `etcd.endpoints`; nothing was sent",
        )


def _addresses(settings: EtcdSettings) -> Iterator[tuple[str, int]]:
    for endpoint in settings.endpoints:
        host, _, port = endpoint.rpartition(":")
        yield host.strip("[]"), int(port)

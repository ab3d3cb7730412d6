"""Which protocols there are, and which client sends which: names only, imported when needed."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from types import MappingProxyType
from typing import Final, cast

from planrunner.errors import Misuse
from planrunner.protocols.base import ClientFactory

__all__ = ["CLIENTS", "client_names", "resolve"]

CLIENTS: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType(
    {
        "http": MappingProxyType(
            {
                "wire": "planrunner.protocols.http.clients.http1.client:open",
                "httpx": "planrunner.protocols.http.clients.httpx.client:open",
            }
        ),
        "etcd": MappingProxyType({"grpc": "planrunner.protocols.etcd.clients.grpc_aio:open"}),
    }
)
"""Protocol → client → `module:function`; the first client is the protocol's default."""


def client_names(protocol: str) -> tuple[str, ...]:
    """Return the clients of a protocol, its default first."""
    return tuple(CLIENTS.get(protocol, ()))


def resolve(name: str) -> ClientFactory:
    """Import what a client name such as `package.module:open` stands for.

    Raises:
        Misuse: The name stands for nothing callable.
    """
    module, colon, attribute = name.partition(":")
    if not (colon and module and attribute):
        raise Misuse(f"`{name}` is not a client name", hint="write `package.module:function`")
    factory = getattr(import_module(module), attribute, None)
    if not callable(factory):
        raise Misuse(f"`{name}` is not callable")
    return cast("ClientFactory", factory)

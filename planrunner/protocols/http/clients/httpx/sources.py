"""httpx, connecting from an address of the plan's choice; through proxies of any kind too."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterable
from typing import Any

import httpcore

from planrunner.protocols.http.sources import Sources, family_of

__all__ = ["SourceBackend"]


class SourceBackend(httpcore.AsyncNetworkBackend):
    """Opens connections for one user; what httpx itself offers ends at a proxy."""

    def __init__(self, sources: Sources, number: int) -> None:
        self._sources = sources
        self._number = number
        self._inner = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        del local_address
        failed: Exception = OSError("the name has no address")
        for family, address in await _addresses(host, port):
            try:
                source = self._sources.of_user(self._number, family)
                return await self._inner.connect_tcp(address, port, timeout, source, socket_options)
            except (OSError, httpcore.ConnectError) as refused:
                failed = refused
        if isinstance(failed, httpcore.ConnectError):
            raise failed
        raise httpcore.ConnectError(str(failed)) from failed

    async def sleep(self, seconds: float) -> None:
        await self._inner.sleep(seconds)


async def _addresses(host: str, port: int) -> list[tuple[int, str]]:
    if family := family_of(host):
        return [(family, host)]
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as failed:
        raise httpcore.ConnectError(str(failed)) from failed
    return [(entry[0], str(entry[4][0])) for entry in found]

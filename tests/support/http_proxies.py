"""A loopback proxy that opens tunnels."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from tests.support.http_servers import Wire, serve_raw

__all__ = ["TunnellingProxy", "tunnelling_proxy"]


@dataclass(slots=True)
class TunnellingProxy:
    """A proxy that runs, the heads of what it was asked, and from where."""

    url: str
    heads: list[str] = field(default_factory=list)
    peers: list[str] = field(default_factory=list)


@asynccontextmanager
async def tunnelling_proxy(
    answer: bytes = b"HTTP/1.1 200 OK\r\n\r\n",
) -> AsyncIterator[TunnellingProxy]:
    """Serve CONNECT: open the connection it asks for, and pass bytes both ways."""

    async def converse(wire: Wire, _: int) -> None:
        head = (await wire.reader.readuntil(b"\r\n\r\n")).decode()
        proxy.heads.append(head)
        proxy.peers.append(wire.writer.get_extra_info("peername")[0])
        await wire.send(answer)
        if b" 200 " not in answer:
            return
        host, _, port = head.split(" ")[1].rpartition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        try:
            with suppress(ConnectionError):
                await asyncio.gather(_pump(wire.reader, writer), _pump(reader, wire.writer))
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    async with serve_raw(converse) as server:
        proxy = TunnellingProxy(server.url)
        yield proxy


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.close()

"""Loopback proxies that open tunnels."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from tests.support.http_servers import Wire, serve_raw

__all__ = ["TunnellingProxy", "socks_proxy", "tunnelling_proxy"]


@dataclass(slots=True)
class TunnellingProxy:
    """A proxy that runs, the heads of what it was asked, and from where."""

    url: str
    heads: list[str] = field(default_factory=list)
    peers: list[str] = field(default_factory=list)


@asynccontextmanager
async def tunnelling_proxy(
    answer: bytes = b"HTTP/1.1 200 OK\r\n\r\n", *, tls: ssl.SSLContext | None = None
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
        await _join(wire, host, int(port))

    async with serve_raw(converse, tls=tls) as server:
        proxy = TunnellingProxy(server.url)
        yield proxy


@asynccontextmanager
async def socks_proxy(*, answer: int = 0) -> AsyncIterator[TunnellingProxy]:
    """Serve SOCKS 5 without sign-in (RFC 1928); `answer` other than 0 refuses."""

    async def converse(wire: Wire, _: int) -> None:
        _, methods = await wire.reader.readexactly(2)
        await wire.reader.readexactly(methods)
        await wire.send(b"\x05\x00")
        *_, kind = await wire.reader.readexactly(4)
        is_name = kind == 3
        size = (await wire.reader.readexactly(1))[0] if is_name else 4
        named = await wire.reader.readexactly(size)
        host = named.decode() if is_name else socket.inet_ntoa(named)
        port = int.from_bytes(await wire.reader.readexactly(2))
        proxy.heads.append(f"{host}:{port}")
        await wire.send(bytes([5, answer, 0, 1, 127, 0, 0, 1, 0, 1]))
        if not answer:
            await _join(wire, host, port)

    async with serve_raw(converse) as server:
        proxy = TunnellingProxy(server.url.replace("http:", "socks5:"))
        yield proxy


async def _join(wire: Wire, host: str, port: int) -> None:
    reader, writer = await asyncio.open_connection(host, port)
    try:
        with suppress(ConnectionError):
            await asyncio.gather(_pump(wire.reader, writer), _pump(reader, wire.writer))
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.close()

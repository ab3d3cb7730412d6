"""Real loopback HTTP servers that do exactly what a test tells them, byte by byte if need be."""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import cast

import trustme

from planrunner.protocols.http.url import Origin
from tests.support.http2_servers import PREFACE, Asked, Http2Ends, Http2Peer

__all__ = [
    "Certificates",
    "HttpServer",
    "Request",
    "Respond",
    "Wire",
    "always",
    "closed_port",
    "reply",
    "serve",
    "serve_raw",
]


@dataclass(frozen=True, slots=True)
class Request:
    """A request as the server got it; `connection` counts from 0."""

    method: str
    target: str
    headers: dict[str, str]
    raw: bytes
    body: bytes
    connection: int


class Wire:
    """The server's end of a connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def send_split(self, data: bytes) -> None:
        """Send every byte alone, so that the other side sees as many small packets as may be."""
        for index in range(len(data)):
            await self.send(data[index : index + 1])
            await asyncio.sleep(0)

    async def close(self) -> None:
        self.writer.close()

    async def reset(self) -> None:
        """Close with RST instead of FIN."""
        sock = self.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()

    async def hang(self) -> None:
        """Say nothing more until the client goes."""
        with suppress(ConnectionError):
            await self.reader.read()


Respond = Callable[[Request, Wire], Awaitable[None]]


@dataclass(slots=True)
class HttpServer:
    """A server that runs; `connections` counts all that it ever accepted."""

    origin: Origin
    listening: asyncio.Server
    talking: set[asyncio.Task[None]]
    requests: list[Request] = field(default_factory=list)
    connections: int = 0

    @property
    def url(self) -> str:
        return str(self.origin)

    def vanish(self) -> None:
        """End all connections and accept no more; to be called in the server's own loop."""
        self.listening.close()
        for task in list(self.talking):
            task.cancel()


@dataclass(frozen=True, slots=True)
class Certificates:
    """A throw-away authority, a server's and a client's certificate; all PEM files."""

    ca: Path
    client: Path
    server: ssl.SSLContext
    demanding_server: ssl.SSLContext
    names: trustme.LeafCert

    def server_of(self, protocols: list[str]) -> ssl.SSLContext:
        """Return another server's TLS, which speaks what is given."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.names.configure_cert(context)
        context.set_alpn_protocols(protocols)
        return context

    @classmethod
    def make(cls, directory: Path) -> Certificates:
        authority = trustme.CA()
        ca, client = directory / "ca.pem", directory / "client.pem"
        authority.cert_pem.write_to_path(ca)
        authority.issue_cert("user@example.org").private_key_and_cert_chain_pem.write_to_path(
            client
        )
        names = authority.issue_cert("localhost", "shop.test")
        contexts = []
        for wants_client in (False, True):
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            names.configure_cert(context)
            context.set_alpn_protocols(["h2", "http/1.1"])
            if wants_client:
                authority.configure_trust(context)
                context.verify_mode = ssl.CERT_REQUIRED
            contexts.append(context)
        return cls(ca, client, *contexts, names)


def reply(
    status: int = 200,
    body: bytes = b"",
    *headers: tuple[str, str],
    length: bool = True,
    version: str = "1.1",
) -> bytes:
    """Encode a reply; without `length` the headers alone say where its body ends."""
    lines = [f"HTTP/{version} {status} Whatever"]
    lines += [f"{name}: {value}" for name, value in headers]
    if length:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def always(data: bytes) -> Respond:
    async def respond(_: Request, wire: Wire) -> None:
        await wire.send(data)

    return respond


@asynccontextmanager
async def serve(
    respond: Respond, *, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None
) -> AsyncIterator[HttpServer]:
    """Serve requests one after the other on each connection."""

    async def converse(wire: Wire, connection: int) -> None:
        begun = await _begin(wire.reader)
        if begun == PREFACE:
            await Http2Peer(wire.reader, wire.writer, begun).converse(partial(answer, connection))
            return
        wire.reader._buffer[:0] = begun
        while (request := await _read_request(wire.reader, connection)) is not None:
            server.requests.append(request)
            await respond(request, wire)

    async def answer(connection: int, ends: Http2Ends, asked: Asked) -> None:
        request = Request(
            asked.method, asked.target, asked.headers, asked.raw, asked.body, connection
        )
        server.requests.append(request)
        await respond(request, cast("Wire", ends))

    async with serve_raw(converse, host=host, tls=tls) as server:
        yield server


async def _begin(reader: asyncio.StreamReader) -> bytes:
    """Return the first bytes of a client, as long as they may be HTTP/2's preface."""
    begun = b""
    while begun != PREFACE and PREFACE.startswith(begun):
        piece = await reader.read(1)
        if not piece:
            break
        begun += piece
    return begun


@asynccontextmanager
async def serve_raw(
    converse: Callable[[Wire, int], Awaitable[None]],
    *,
    host: str = "127.0.0.1",
    tls: ssl.SSLContext | None = None,
) -> AsyncIterator[HttpServer]:
    """Give each connection to `converse`, and close it afterwards."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        number, server.connections = server.connections, server.connections + 1
        task = asyncio.current_task()
        assert task is not None
        talking.add(task)
        try:
            await converse(Wire(reader, writer), number)
        except (ConnectionError, asyncio.CancelledError, ssl.SSLError):
            pass
        finally:
            talking.discard(task)
            writer.transport.abort() if writer.transport.is_closing() else writer.close()
            with suppress(ConnectionError, ssl.SSLError, TimeoutError):
                await writer.wait_closed()

    listening = await asyncio.start_server(connected, host, 0, ssl=tls)
    talking: set[asyncio.Task[None]] = set()
    port = listening.sockets[0].getsockname()[1]
    origin = Origin("https" if tls else "http", "localhost" if tls else host, port)
    server = HttpServer(origin, listening, talking)
    try:
        yield server
    finally:
        server.vanish()
        await asyncio.gather(*talking, return_exceptions=True)
        await listening.wait_closed()


def closed_port() -> int:
    """Return a port on which nothing listens."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


async def _read_request(reader: asyncio.StreamReader, connection: int) -> Request | None:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionError, ssl.SSLError):
        return None
    first, *lines = head.decode("latin-1").split("\r\n")[:-2]
    method, target, _ = first.split(" ")
    headers = {}
    for line in lines:
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    try:
        body = await reader.readexactly(int(headers.get("content-length", "0")))
    except asyncio.IncompleteReadError:
        return None
    return Request(method, target, headers, head, body, connection)

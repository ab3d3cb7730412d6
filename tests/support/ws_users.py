"""One virtual user of the WebSocket client, and servers that speak WebSocket, or nearly."""

from __future__ import annotations

import asyncio
import base64
import copy
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import uvloop
from websockets.asyncio.server import ServerConnection
from websockets.asyncio.server import serve as serve_websockets

from planrunner.clock import MonotonicClock
from planrunner.protocols.base import Exchange, Scope
from planrunner.protocols.http.clients.http1.client import WireClient
from planrunner.protocols.http.clients.http1.session import WireSession
from planrunner.protocols.http.compile.settings import HttpDefaults
from planrunner.protocols.http.operation import HttpSettings
from planrunner.protocols.plugin import CompiledRequest
from planrunner.protocols.ws.clients.client import WsClient
from planrunner.protocols.ws.clients.session import WsSession
from planrunner.protocols.ws.compile import WsDefaults, compile_exchange, compile_settings
from planrunner.protocols.ws.reply import WsReply
from planrunner.protocols.ws.spec import WsClose, WsConnect, WsModel, WsReceive, WsRequest, WsSend
from tests.support.http_servers import HttpServer, Request, Wire, serve

__all__ = ["WsUser", "accept", "frame", "hostile", "run", "talking_to", "upgrade", "ws_user"]

ACTIONS: dict[str, type[WsRequest]] = {
    "connect": WsConnect,
    "send": WsSend,
    "receive": WsReceive,
    "close": WsClose,
}
MAGIC = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class NoFiles:
    """The folder of a plan that lies nowhere."""

    directory = Path()
    hooks = None
    modules = ()

    def path(self, name: str, **_: object) -> Path:
        raise AssertionError(name)

    def read(self, name: str, **_: object) -> bytes:
        raise AssertionError(name)

    def may_read(self, pieces: object) -> None:
        raise AssertionError(pieces)


def defaults_of(http: HttpSettings, **keys: Any) -> WsDefaults:
    """Return what steps start from with these keys below `ws:`."""
    made = compile_settings(
        WsModel.model_validate(keys),
        constants={},
        files=NoFiles(),
        base=HttpDefaults(http),
    )
    assert made.faults == ()
    defaults: WsDefaults = made.defaults
    return defaults


def step_of(action: str, defaults: WsDefaults, **keys: Any) -> CompiledRequest:
    """Compile a step as a plan writes it."""
    return compile_exchange(
        ACTIONS[action].model_validate(keys),
        action=f"ws.{action}",
        constants={},
        defaults=defaults,
        files=NoFiles(),
    )


@dataclass(slots=True)
class WsUser:
    """A user's two sessions, of WebSocket and of the HTTP below it."""

    client: WsClient
    session: WsSession
    http: WireSession
    defaults: WsDefaults
    scope: Scope

    async def step(self, action: str, **keys: Any) -> WsReply:
        """Do one step; what comes back is a copy, as the session uses its reply again."""
        made = step_of(action, self.defaults, **keys)
        assert made.faults == ()
        return await self.do(made.exchange)

    async def do(self, exchange: Exchange) -> WsReply:
        bound = self.client.bind(exchange)
        reply = copy.copy(await self.session.send(bound, self.scope))
        if reply.failure is None:
            for check in exchange.extractors:
                assert check(reply, self.scope) is None
        return reply

    async def connect(self, url: str = "/", **keys: Any) -> WsReply:
        return await self.step("connect", url=url, **keys)

    async def say(self, text: str, **keys: Any) -> WsReply:
        return await self.step("send", text=text, **keys)

    async def receive(self, **keys: Any) -> WsReply:
        return await self.step("receive", **{"timeout": "5s", **keys})

    async def until_queued(self, count: int) -> None:
        """Wait until so many messages wait for a step, or the connection has ended."""
        (connection,) = self.session.connections.values()
        while len(connection.queue) < count and connection.ending is None:
            await asyncio.sleep(0)


@asynccontextmanager
async def ws_user(
    port: int, *, http: HttpSettings | None = None, **keys: Any
) -> AsyncIterator[WsUser]:
    """Open the clients and a session of each; sweep as the engine does, only more often."""
    settings = replace(http or HttpSettings(), base_url=(f"http://127.0.0.1:{port}",))
    defaults = defaults_of(settings, **keys)
    clock = MonotonicClock()
    below, client = (
        WireClient(replace(settings, proxy=""), clock),
        WsClient(defaults.settings, clock),
    )
    sweeping = asyncio.ensure_future(_sweep(client))
    session, identity = client.session(), below.session()
    session.accompany(identity)
    try:
        yield WsUser(client, session, identity, defaults, {})
    finally:
        sweeping.cancel()
        with suppress(asyncio.CancelledError):
            await sweeping
        await session.close()
        await client.close()
        await identity.close()
        await below.close()


async def _sweep(client: WsClient) -> None:
    while True:
        await asyncio.sleep(0.005)
        client.sweep(client.shared.now_ns())


@asynccontextmanager
async def talking_to(
    handler: Callable[[ServerConnection], Awaitable[None]], **options: Any
) -> AsyncIterator[int]:
    """Serve with the library `websockets`; yields the port."""
    async with serve_websockets(handler, "127.0.0.1", 0, **options) as server:
        yield server.sockets[0].getsockname()[1]


def accept(request: Request) -> bytes:
    """Return what the handshake of a request has to be answered with."""
    key = request.headers["sec-websocket-key"].encode()
    return base64.b64encode(hashlib.sha1(key + MAGIC).digest())


def upgrade(request: Request, *lines: bytes) -> bytes:
    head = (
        b"HTTP/1.1 101 Switching Protocols",
        b"Upgrade: websocket",
        b"Connection: Upgrade",
        b"Sec-WebSocket-Accept: " + accept(request),
        *lines,
    )
    return b"\r\n".join(head) + b"\r\n\r\n"


def frame(first: int, payload: bytes = b"", *, size: int | None = None) -> bytes:
    """Return a frame of a server; `size` says a length that isn't that of the payload."""
    size = len(payload) if size is None else size
    if size < 126:
        return bytes((first, size)) + payload
    if size < 1 << 16:
        return bytes((first, 126)) + size.to_bytes(2, "big") + payload
    return bytes((first, 127)) + size.to_bytes(8, "big") + payload


@asynccontextmanager
async def hostile(
    *data: bytes, closes: bool = False, lines: tuple[bytes, ...] = ()
) -> AsyncIterator[HttpServer]:
    """Serve a right handshake, and then these bytes to everybody."""

    async def respond(request: Request, wire: Wire) -> None:
        await wire.send(upgrade(request, *lines))
        for piece in data:
            await wire.send(piece)
        if closes:
            await wire.close()
        else:
            await wire.hang()

    async with serve(respond) as server:
        yield server


def run(scenario: Callable[[], Awaitable[None]]) -> None:
    """Run a scenario on the loop that load runs on."""
    uvloop.run(scenario())  # type: ignore[arg-type]  # an awaitable of a coroutine function

"""A small HTTP/1.1 server for the embedded demo targets: routes in, replies out, loopback only."""

from __future__ import annotations

import asyncio
import json
import re
from collections import deque
from collections.abc import AsyncGenerator, Callable, Coroutine, Mapping
from contextlib import aclosing
from dataclasses import field
from typing import Any, cast
from urllib.parse import parse_qsl, unquote

import httptools

from planrunner.demo.web_socket import ServedSocket, SocketListener, handshake, is_handshake
from planrunner.values import dataclass

__all__ = [
    "AnyResponse",
    "Handler",
    "HttpServer",
    "Request",
    "Response",
    "Router",
    "StreamedResponse",
]

MAX_BODY_BYTES = 1 << 20

_REASONS = {
    200: "OK",
    201: "Created",
    202: "Accepted",
    204: "No Content",
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    413: "Content Too Large",
    500: "Internal Server Error",
}


@dataclass(frozen=True, slots=True)
class Request:
    """What a handler sees; header names are lower case."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    params: Mapping[str, str] = field(default_factory=dict)

    def json(self) -> Any:  # noqa: ANN401 - whatever the client sent
        """Return the body as JSON, None when it isn't."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None


@dataclass(frozen=True, slots=True)
class Response:
    """What a handler answers.

    Attributes:
        body: Bytes as they are, or a value that becomes JSON.
        delay_s: How long the service takes to answer, in seconds.
    """

    body: object = b""
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    delay_s: float = 0.0

    def encode(self, *, head_only: bool, close: bool, says_kept: bool = False) -> bytes:
        """Return the reply's bytes, framed by a content length.

        Args:
            head_only: Whether the body is left out.
            close: Whether the connection ends with it.
            says_kept: Whether it says that the connection is kept, as clients of HTTP/1.0 need.
        """
        is_raw = isinstance(self.body, bytes)
        body = self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()
        kind = "text/html; charset=utf-8" if is_raw else "application/json"
        lines = _first_lines(self.status, self.headers)
        if self.status != 204:
            lines += [f"Content-Type: {kind}", f"Content-Length: {len(body)}"]
        if close:
            lines.append("Connection: close")
        elif says_kept:
            lines.append("Connection: keep-alive")
        head = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
        return head if head_only or self.status == 204 else head + body


@dataclass(frozen=True, slots=True)
class StreamedResponse:
    """What a handler answers bit by bit.

    Attributes:
        pieces: Each is sent when it is there; closed early when the client leaves.
    """

    pieces: AsyncGenerator[bytes]
    content_type: str
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()

    def encode_head(self, *, close: bool) -> bytes:
        """Return the head's bytes; chunks follow."""
        lines = _first_lines(self.status, self.headers)
        lines += [f"Content-Type: {self.content_type}", "Transfer-Encoding: chunked"]
        if close:
            lines.append("Connection: close")
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def _first_lines(status: int, headers: tuple[tuple[str, str], ...]) -> list[str]:
    first = f"HTTP/1.1 {status} {_REASONS.get(status, 'Status')}"
    return [first, *(f"{name}: {value}" for name, value in headers)]


AnyResponse = Response | StreamedResponse

Handler = Callable[[Request], AnyResponse | Coroutine[Any, Any, Response]]
"""Answers one request; a coroutine function when that takes other servers."""


OpenSocket = Callable[[Request, ServedSocket], SocketListener]
"""Takes a client that has asked for a WebSocket."""


class Router:
    """Handlers by method and path; `:name` in a path matches one segment."""

    def __init__(self) -> None:
        self._routes: list[tuple[str, re.Pattern[str], Handler]] = []
        self._sockets: dict[str, tuple[OpenSocket, str]] = {}

    def add_socket(self, path: str, handler: OpenSocket, subprotocol: str) -> None:
        """Let a path be a WebSocket, which takes that subprotocol where it is offered."""
        self._sockets[path] = handler, subprotocol

    def socket_at(self, request: Request) -> tuple[OpenSocket, str] | None:
        """Return who takes the WebSocket that a request asks for, and its subprotocol."""
        found = self._sockets.get(request.path)
        if found is None or request.method != "GET" or not is_handshake(request.headers):
            return None
        offered = request.headers.get("sec-websocket-protocol", "").split(",")
        return found[0], found[1] if found[1] in map(str.strip, offered) else ""

    def add(self, method: str, path: str, handler: Handler) -> None:
        pattern = re.sub(r":(\w+)", r"(?P<\1>[^/]+)", path)
        self._routes.append((method, re.compile(pattern), handler))

    def answer(self, request: Request) -> AnyResponse | Coroutine[Any, Any, Response]:
        """Return the reply of the first route that matches; 404 or 405 when none does."""
        allowed = False
        method = "GET" if request.method == "HEAD" else request.method
        for route_method, pattern, handler in self._routes:
            match = pattern.fullmatch(request.path)
            if match is None:
                continue
            if route_method != method:
                allowed = True
                continue
            params = {name: unquote(value) for name, value in match.groupdict().items()}
            return handler(
                Request(
                    request.method,
                    request.path,
                    request.query,
                    request.headers,
                    request.body,
                    params,
                )
            )
        status = 405 if allowed else 404
        return Response({"error": _REASONS[status].lower()}, status=status)


class _ServedConnection(asyncio.Protocol):
    """One client; answers requests in the order they came, each after its own delay."""

    def __init__(self, server: HttpServer) -> None:
        self._server = server
        self._transport: asyncio.Transport | None = None
        self._parser = httptools.HttpRequestParser(self)
        self._url = b""
        self._headers: dict[str, str] = {}
        self._body: list[bytes] = []
        self._waiting: deque[tuple[Request, bool]] = deque()
        self._busy = self._is_old = False
        self._socket: ServedSocket | None = None
        self._writable = asyncio.Event()
        self._writable.set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports have the interface without the base class.
        self._transport = cast(asyncio.Transport, transport)
        self._server.connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._writable.set()
        self._server.connections.discard(self)
        if self._socket is not None:
            self._socket.lost()

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    def data_received(self, data: bytes) -> None:
        if self._socket is not None:
            self._socket.feed(data)
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self._feed_socket(data[upgrade.args[0] :])
        except httptools.HttpParserError:
            self._write(Response({"error": "bad request"}, status=400), head_only=False, close=True)

    def _feed_socket(self, data: bytes) -> None:
        """Take what came behind a handshake."""
        if self._socket is not None:
            self._socket.feed(data)

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_body(self, body: bytes) -> None:
        if sum(map(len, self._body)) + len(body) <= MAX_BODY_BYTES:
            self._body.append(body)

    def on_message_complete(self) -> None:
        url = httptools.parse_url(self._url)
        query = dict(parse_qsl((url.query or b"").decode("latin-1")))
        request = Request(
            self._parser.get_method().decode("ascii"),
            (url.path or b"/").decode("latin-1"),
            query,
            self._headers,
            b"".join(self._body),
        )
        found = self._server.router.socket_at(request)
        if found is not None and self._transport is not None and not self._busy:
            open_socket, subprotocol = found
            self._transport.write(handshake(request.headers, subprotocol))
            self._socket = ServedSocket(self._transport)
            self._socket.listener = open_socket(request, self._socket)
            return
        self._is_old = self._parser.get_http_version() == "1.0"
        self._waiting.append((request, not self._parser.should_keep_alive()))
        self._url, self._headers, self._body = b"", {}, []
        if not self._busy:
            self._next()

    def _next(self) -> None:
        if not self._waiting:
            self._busy = False
            return
        self._busy = True
        request, close = self._waiting.popleft()
        response = self._server.router.answer(request)
        head_only = request.method == "HEAD"
        if isinstance(response, Response):
            self._reply(response, head_only=head_only, close=close)
        elif isinstance(response, StreamedResponse):
            self._server.start_answer(self._stream(response, head_only=head_only, close=close))
        else:
            self._server.start_answer(self._answer(response, head_only=head_only, close=close))

    async def _answer(
        self, waiting: Coroutine[Any, Any, Response], *, head_only: bool, close: bool
    ) -> None:
        try:
            response = await waiting
        except Exception as error:  # noqa: BLE001 - whatever the store says is the reply
            response = Response({"error": str(error)}, status=500)
        self._reply(response, head_only=head_only, close=close)

    async def _stream(self, response: StreamedResponse, *, head_only: bool, close: bool) -> None:
        async with aclosing(response.pieces):
            self._send(response.encode_head(close=close))
            if not head_only:
                async for piece in response.pieces:
                    self._send(b"%x\r\n%b\r\n" % (len(piece), piece))
                    await self._writable.wait()
                    if self._transport is None:
                        return
                self._send(b"0\r\n\r\n")
        if close and self._transport is not None:
            self._transport.close()
        self._next()

    def _send(self, data: bytes) -> None:
        if self._transport is not None:
            self._transport.write(data)

    def _reply(self, response: Response, *, head_only: bool, close: bool) -> None:
        if response.delay_s > 0:
            loop = asyncio.get_running_loop()
            loop.call_later(response.delay_s, self._finish, response, head_only, close)
        else:
            self._finish(response, head_only, close)

    def _finish(self, response: Response, head_only: bool, close: bool) -> None:  # noqa: FBT001 - call_later passes positions
        self._write(response, head_only=head_only, close=close)
        self._next()

    def _write(self, response: Response, *, head_only: bool, close: bool) -> None:
        if self._transport is None:
            return
        self._transport.write(
            response.encode(head_only=head_only, close=close, says_kept=self._is_old)
        )
        if close:
            self._transport.close()

    def drop(self) -> None:
        """Close the connection at once."""
        if self._transport is not None:
            self._transport.abort()


class HttpServer:
    """Serves a router on loopback.

    Attributes:
        connections: The clients connected now.
    """

    def __init__(self, router: Router) -> None:
        self.router = router
        self.connections: set[_ServedConnection] = set()
        self._server: asyncio.Server | None = None
        self._answers: set[asyncio.Task[None]] = set()

    def start_answer(self, answer: Coroutine[Any, Any, None]) -> None:
        """Run what answers a request, until the server stops."""
        task = asyncio.get_running_loop().create_task(answer)
        self._answers.add(task)
        task.add_done_callback(self._answers.discard)

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> int:
        """Listen, and return the port (chosen by the system when `port` is 0)."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: _ServedConnection(self), host, port, backlog=4096, reuse_address=True
        )
        bound: int = self._server.sockets[0].getsockname()[1]
        return bound

    async def stop(self) -> None:
        """Stop listening and drop every connection."""
        if self._server is not None:
            self._server.close()
        for connection in list(self.connections):
            connection.drop()
        for answer in list(self._answers):
            answer.cancel()
        await asyncio.sleep(0)

    async def serve_until(self, finished: Coroutine[Any, Any, object]) -> None:
        """Serve until `finished` returns, then stop."""
        try:
            await finished
        finally:
            await self.stop()

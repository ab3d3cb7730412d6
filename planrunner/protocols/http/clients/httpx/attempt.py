"""One request and one reply over httpx's transport: what it measured, or why it failed.

The transport is used without `httpx.AsyncClient`: cookies, redirects and deadlines are the same
as in the wire client then, and a reply's bytes can be counted before they are decoded.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import field
from typing import Any, Final

import httpx

from planrunner.protocols.base import FailureKind
from planrunner.protocols.http.clients.fault import (
    WireFault,
    map_connect_failure,
    map_loss,
    map_tls_failure,
)
from planrunner.protocols.http.clients.heads.head import is_surplus
from planrunner.protocols.http.clients.kept_bodies import KeptBodies
from planrunner.protocols.http.clients.recall import GLIMPSE, is_worth_a_glimpse
from planrunner.protocols.http.clients.streams.reading import GRACE_NS, StreamReading
from planrunner.units import NS_PER_S
from planrunner.values import dataclass

__all__ = ["HttpxAttempt", "Outgoing", "attempt", "map_failure"]

RawHeaders = list[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A request, rendered.

    Attributes:
        url: Where to connect, an address instead of a name where the plan gives one.
        target: What stands in the request line, exactly; None leaves that to httpx.
        host: As the plan names it.
        server_name: For TLS, None when it is the host of `url`.
    """

    method: str
    url: httpx.URL
    target: bytes | None
    headers: RawHeaders
    content: bytes | AsyncIterator[bytes] | None
    host: str
    server_name: str | None = None


@dataclass(slots=True)
class HttpxAttempt:
    """What one try measured; filled while it runs, so that a cancelled one can be read too.

    Attributes:
        stage: The last event of httpcore, without its prefix: where a failure happened.
        head: Status line and headers, put together again from what the parser kept.
        content: The body as it came, not yet decoded.
        left_ns: When the head had been written.
        has_surplus: Another reply came behind this one.
        beginning: Of a body that nothing reads, when the reply is worth a glimpse; of a stream.
        reading: Takes the body piece by piece; None where it is taken as a whole.
    """

    now_ns: Callable[[], int]
    connect_started_ns: int = 0
    connect_ended_ns: int = 0
    sent_ns: int = 0
    first_byte_ns: int = 0
    connects: int = 0
    stage: str = ""
    status: int = 0
    headers: RawHeaders = field(default_factory=list)
    head: bytes = b""
    received: int = 0
    content: bytes = b""
    beginning: bytes = b""
    left_ns: int = 0
    has_surplus: bool = False
    reading: StreamReading | None = None

    @property
    def is_stale(self) -> bool:
        """True when a reused connection ended before any byte of a reply."""
        return not self.connect_started_ns and not self.first_byte_ns

    async def trace(self, event: str, _: object) -> None:
        """Note when things happen; httpcore calls this `trace` extension."""
        self.stage = stage = event.partition(".")[2]
        if stage in _CONNECTING:
            self.connect_started_ns = self.connect_started_ns or self.now_ns()
        elif stage in _CONNECTED:
            self.connect_ended_ns = self.now_ns()
            self.connects += stage == "connect_tcp.complete"
        elif stage == "send_request_headers.started":
            self.sent_ns = self.now_ns()
        elif stage == "send_request_headers.complete":
            self.left_ns = self.now_ns()
        elif stage == "receive_response_headers.complete":
            self.first_byte_ns = self.now_ns()


_CONNECTING: Final = frozenset({"connect_tcp.started", "start_tls.started"})
_CONNECTED: Final = frozenset({"connect_tcp.complete", "start_tls.complete"})


async def attempt(
    transport: httpx.AsyncHTTPTransport,
    outgoing: Outgoing,
    measured: HttpxAttempt,
    *,
    max_head: int,
    max_body: int,
    kept: KeptBodies | None,
) -> None:
    """Send once and read the whole reply into `measured`.

    Raises:
        WireFault: No complete reply came.
    """
    extensions: dict[str, Any] = {"trace": measured.trace}
    if outgoing.target is not None:
        extensions["target"] = outgoing.target
    if outgoing.server_name is not None:
        extensions["sni_hostname"] = outgoing.server_name
    request = httpx.Request(
        outgoing.method,
        outgoing.url,
        headers=outgoing.headers,
        content=outgoing.content,
        extensions=extensions,
    )
    try:
        reply = await transport.handle_async_request(request)
        try:
            _read_head(reply, measured, max_head)
            if measured.reading is not None and measured.reading.takes(measured.status):
                await _read_stream(reply, measured, measured.reading)
            else:
                await _read_body(reply, measured, max_body, kept)
            measured.has_surplus = await _distrust(reply)
        finally:
            await reply.aclose()
    except (httpx.TransportError, httpx.InvalidURL, OSError, ValueError) as failed:
        raise map_failure(failed, outgoing, measured) from failed


def _read_head(reply: httpx.Response, measured: HttpxAttempt, max_head: int) -> None:
    measured.status = reply.status_code
    measured.headers = reply.headers.raw
    version = reply.extensions.get("http_version", b"HTTP/1.1")
    reason = reply.extensions.get("reason_phrase", b"")
    lines = [b"%b %d %b" % (version, reply.status_code, reason)]
    lines += [b"%b: %b" % pair for pair in measured.headers]
    measured.head = b"\r\n".join(lines) + b"\r\n\r\n"
    if len(measured.head) > max_head:
        raise WireFault(FailureKind.TOO_LARGE, f"the reply's head is larger than {max_head} bytes")


async def _read_body(
    reply: httpx.Response, measured: HttpxAttempt, limit: int, kept: KeptBodies | None
) -> None:
    """Count the body, and keep it if it counts anywhere: what nothing reads may be any size."""
    chunks: list[bytes] = []
    held = 0 if kept is None else _announced(measured.headers, limit)
    if kept is not None:
        kept.hold(held)  # as the wire client does: whoever finds no room has not read for nothing
    async for chunk in reply.stream:  # type: ignore[union-attr]  # the async transport's stream
        measured.received += len(chunk)
        if kept is not None:
            if measured.received > limit:
                words = f"the reply's body is larger than {limit} bytes"
                raise WireFault(FailureKind.TOO_LARGE, words)
            kept.hold(max(measured.received - held, 0))
            held = max(held, measured.received)
            chunks.append(chunk)
        elif is_worth_a_glimpse(measured.status):
            measured.beginning += chunk[: GLIMPSE - len(measured.beginning)]
    measured.content = chunks[0] if len(chunks) == 1 else b"".join(chunks)


async def _read_stream(
    reply: httpx.Response, measured: HttpxAttempt, reading: StreamReading
) -> None:
    """Hand over the body piece by piece, until it ends or the plan has seen enough."""
    encoding = b",".join(v for name, v in measured.headers if name.lower() == b"content-encoding")
    reading.begin(measured.status, measured.head, encoding.decode("latin-1").lower())
    chunks = aiter(reply.stream)  # type: ignore[arg-type]  # the async transport's stream
    try:
        async for chunk in chunks:
            measured.received += len(chunk)
            reading.feed(chunk)
            if reading.is_over:
                break
    finally:
        measured.beginning = reading.beginning
    if reading.is_over:  # most servers end it now, and the connection serves the next request
        with suppress(TimeoutError, httpx.TransportError):
            async with asyncio.timeout(GRACE_NS / NS_PER_S):
                async for chunk in chunks:
                    measured.received += len(chunk)


def _announced(headers: RawHeaders, limit: int) -> int:
    """Return how many bytes the head announces, 0 when it doesn't.

    Raises:
        WireFault: They are more than the limit.
    """
    lengths = [value for name, value in headers if name.lower() == b"content-length"]
    size = int(lengths[0]) if lengths and lengths[0].isdigit() else 0
    if size > limit:
        raise WireFault(FailureKind.TOO_LARGE, f"the reply's body is larger than {limit} bytes")
    return size


async def _distrust(reply: httpx.Response) -> bool:
    """Close the connection when bytes follow the reply: they might be taken for the next one.

    Returns whether they are a reply.

    httpcore shows them nowhere, so this goes through its attributes; where they are called
    something else one day nothing happens, and the contract suite says so.
    """
    layer: object = reply.stream
    for name in ("_httpcore_stream", "_stream", "_connection", "_h11_state"):
        layer = getattr(layer, name, None)
    trailing: tuple[bytes, bool] = getattr(layer, "trailing_data", (b"", False))
    if trailing[0]:
        await reply.extensions["network_stream"].aclose()
    return is_surplus(trailing[0])


# -- failures ------------------------------------------------------------------------------


def map_failure(failed: Exception, outgoing: Outgoing, measured: HttpxAttempt) -> WireFault:
    """Return the failure that a foreign exception means, in the wire client's kinds and words."""
    causes = _causes(failed)
    broken = _first(causes, ssl.SSLError)
    if measured.stage.startswith("start_tls"):
        cut = broken or _first(causes, OSError) or ConnectionResetError("connection reset")
        return map_tls_failure(cut, outgoing.host)
    if broken:
        return map_loss(broken, _when(measured), is_stale=False)
    if isinstance(failed, httpx.ConnectError | httpx.ConnectTimeout | httpx.ProxyError):
        lost = _first(causes, socket.gaierror) or _system_error(causes) or OSError(str(failed))
        return map_connect_failure(lost, outgoing.host)
    if isinstance(failed, httpx.NetworkError | OSError):
        return map_loss(_system_error(causes), _when(measured), is_stale=measured.is_stale)
    return _map_broken_reply(failed, measured)


def _map_broken_reply(failed: Exception, measured: HttpxAttempt) -> WireFault:
    text = str(failed)
    # What httpcore and h11 say at an end of file, and of a long head, has no type of its own.
    if text.startswith(("Server disconnected", "peer closed", "peer unexpectedly closed")):
        return map_loss(None, _when(measured), is_stale=measured.is_stale)
    if "too long" in text:
        return WireFault(FailureKind.TOO_LARGE, "the reply's head is too large")
    words = f"the reply is not HTTP: {text[:140].lower() or type(failed).__name__}"
    return WireFault(FailureKind.PROTOCOL, words)


def _when(measured: HttpxAttempt) -> str:
    return "in the middle of the reply" if measured.status else "before it replied"


def _system_error(causes: list[BaseException]) -> Any:  # noqa: ANN401 - an OSError or None
    return next((c for c in causes if isinstance(c, OSError) and c.strerror), None)


def _causes(failed: BaseException) -> list[BaseException]:
    found: list[BaseException] = []
    waiting: list[BaseException | None] = [failed]
    while waiting:
        item = waiting.pop(0)
        if item is None or item in found:
            continue
        found.append(item)
        if isinstance(item, BaseExceptionGroup):
            waiting += item.exceptions
        waiting += [item.__cause__, item.__context__]
    return found


def _first(causes: list[BaseException], kind: type[Any]) -> Any:  # noqa: ANN401 - one of `kind`
    return next((cause for cause in causes if isinstance(cause, kind)), None)

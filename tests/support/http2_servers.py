"""HTTP/2 on the test servers' connections: what a test answers in HTTP/1.1's words, in frames.

A client that begins with HTTP/2's preface is served by jh2's own state machine, which also finds
fault with whatever the client does wrong.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass

import httptools
from jh2.config import H2Configuration
from jh2.connection import H2Connection
from jh2.events import DataReceived, RequestReceived, StreamEnded, StreamReset
from jh2.exceptions import ProtocolError

__all__ = ["PREFACE", "Answer", "Asked", "Http2Ends", "Http2Peer"]

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as it came on its stream; `raw` is its head as HTTP/1.1 would put it."""

    method: str
    target: str
    headers: dict[str, str]
    raw: bytes
    body: bytes


Answer = Callable[["Http2Ends", Asked], Awaitable[None]]


class Http2Peer:
    """The server's end of one connection."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, begun: bytes
    ) -> None:
        self.reader = reader
        self.writer = writer
        self.state = H2Connection(H2Configuration(client_side=False, header_encoding="latin-1"))
        self.state.initiate_connection()
        self._begun = begun
        self._changed = asyncio.Event()

    async def converse(self, answer: Answer) -> None:
        """Answer requests side by side until the client goes."""
        requests: dict[int, tuple[list[tuple[str, str]], bytearray]] = {}
        answering: dict[int, asyncio.Task[None]] = {}
        data = self._begun
        try:
            while data:
                for event in self.state.receive_data(data):
                    if isinstance(event, RequestReceived):
                        requests[event.stream_id] = list(event.headers), bytearray()
                    elif isinstance(event, DataReceived):
                        requests[event.stream_id][1].extend(event.data)
                        self.state.acknowledge_received_data(
                            event.flow_controlled_length, event.stream_id
                        )
                    elif isinstance(event, StreamEnded):
                        fields, body = requests.pop(event.stream_id)
                        number = event.stream_id
                        answering[number] = asyncio.ensure_future(
                            self._answer(answer, number, fields, bytes(body))
                        )
                    elif isinstance(event, StreamReset) and event.stream_id in answering:
                        answering.pop(event.stream_id).cancel()
                self._changed.set()
                await self.flush()
                data = await self.reader.read(65_536)
        finally:
            for task in answering.values():
                task.cancel()
            await asyncio.gather(*answering.values(), return_exceptions=True)

    async def _answer(
        self, answer: Answer, stream: int, fields: list[tuple[str, str]], body: bytes
    ) -> None:
        found = dict(fields)
        method, target = found.pop(":method"), found.pop(":path")
        found.pop(":scheme")
        found["host"] = found.pop(":authority")
        lines = [f"{method} {target} HTTP/2"]
        lines += [f"{name}: {value}" for name, value in fields if not name.startswith(":")]
        raw = "\r\n".join([*lines, "", ""]).encode("latin-1")
        with suppress(ConnectionError, ProtocolError):
            ends = Http2Ends(self, stream, is_head=method == "HEAD")
            await answer(ends, Asked(method, target, found, raw, body))

    async def flush(self) -> None:
        data = self.state.data_to_send()
        if data:
            self.writer.write(data)
            await self.writer.drain()

    async def send_body(self, stream: int, data: bytes) -> None:
        """Send as the client's windows allow."""
        while data:
            room = self.state.local_flow_control_window(stream)
            size = min(len(data), room, self.state.max_outbound_frame_size)
            if size:
                self.state.send_data(stream, data[:size])
                data = data[size:]
                await self.flush()
            else:
                self._changed.clear()
                await self._changed.wait()


class Http2Ends:
    """What a test writes HTTP/1.1 into; it arrives on a stream of HTTP/2."""

    def __init__(self, peer: Http2Peer, stream: int, *, is_head: bool) -> None:
        self._peer = peer
        self._is_head = is_head
        self._stream = stream
        self._fields: list[tuple[str, str]] = []
        self._pieces: list[bytes] = []
        self._is_over = self._has_head = self._closes = False
        self._to_end = self._is_chunked = self._lasts_until_close = False
        self._parser = httptools.HttpResponseParser(self)

    @property
    def reader(self) -> asyncio.StreamReader:
        return self._peer.reader

    @property
    def writer(self) -> asyncio.StreamWriter:
        return self._peer.writer

    # -- what httptools calls ------------------------------------------------------------------

    def on_header(self, name: bytes, value: bytes) -> None:
        text = name.decode("latin-1").lower()
        if text == "connection" and b"close" in value.lower():
            self._closes = True
        self._is_chunked = self._is_chunked or text == "transfer-encoding"
        if text not in ("connection", "transfer-encoding", "keep-alive"):
            self._fields.append((text, value.decode("latin-1")))

    def on_headers_complete(self) -> None:
        status = self._parser.get_status_code()
        fields, self._fields = [(":status", str(status)), *self._fields], []
        self._has_head = status >= 200
        self._to_end = self._has_head and self._is_head
        names = {name for name, _ in fields}
        self._lasts_until_close = not ({"content-length"} & names or self._is_chunked)
        self._peer.state.send_headers(self._stream, fields)

    def on_body(self, data: bytes) -> None:
        if not self._is_head:
            self._pieces.append(data)

    def on_message_complete(self) -> None:
        self._to_end = self._has_head

    # -- what a test does ----------------------------------------------------------------------

    async def send(self, data: bytes) -> None:
        if self._is_over:
            return
        self._parser.feed_data(data)
        for piece in self._pieces:
            await self._peer.send_body(self._stream, piece)
        self._pieces.clear()
        if self._to_end:
            await self._end()
        await self._peer.flush()

    async def send_split(self, data: bytes) -> None:
        for index in range(len(data)):
            await self.send(data[index : index + 1])

    async def close(self) -> None:
        if self._lasts_until_close and not self._is_over:
            self._closes = True
            await self._end()
        await self._peer.flush()
        self._peer.writer.close()

    async def reset(self) -> None:
        self._peer.writer.transport.abort()

    async def hang(self) -> None:
        with suppress(asyncio.CancelledError):  # the client's reset
            await asyncio.Event().wait()

    async def _end(self) -> None:
        self._is_over = True
        self._peer.state.end_stream(self._stream)
        if self._closes:
            self._peer.state.close_connection()
        await self._peer.flush()

"""A server that does nothing but answer: to measure the generator, not a target."""

from __future__ import annotations

import asyncio
from typing import Final, cast

__all__ = ["NullProtocol"]

_END: Final = b"\r\n\r\n"
_BODY: Final = b'{"key":"k","value":"0123456789abcdef","cached":false}'
_REPLY: Final = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
    b"Content-Length: %d\r\n\r\n%b" % (len(_BODY), _BODY)
)


class NullProtocol(asyncio.Protocol):
    """Answers each head of a request with the same reply; requests have no body."""

    def __init__(self) -> None:
        self._transport: asyncio.WriteTransport | None = None
        self._rest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports don't derive from asyncio's.
        self._transport = cast("asyncio.WriteTransport", transport)

    def data_received(self, data: bytes) -> None:
        assert self._transport is not None
        data = self._rest + data
        requests = data.count(_END)
        self._rest = data[data.rfind(_END) + len(_END) :] if requests else data
        if requests:
            self._transport.write(_REPLY * requests)

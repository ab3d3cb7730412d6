"""TLS between a socket and what speaks HTTP on it.

The event loops have a layer of their own. It reads once more behind each reply to find that there
is nothing, and copies what it has read: 3 µs of a request. Here a request is one call to encrypt
it, and a reply one to decrypt it.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

from planrunner.wire_wait import MUCH, give_way

__all__ = ["TlsTransport"]

RECORD: Final = 16 * 1024
"""The most that a record of TLS holds, so that one read takes all of it."""


class TlsTransport(asyncio.Transport, asyncio.Protocol):
    """A protocol to the socket's transport, and the transport of the protocol that speaks HTTP.

    Args:
        context: Of the client.
        host: Whose certificate is asked for.
        choose: Makes the protocol, by what ALPN has agreed on; empty for nothing.

    Attributes:
        agreed: Gets that protocol when the handshake is over, or what it failed with.
    """

    __slots__ = (
        "_choose",
        "_decrypt",
        "_encrypt",
        "_fault",
        "_incoming",
        "_is_over",
        "_outgoing",
        "_protocol",
        "_send",
        "_tls",
        "_transport",
        "_unsent",
        "agreed",
    )

    _transport: asyncio.Transport
    _send: Callable[[bytes], None]

    def __init__(
        self, context: ssl.SSLContext, host: str, choose: Callable[[str], asyncio.Protocol]
    ) -> None:
        super().__init__()
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=host)
        self._encrypt, self._decrypt = self._tls.write, self._tls.read
        self._choose = choose
        self._protocol: asyncio.Protocol | None = None
        self._unsent: list[bytes] = []
        self._fault: Exception | None = None
        self._is_over = False
        self.agreed: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    # -- what the protocol calls -----------------------------------------------------------

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if self._unsent or self._is_over:
            self._unsent.append(bytes(data))
            return
        try:
            self._encrypt(data)
        except ssl.SSLError as fault:
            self._put_off(bytes(data), fault)
            return
        self._send(self._outgoing.read())

    def close(self) -> None:
        """Say goodbye, and close when that is sent; the answer is not waited for."""
        if not self._is_over:
            self._is_over = True
            with suppress(ssl.SSLError):
                self._tls.unwrap()
            self._flush()
            self._transport.close()

    def abort(self) -> None:
        self._is_over = True
        self._transport.abort()

    def is_closing(self) -> bool:
        return self._is_over

    def get_write_buffer_size(self) -> int:
        return self._transport.get_write_buffer_size()

    # -- what the socket's transport calls -------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]  # a stream's is a Transport
        self._send = self._transport.write
        self._shake_hands()

    def data_received(self, data: bytes) -> None:
        if len(data) >= MUCH:
            give_way(self._transport)
        incoming = self._incoming
        incoming.write(data)
        if self._protocol is None:
            self._shake_hands()
        protocol = self._protocol
        while incoming.pending and protocol is not None and not self._is_over:
            try:
                plain = self._decrypt(RECORD)
            except ssl.SSLWantReadError:
                break  # the rest of a record is to come, or it was none of the protocol's
            except ssl.SSLError as fault:
                self._fail(fault)
                return
            if not plain:
                protocol.eof_received()
                self.close()
                return
            protocol.data_received(plain)
        if self._unsent or self._outgoing.pending:
            self._flush()

    def eof_received(self) -> None:
        """Return None: the transport closes. Few servers say goodbye before."""
        if self._protocol is not None:
            self._protocol.eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        self._is_over = True
        fault = self._fault or exc
        if self._protocol is not None:
            self._protocol.connection_lost(fault)
        elif not self.agreed.done():
            self.agreed.set_exception(fault or ConnectionResetError())

    def pause_writing(self) -> None:
        if self._protocol is not None:
            self._protocol.pause_writing()

    def resume_writing(self) -> None:
        if self._protocol is not None:
            self._protocol.resume_writing()

    # -- the rest --------------------------------------------------------------------------

    def _shake_hands(self) -> None:
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            self._flush()
            return
        except ssl.SSLError as fault:
            self._fail(fault)
            return
        self._flush()
        if not self.agreed.done():
            self._protocol = self._choose(self._tls.selected_alpn_protocol() or "")
            self._protocol.connection_made(self)
            self.agreed.set_result(self._protocol)

    def _put_off(self, data: bytes, fault: ssl.SSLError) -> None:
        """Keep what can't be sent before more is received, as in a second handshake."""
        self._unsent.append(data)
        if not isinstance(fault, ssl.SSLWantReadError):
            self._fail(fault)

    def _flush(self) -> None:
        with suppress(ssl.SSLError):
            while self._unsent and not self._is_over:
                self._encrypt(self._unsent[0])
                del self._unsent[0]
        if self._outgoing.pending:
            self._send(self._outgoing.read())

    def _fail(self, fault: ssl.SSLError) -> None:
        """End the connection; the server is told why, where OpenSSL has words for it."""
        self._fault, self._is_over = fault, True
        self._flush()
        self._transport.close()

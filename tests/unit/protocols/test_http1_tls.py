"""TLS between a socket and a protocol: what comes out is what went in, or a failure."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from contextlib import suppress
from typing import cast

import pytest
import trustme

from planrunner.protocols.http.clients.http1.tls import TlsTransport

AUTHORITY = trustme.CA()
SERVER = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
AUTHORITY.issue_cert("shop.test").configure_cert(SERVER)
TRUSTING = ssl.create_default_context()
AUTHORITY.configure_trust(TRUSTING)
LARGE = b"x" * 40_000


class Heard(asyncio.Protocol):
    """Keeps all that it is told."""

    def __init__(self) -> None:
        self.data = b""
        self.told: list[object] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.told.append("made")

    def data_received(self, data: bytes) -> None:
        self.data += data

    def eof_received(self) -> None:
        self.told.append("end")

    def connection_lost(self, exc: Exception | None) -> None:
        self.told.append(type(exc))


class Wires(asyncio.Transport):
    """A server at the other end of a socket, in memory."""

    def __init__(self, *, context: ssl.SSLContext = TRUSTING, at_once: int = 100_000) -> None:
        super().__init__()
        self.heard = Heard()
        self.at_once = at_once
        self.is_closed = False
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.server = SERVER.wrap_bio(self.incoming, self.outgoing, server_side=True)
        self.tls = TlsTransport(context, "shop.test", lambda _: self.heard)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.incoming.write(data)

    def close(self) -> None:
        self.is_closed = True

    abort = close

    def deliver(self) -> None:
        """Bring to the client what the server has written, in pieces."""
        data = self.outgoing.read()
        for start in range(0, len(data), self.at_once):
            if not self.is_closed:
                self.tls.data_received(data[start : start + self.at_once])

    def shake_hands(self) -> None:
        self.tls.connection_made(cast("asyncio.BaseTransport", self))
        for _ in range(2):
            with suppress(ssl.SSLWantReadError):
                self.server.do_handshake()
            self.deliver()


def in_loop(scenario: Callable[[], None]) -> None:
    async def run() -> None:
        scenario()

    asyncio.run(run())


@pytest.mark.parametrize("at_once", [1, 7, 20_000, 100_000])
def test_records_however_they_are_cut(at_once: int) -> None:
    """Halves of records, and many of them at once, come to the same."""

    def scenario() -> None:
        wires = Wires(at_once=at_once)
        wires.shake_hands()
        for piece in (b"hello", LARGE[: at_once * 1_000], b"end"):
            wires.server.write(piece)
        wires.deliver()
        wires.tls.write(b"GET")
        wires.tls.write(memoryview(LARGE))

        assert wires.heard.data == b"hello" + LARGE[: at_once * 1_000] + b"end"
        assert wires.tls.agreed.result() is wires.heard
        assert [wires.server.read(100_000) for _ in range(2)] == [b"GET", LARGE[:16_384]]

    in_loop(scenario)


def test_what_cannot_be_sent_yet_is_sent_in_order() -> None:
    """As while the server shakes hands a second time."""

    def scenario() -> None:
        wires = Wires()
        wires.tls.write(b"first ")
        wires.tls.write(b"second")
        wires.shake_hands()

        assert wires.server.read() + wires.server.read() == b"first second"

    in_loop(scenario)


def test_both_sides_say_goodbye() -> None:
    """The server's is the end of what comes; ours is sent before the socket closes."""

    def scenario() -> None:
        wires = Wires()
        wires.shake_hands()
        with suppress(ssl.SSLWantReadError):
            wires.server.unwrap()
        wires.deliver()
        wires.tls.connection_lost(None)
        wires.tls.write(b"late")

        assert wires.heard.told == ["made", "end", type(None)]
        assert wires.is_closed
        assert wires.tls.is_closing()
        with pytest.raises(ssl.SSLZeroReturnError):
            wires.server.read()

    in_loop(scenario)


def test_a_record_that_was_changed_is_a_failure() -> None:
    """Nothing of it reaches the protocol, and the server is told."""

    def scenario() -> None:
        wires = Wires()
        wires.shake_hands()
        wires.server.write(b"hello")
        record = bytearray(wires.outgoing.read())
        record[-1] ^= 1
        wires.tls.data_received(bytes(record))
        wires.tls.connection_lost(None)

        assert (wires.heard.data, wires.heard.told) == (b"", ["made", ssl.SSLError])
        with pytest.raises(ssl.SSLError, match="BAD_RECORD_MAC"):
            wires.server.read()

    in_loop(scenario)


def test_a_certificate_that_is_refused_is_told_to_the_server() -> None:
    """No protocol is made, and who waits for one gets the reason."""

    def scenario() -> None:
        wires = Wires(context=ssl.create_default_context())
        wires.tls.connection_made(cast("asyncio.BaseTransport", wires))
        with suppress(ssl.SSLWantReadError):
            wires.server.do_handshake()
        wires.deliver()
        wires.tls.connection_lost(None)

        assert isinstance(wires.tls.agreed.exception(), ssl.SSLCertVerificationError)
        assert (wires.heard.told, wires.is_closed) == ([], True)
        with pytest.raises(ssl.SSLError, match="UNKNOWN_CA"):
            wires.server.do_handshake()

    in_loop(scenario)

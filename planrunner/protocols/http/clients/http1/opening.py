"""Opening connections that speak HTTP: which version is known once TLS is."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from functools import partial
from typing import Any, Final

from planrunner.protocols.base import FailureKind
from planrunner.protocols.http.clients.fault import WireFault, map_tls_failure
from planrunner.protocols.http.clients.http1.connect import Connector
from planrunner.protocols.http.clients.http1.connection import WireConnection
from planrunner.protocols.http.clients.http1.open_connection import ReplyLimits, SharedConnection
from planrunner.protocols.http.clients.http1.tls import TlsTransport
from planrunner.protocols.http.clients.kept_bodies import UNCOUNTED
from planrunner.protocols.http.operation import HttpSettings
from planrunner.protocols.http.url import Origin
from planrunner.protocols.plugin import resolve

__all__ = ["AnyConnection", "HttpConnector"]

HTTP2: Final = "planrunner.protocols.http.clients.http2.connections:Http2Connections"
"""What makes those of HTTP/2; jh2 and all that is made of it is imported when it is needed."""


AnyConnection = WireConnection | SharedConnection


class HttpConnector(Connector):
    """Opens connections of the versions of HTTP that the plan allows.

    Attributes:
        speaks_http2: HTTP/2 is among them.
    """

    def __init__(
        self, settings: HttpSettings, now_ns: Callable[[], int], limits: ReplyLimits
    ) -> None:
        super().__init__(settings, now_ns)
        self._limits = limits
        self._http2: Any = None
        self.speaks_http2 = settings.may_speak_http2
        self._only_http2 = settings.version == "2"
        if self.speaks_http2:
            self.offered = ["h2"] if self._only_http2 else ["h2", "http/1.1"]

    def may_multiplex(self, origin: Origin) -> bool:
        """Say whether a connection to `origin` may turn out to speak HTTP/2."""
        return self.speaks_http2 and (self._only_http2 or origin.scheme == "https")

    def prepare(self, origin: Origin | None) -> None:
        """Make now what the first request would be timed with; without an origin for any."""
        may_be_tls = origin is None or origin.scheme == "https"
        if may_be_tls:
            self.prepare_tls()
        if self._only_http2 or (self.speaks_http2 and may_be_tls):
            self._prepare_http2()

    async def open(
        self, origin: Origin, make: Callable[[], WireConnection], number: int = 0
    ) -> AnyConnection:
        """Open one connection, trying a name's addresses in turn.

        Args:
            origin: Where to.
            make: Makes one of HTTP/1.1.
            number: The user's, which says what address it is opened from.

        Raises:
            WireFault: With the kind dns, connect or tls; or protocol, when only HTTP/2 may be
                spoken and the server doesn't.
        """
        tunnels = origin.scheme == "https" or self._only_http2
        sock = await self.dial(origin, number, tunnels=tunnels)
        try:
            connection = await self._attach(sock, origin, make)
        except OSError as fault:
            sock.close()
            raise map_tls_failure(fault, f"{origin.host}:{origin.port}") from fault
        except BaseException:
            sock.close()
            raise
        if self.proxy is not None and not tunnels and isinstance(connection, WireConnection):
            connection.write_whole_urls(self.proxy.credentials)
        return connection

    async def _attach(
        self, sock: socket.socket, origin: Origin, make: Callable[[], WireConnection]
    ) -> AnyConnection:
        loop = asyncio.get_running_loop()
        if origin.scheme == "https":
            return await self._agree(sock, origin, make)
        if self._only_http2:
            opened = await loop.create_connection(partial(self._make_http2, origin), sock=sock)
            shared: SharedConnection = opened[1]
            return shared
        _, connection = await loop.create_connection(make, sock=sock)
        return connection

    async def _agree(
        self, sock: socket.socket, origin: Origin, make: Callable[[], WireConnection]
    ) -> AnyConnection:
        """Speak what TLS's ALPN agrees on."""

        def choose(agreed: str) -> Any:  # noqa: ANN401 - a shared connection is a Protocol too
            return self._make_http2(origin) if agreed == "h2" else make()

        transport = TlsTransport(self.tls(), origin.host, choose)
        await asyncio.get_running_loop().create_connection(lambda: transport, sock=sock)
        try:
            chosen: AnyConnection = await transport.agreed
        except BaseException:
            transport.abort()
            raise
        if self._only_http2 and isinstance(chosen, WireConnection):
            chosen.close()
            words = f"`{origin.authority}` does not speak HTTP/2: TLS did not agree on it"
            raise WireFault(FailureKind.PROTOCOL, words)
        return chosen

    def _prepare_http2(self) -> None:
        if self._http2 is None:
            most = min(self.settings.max_body, UNCOUNTED)
            self._http2 = resolve(HTTP2)(self._limits, most, self.now_ns)

    def _make_http2(self, origin: Origin) -> Any:  # noqa: ANN401 - a shared connection, a Protocol
        self._prepare_http2()
        return self._http2.make(origin)

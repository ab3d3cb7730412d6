"""Opening what a handshake goes over: a connection, through a proxy where the plan has one.

The proxies that HTTP's own client speaks to are its connector's; SOCKS, and TLS to the proxy
itself, are picows' code, over a socket that this connector opens.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from socket import socket
from typing import Any, Final, cast

from picows.proxy import ConnectedTransport, connect_through_optional_proxy
from picows.url import WSParsedURL, parse_url

from planrunner.protocols.base import FailureKind
from planrunner.protocols.http.clients.fault import WireFault, map_tls_failure
from planrunner.protocols.http.clients.http1.connect import Connector
from planrunner.protocols.http.operation import HttpSettings
from planrunner.protocols.http.target import needs_httpx
from planrunner.protocols.http.url import Origin, split_url

__all__ = ["SocketConnector", "socket_url"]

_SCHEMES: Final = {"http": "ws", "https": "wss"}


def socket_url(origin: Origin, target: str) -> str:
    """Return where a handshake goes, as WebSockets write it."""
    return f"{_SCHEMES[origin.scheme]}://{origin.authority}{target}"


class SocketConnector:
    """Opens connections for all sessions of a client."""

    def __init__(self, settings: HttpSettings, now_ns: Callable[[], int]) -> None:
        proxy = settings.proxy if needs_httpx(settings.proxy) else ""
        self._http = Connector(replace(settings, proxy="") if proxy else settings, now_ns)
        # With either, the proxy looks up the name: httpx has it so too.
        self._proxy = proxy.replace("socks5h://", "socks5://", 1)
        self._hosts = settings.hosts

    def prepare(self) -> None:
        """Make now what the first handshake would be timed with."""
        self._http.prepare_tls()

    async def open(self, origin: Origin, number: int, protocol: asyncio.BaseProtocol) -> None:
        """Connect `protocol` to the origin.

        Args:
            origin: Where to.
            number: Of the user, for what it connects from.
            protocol: Is told when the connection is open.

        Raises:
            WireFault: With the kind dns or connect.
            OSError: TLS failed, or the connection broke.
        """
        if self._proxy:
            await self._through_proxy(origin, number, protocol)
            return
        sock = await self._http.dial(origin, number, tunnels=True)
        await self._over(sock, origin, protocol)

    async def _over(self, sock: socket, origin: Origin, protocol: asyncio.BaseProtocol) -> None:
        named: dict[str, Any] = {}
        if origin.scheme == "https":
            named = {"ssl": self._http.tls(), "server_hostname": origin.host}
        from aiofastnet import create_connection  # noqa: PLC0415 - as its system has it

        try:
            await create_connection(
                asyncio.get_running_loop(), lambda: protocol, sock=sock, **named
            )
        except BaseException:
            sock.close()
            raise

    async def _through_proxy(
        self, origin: Origin, number: int, protocol: asyncio.BaseProtocol
    ) -> None:
        target = parse_url(socket_url(self._meant(origin), "/"))
        proxy = parse_url(self._proxy, check_scheme=False)
        connected = await self._connected(target, proxy, number)
        if not isinstance(connected, ConnectedTransport):
            await self._over(connected, origin, protocol)
            return
        from aiofastnet import start_tls  # noqa: PLC0415 - as above

        transport = connected.transport
        try:
            if origin.scheme == "https":
                transport = await start_tls(
                    asyncio.get_running_loop(),
                    transport,
                    transport.get_protocol(),
                    self._http.tls(),
                    server_hostname=origin.host,
                )
            transport.set_protocol(protocol)
            protocol.connection_made(transport)
        except BaseException:
            transport.abort()
            raise

    def _meant(self, origin: Origin) -> Origin:
        host = self._hosts.get(origin.host, origin.host)
        return origin if host == origin.host else replace(origin, host=host)

    async def _connected(
        self, target: WSParsedURL, proxy: WSParsedURL, number: int
    ) -> socket | ConnectedTransport:
        """Return what the proxy gives: a socket, or a transport where it is spoken to in TLS."""
        from aiofastnet import create_connection  # noqa: PLC0415 - as above

        loop = asyncio.get_running_loop()
        where = split_url(f"http://{proxy.netloc.rpartition('@')[2]}").origin
        where = replace(where, port=proxy.port)

        async def dial(_: object) -> socket:
            return await self._http.dial(where, number, tunnels=False)

        async def create(*arguments: Any, **named: Any) -> Any:  # noqa: ANN401 - as asyncio's
            return await create_connection(loop, *arguments, **named)

        context = self._http.tls() if proxy.is_secure else None
        words = f"the proxy `{where.host}:{where.port}` gave no connection to "
        words += f"`{target.host}:{target.port}`: "
        try:
            found = await connect_through_optional_proxy(
                loop, target, proxy, dial, None, context, {}, create
            )
        except WireFault:
            raise
        except OSError as fault:
            raise map_tls_failure(fault, f"{where.host}:{where.port}") from fault
        except Exception as error:  # python-socks has several, of no type in common
            raise WireFault(FailureKind.CONNECT, words + str(error).lower()) from error
        return found if isinstance(found, ConnectedTransport) else cast("socket", found.sock)

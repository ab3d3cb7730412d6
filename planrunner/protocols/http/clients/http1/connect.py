"""Opening connections: names to addresses, TCP, TLS; each step fails as its own kind."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Final

from planrunner.errors import CannotRun
from planrunner.protocols.http.clients.fault import map_connect_failure
from planrunner.protocols.http.clients.http1.proxy import open_tunnel, proxy_of
from planrunner.protocols.http.operation import HttpSettings
from planrunner.protocols.http.sources import Sources, bind_to, family_of
from planrunner.protocols.http.url import Origin
from planrunner.units import NS_PER_S

__all__ = ["Connector", "tls_context"]

KEEP_ADDRESSES_NS: Final = 60 * NS_PER_S
"""How long a name's addresses are used again: users that start together ask once, and a target
that moves is still followed."""

Address = tuple[socket.AddressFamily, tuple[str, int]]


def tls_context(settings: HttpSettings, offered: Sequence[str] = ("http/1.1",)) -> ssl.SSLContext:
    """Return the one context of a client; loading the trust store takes 10 ms and more.

    `offered` are the versions of HTTP that servers may choose from, as ALPN calls them.

    Raises:
        CannotRun: A certificate file cannot be read or isn't one.
    """
    if settings.ca is None and settings.cert is None:
        return _of_the_system(tuple(offered), verifies=settings.verify)
    try:
        context = ssl.create_default_context(
            cafile=None if settings.ca is None else str(settings.ca)
        )
        if settings.cert is not None:
            # Always a password: without one OpenSSL would ask for it on the terminal, and wait.
            context.load_cert_chain(settings.cert, settings.key, settings.key_password)
    except (OSError, ssl.SSLError) as fault:
        files = ", ".join(
            f"`{path}`" for path in (settings.ca, settings.cert, settings.key) if path
        )
        raise CannotRun(
            f"cannot use the certificates {files}: {fault}",
            hint="`http.ca`, `http.cert` and `http.key` name PEM files",
        ) from fault
    return _completed(context, offered, verifies=settings.verify)


@cache
def _of_the_system(offered: tuple[str, ...], *, verifies: bool) -> ssl.SSLContext:
    """Make the context of all clients that name no file: its trust store is that of the system."""
    return _completed(ssl.create_default_context(), offered, verifies=verifies)


def _completed(
    context: ssl.SSLContext, offered: Sequence[str], *, verifies: bool
) -> ssl.SSLContext:
    context.set_alpn_protocols(offered)
    if not verifies:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


class Connector:
    """Opens connections for all sessions of a client.

    Attributes:
        settings: What they are opened by.
        offered: The versions of HTTP that servers may choose from, as ALPN calls them.
    """

    offered: Sequence[str] = ("http/1.1",)

    def __init__(self, settings: HttpSettings, now_ns: Callable[[], int]) -> None:
        self.settings = settings
        self._hosts: Mapping[str, str] = settings.hosts
        self.proxy = proxy_of(settings.proxy)
        self._sources = Sources(settings.sources)
        self.now_ns = now_ns
        self._context: ssl.SSLContext | None = None
        self._addresses: dict[tuple[str, int], tuple[int, list[Address]]] = {}

    def prepare_tls(self) -> None:
        """Make the TLS context now, before the first request is timed."""
        self.tls()

    async def dial(self, origin: Origin, number: int = 0, *, tunnels: bool) -> socket.socket:
        """Return a socket that is connected, through a tunnel where a proxy is to give one.

        Raises:
            WireFault: With the kind dns or connect.
        """
        host, proxy = self._hosts.get(origin.host, origin.host), self.proxy
        if proxy is None:
            return await self._connect_to(host, origin.port, f"{host}:{origin.port}", number)
        where = proxy.origin
        shown = f"{where.host}:{where.port}` of `http.proxy"
        sock = await self._connect_to(where.host, where.port, shown, number)
        try:
            if tunnels:
                await open_tunnel(sock, proxy, host, origin.port)
        except BaseException:
            sock.close()
            raise
        return sock

    async def _connect_to(self, host: str, port: int, shown: str, number: int) -> socket.socket:
        try:
            return await self._connect(host, port, number)
        except OSError as fault:
            raise map_connect_failure(fault, shown) from fault

    async def _connect(self, host: str, port: int, number: int) -> socket.socket:
        addresses = await self._resolve(host, port)
        fault: OSError = OSError("the name has no address")
        for place, (family, address) in enumerate(addresses):
            try:
                sock = await _dial(family, address, self._sources.of_user(number, family))
            except OSError as refused:
                fault = refused
                continue
            if place:
                # The one that answered comes first from now on.
                addresses.insert(0, addresses.pop(place))
            return sock
        raise fault

    async def _resolve(self, host: str, port: int) -> list[Address]:
        key, now_ns = (host, port), self.now_ns()
        known = self._addresses.get(key)
        if known is not None and now_ns < known[0]:
            return known[1]
        if family := family_of(host):
            addresses = [(family, (host, port))]
        else:
            loop = asyncio.get_running_loop()
            try:
                found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            except UnicodeError as fault:  # a part that is empty, or longer than 63 characters
                raise socket.gaierror(socket.EAI_NONAME, "it can't be a host's name") from fault
            addresses = [(entry[0], entry[4]) for entry in found]  # type: ignore[misc]
        self._addresses[key] = (now_ns + KEEP_ADDRESSES_NS, addresses)
        return addresses

    def tls(self) -> ssl.SSLContext:
        """Return the context of all its connections."""
        if self._context is None:
            self._context = tls_context(self.settings, self.offered)
        return self._context


async def _dial(
    family: socket.AddressFamily, address: tuple[str, int], source: str
) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.settimeout(0)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if source:
            bind_to(sock, source)
        await asyncio.get_running_loop().sock_connect(sock, address)
    except BaseException:
        sock.close()
        raise
    return sock

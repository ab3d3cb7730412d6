"""HTTP proxies: whole URLs for http, tunnels for https (RFC 9110 §7.6, §9.3.6)."""

from __future__ import annotations

import asyncio
import socket
from typing import Final

from planrunner.protocols.base import FailureKind
from planrunner.protocols.http.clients.fault import WireFault
from planrunner.protocols.http.clients.heads.head import HEAD_END, status_named
from planrunner.protocols.http.url import Origin, split_url
from planrunner.values import dataclass

__all__ = ["Proxy", "open_tunnel", "proxy_of"]

LONGEST_ANSWER: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class Proxy:
    """Where connections go instead.

    Attributes:
        credentials: A header line, empty for none.
    """

    origin: Origin
    credentials: bytes = b""


def proxy_of(url: str) -> Proxy | None:
    """Read `http.proxy`; None when there is none."""
    if not url:
        return None
    location = split_url(url)
    line = f"Proxy-Authorization: {location.authorization}\r\n"
    return Proxy(location.origin, line.encode("ascii") if location.authorization else b"")


async def open_tunnel(sock: socket.socket, proxy: Proxy, host: str, port: int) -> None:
    """Ask the proxy behind `sock` for a connection to a host.

    Raises:
        WireFault: With the kind connect: it does not give one.
    """
    name = f"[{host}]" if ":" in host else host
    where = f"{name}:{port}".encode("ascii")
    request = b"CONNECT %b HTTP/1.1\r\nHost: %b\r\n%b\r\n" % (where, where, proxy.credentials)
    loop = asyncio.get_running_loop()
    answer = b""
    try:
        await loop.sock_sendall(sock, request)
        while HEAD_END not in answer and len(answer) < LONGEST_ANSWER:
            data = await loop.sock_recv(sock, 4096)
            if not data:
                break
            answer += data
    except OSError as fault:
        raise _refused(proxy, name, port, str(fault).lower()) from fault
    if not 200 <= status_named(answer) < 300:
        first = answer.partition(b"\n")[0].strip().decode("latin-1")[:100]
        raise _refused(proxy, name, port, f"it said `{first}`" if first else "it said nothing")


def _refused(proxy: Proxy, name: str, port: int, why: str) -> WireFault:
    words = f"the proxy `{proxy.origin.authority}` gave no connection to `{name}:{port}`: {why}"
    return WireFault(FailureKind.CONNECT, words)

"""How far a run reaches: hosts that aren't one's own are named, with the load, before it starts."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator, Mapping, Sequence
from ipaddress import ip_address
from typing import Final

import click

from planrunner.compiler.graph import RunGraph
from planrunner.engine.worker import requests_of
from planrunner.language.secrets import Masker
from planrunner.protocols.http.operation import HttpOperation, HttpSettings

__all__ = ["announce", "peak_users", "proxy_notices"]

_RESOLVE_S: Final = 3.0
_PROXIES: Final = ("http_proxy", "https_proxy", "all_proxy")


async def announce(graph: RunGraph, environ: Mapping[str, str]) -> tuple[str, ...]:
    """Print whom the run will load if that may be somebody else; returns notices for the result."""
    hosts = sorted(_hosts(graph))
    addresses = await asyncio.gather(*(_addresses(graph, host) for host in hosts))
    reached = [
        (host, found)
        for host, found in zip(hosts, addresses, strict=True)
        if not found or not all(map(_is_own, found))
    ]
    users, mask = peak_users(graph), Masker(graph.secrets)
    for host, found in reached:
        where = ", ".join(found[:2]) or "no address yet"
        click.echo(
            f"note: up to {users:,} user{'s' if users != 1 else ''} at once will load "
            f"`{mask(host)}` ({where}), which is neither loopback nor private",
            err=True,
        )
    if all(map(_is_local, hosts)):
        return ()
    notices = proxy_notices(graph, environ)
    for notice in notices:
        click.echo(f"note: {notice}", err=True)
    return notices


def peak_users(graph: RunGraph) -> int:
    """Return how many users there can be at once: phases with `start_at` run beside the others."""
    in_order = [phase.load.most_users for phase in graph.phases if phase.start_at_ns is None]
    beside = [phase.load.most_users for phase in graph.phases if phase.start_at_ns is not None]
    return max(in_order, default=0) + sum(beside)


def proxy_notices(graph: RunGraph, environ: Mapping[str, str]) -> tuple[str, ...]:
    """Say that the environment's proxies are not used; the values may hold passwords."""
    settings = graph.settings.get("http")
    has_own = isinstance(settings, HttpSettings) and bool(settings.proxy)
    names = [name for name in environ if name.lower() in _PROXIES and environ[name]]
    if has_own or not names:
        return ()
    listed = ", ".join(f"`{name}`" for name in sorted(names))
    verb = "is" if len(names) == 1 else "are"
    return (f"{listed} of the environment {verb} ignored; set `http.proxy` to use a proxy",)


def _hosts(graph: RunGraph) -> Iterator[str]:
    """Yield, each once, the hosts whose names are known before the run."""
    seen: set[str] = set()
    for request in requests_of(graph):
        operation = request.exchange.operation
        if not isinstance(operation, HttpOperation):
            continue
        operations = [operation]
        if operation.grant is not None:
            operations.append(operation.grant.exchange.operation)
        for item in operations:
            origin = item.url.origin
            if origin is not None and origin.host not in seen:
                seen.add(origin.host)
                yield origin.host


async def _addresses(graph: RunGraph, host: str) -> Sequence[str]:
    settings = graph.settings.get("http")
    if isinstance(settings, HttpSettings):
        host = settings.hosts.get(host, host)
    if _is_local(host):
        return ["127.0.0.1"]
    try:
        ip_address(host)
    except ValueError:
        return await _resolve(host)
    return [host]


async def _resolve(host: str) -> Sequence[str]:
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(_RESOLVE_S):
            found = await loop.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError, TimeoutError):
        return []  # the check of the target, or the first request, will say more
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def _is_local(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _is_own(address: str) -> bool:
    found = ip_address(address.partition("%")[0])
    mapped = getattr(found, "ipv4_mapped", None)
    found = mapped or found
    return found.is_loopback or found.is_private or found.is_link_local

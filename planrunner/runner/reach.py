"""How far a run reaches: hosts that aren't one's own, to be named before it starts."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from ipaddress import ip_address
from typing import Final

from planrunner.engine.workers.local import requests_of
from planrunner.graph.run_graph import Load, OpenLoad, RunGraph, SearchLoad
from planrunner.language.secrets import Masker
from planrunner.protocols.base import Exchange
from planrunner.protocols.etcd.operation import EtcdSettings
from planrunner.protocols.http.operation import HttpOperation, HttpSettings
from planrunner.units import NS_PER_S, format_count

__all__ = ["foreign_hosts", "peak_load", "proxy_notices"]

_RESOLVE_S: Final = 3.0
_PROXIES: Final = ("http_proxy", "https_proxy", "all_proxy")


async def foreign_hosts(graph: RunGraph) -> tuple[str, ...]:
    """Say whom the run will load if that may be somebody else, each a sentence."""
    hosts = sorted(_hosts(graph))
    addresses = await asyncio.gather(*(_addresses(graph, host) for host in hosts))
    reached = [
        (host, found)
        for host, found in zip(hosts, addresses, strict=True)
        if not found or not all(map(_is_own, found))
    ]
    load, mask = peak_load(graph), Masker(graph.secrets)
    return tuple(
        f"up to {load} will load `{mask(host)}` ({', '.join(found[:2]) or 'no address yet'}), "
        "which is neither loopback nor private"
        for host, found in reached
    )


def peak_load(graph: RunGraph) -> str:
    """Return the most users and arrivals that there are at once, in words."""
    users = round(_peak(graph, _users))
    rate = _peak(graph, _rate_per_s)
    words = [f"{format_count(users, 'user')} at once"] if users else []
    if rate:
        words.append(f"{float(rate):,.12g} arrivals a second")
    return " and ".join(words)


def _peak(graph: RunGraph, level: Callable[[Load], Fraction]) -> Fraction:
    """Return the highest level: phases with `start_at` run beside those that run in turn."""
    in_turn = [level(phase.load) for phase in graph.phases if phase.start_at_ns is None]
    beside = [level(phase.load) for phase in graph.phases if phase.start_at_ns is not None]
    return max(in_turn, default=Fraction(0)) + sum(beside)


def _users(load: Load) -> Fraction:
    return Fraction(0) if _is_open(load) else Fraction(load.most_users)


def _rate_per_s(load: Load) -> Fraction:
    match load:
        case OpenLoad():
            rates = [stage.rate for stage in load.stages]
            return max((Fraction(r.count * NS_PER_S, r.per_ns) for r in rates), default=Fraction(0))
        case SearchLoad() if load.vary == "rate":
            return load.steps.last
        case _:
            return Fraction(0)


def _is_open(load: Load) -> bool:
    return isinstance(load, OpenLoad) or (isinstance(load, SearchLoad) and load.vary == "rate")


def proxy_notices(graph: RunGraph, environ: Mapping[str, str]) -> tuple[str, ...]:
    """Say that the environment's proxies are not used, without their values: passwords."""
    settings = graph.settings.get("http")
    has_own = isinstance(settings, HttpSettings) and bool(settings.proxy)
    names = [name for name in environ if name.lower() in _PROXIES and environ[name]]
    if has_own or not names:
        return ()
    listed = ", ".join(f"`{name}`" for name in sorted(names))
    verb = "is" if len(names) == 1 else "are"
    return (f"{listed} of the environment {verb} ignored; set `http.proxy` to use a proxy",)


def _hosts(graph: RunGraph) -> set[str]:
    """Return the hosts whose names are known before the run."""
    exchanges = {id(request.exchange): request.exchange for request in requests_of(graph)}
    return {host for exchange in exchanges.values() for host in _hosts_of(exchange, graph)}


def _hosts_of(exchange: Exchange, graph: RunGraph) -> Iterator[str]:
    operation, settings = exchange.operation, graph.settings.get(exchange.protocol)
    if isinstance(settings, EtcdSettings):
        yield from (endpoint.rpartition(":")[0].strip("[]") for endpoint in settings.endpoints)
    if isinstance(operation, HttpOperation):
        if operation.url.origin is not None:
            yield operation.url.origin.host
        if operation.grant is not None:
            yield from _hosts_of(operation.grant.exchange, graph)


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

"""How far a run reaches: hosts that aren't one's own, to be named before it starts."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from fractions import Fraction
from ipaddress import ip_address
from typing import Final

from planrunner.engine.workers.local import requests_of
from planrunner.errors import UsageError
from planrunner.graph.run_graph import Load, RunGraph
from planrunner.language.secrets import Masker
from planrunner.protocols import registry
from planrunner.protocols.plugin import TargetHost
from planrunner.units import few, format_count

__all__ = [
    "OWN_HOSTS",
    "check_hosts",
    "client_notices",
    "foreign_hosts",
    "is_loopback",
    "loopback_targets",
    "peak_load",
]

OWN_HOSTS: Final = "own"
"""In place of a name: hosts with loopback, private and link-local addresses alone."""


_RESOLVE_S: Final = 3.0


async def check_hosts(graph: RunGraph, allowed: Sequence[str]) -> None:
    """Refuse a run whose requests go to other hosts than allowed, before anything is sent.

    Redirects lead wherever replies say, and commands and functions of a plan send what they want.

    Args:
        graph: The plan.
        allowed: Names of hosts, `*` for any part of one; `own`: whatever has loopback, private or
            link-local addresses alone. Empty allows all.

    Raises:
        UsageError: A host is not among them, or only the run knows which it is.
    """
    if not allowed:
        return
    hosts = {host for host in _hosts(graph) if not _is_named(host, allowed)}
    refused = [host for host, _ in await _foreign(hosts)] if OWN_HOSTS in allowed else hosts
    mask = Masker(graph.secrets)
    if names := sorted({mask(name) for host in refused for name in _refused(host, allowed)}):
        listed = ", ".join(f"`{name}`" for name in few(names))
        raise UsageError(
            f"--only-hosts does not allow {listed}; nothing was sent",
            hint=f"add `--only-hosts {names[0]}` if you may load it",
        )
    if any(not host.name for host in hosts):
        raise UsageError(
            "--only-hosts: a request has a host that only the run knows; nothing was sent",
            hint="write it into `http.base_url` or the URL, not into data or replies",
        )


def _is_named(host: TargetHost, allowed: Sequence[str]) -> bool:
    """Say whether a host is allowed, and so where the plan looks for it, which may be elsewhere."""
    return _fits(host.name, allowed) and (
        host.address == host.name or is_loopback(host.address) or _fits(host.address, allowed)
    )


def _fits(name: str, allowed: Sequence[str]) -> bool:
    return bool(name) and any(fnmatchcase(name.lower(), one.lower()) for one in allowed)


def _refused(host: TargetHost, allowed: Sequence[str]) -> Iterable[str]:
    if not host.name:
        return ()
    return (host.address,) if _fits(host.name, allowed) else (host.name,)


async def _foreign(hosts: Iterable[TargetHost]) -> list[tuple[TargetHost, Sequence[str]]]:
    """Return the hosts that may belong to others, with the addresses that they have."""
    known = sorted(host for host in hosts if host.name)
    addresses = await asyncio.gather(*(_addresses(host.address) for host in known))
    return [
        (host, found)
        for host, found in zip(known, addresses, strict=True)
        if not found or not all(map(_is_own, found))
    ]


async def foreign_hosts(graph: RunGraph) -> tuple[str, ...]:
    """Name the hosts that the run will load if they may belong to others, each in a sentence."""
    reached = await _foreign(_hosts(graph))
    load, mask = peak_load(graph), Masker(graph.secrets)
    return tuple(
        f"up to {load} will send load to `{mask(host.name)}` "
        f"({', '.join(found[:2]) or 'no address yet'}), which is neither loopback nor private"
        for host, found in reached
    )


def loopback_targets(graph: RunGraph) -> tuple[str, ...]:
    """Name the targets that are this machine to whoever asks for them."""
    mask = Masker(graph.secrets)
    return tuple(mask(host.name) for host in sorted(_hosts(graph)) if is_loopback(host.address))


def peak_load(graph: RunGraph) -> str:
    """Return the most users and arrivals that there are at once, in words."""
    users = round(_peak(graph, _users))
    rate = _peak(graph, lambda load: load.peak_rate)
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
    return Fraction(0) if load.has_due_times else Fraction(load.most_users)


def client_notices(graph: RunGraph, environ: Mapping[str, str]) -> tuple[str, ...]:
    """Say what clients do to the numbers, and what of the environment they don't use.

    Without values of the environment: proxies have passwords.
    """
    found: list[str] = []
    for channel, settings in graph.settings.items():
        plugin = registry.channel_plugin(channel)
        found.append(plugin.caveat(settings))
        if ":" not in channel:
            found.append(plugin.ignored(settings, environ))
    return tuple(dict.fromkeys(filter(None, found)))


def _hosts(graph: RunGraph) -> set[TargetHost]:
    """Return the hosts of all requests."""
    exchanges = {id(request.exchange): request.exchange for request in requests_of(graph)}
    return {
        host
        for exchange in exchanges.values()
        for host in registry.channel_plugin(exchange.protocol).hosts(
            exchange, graph.settings[exchange.protocol]
        )
    }


async def _addresses(host: str) -> Sequence[str]:
    if is_loopback(host):
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


def is_loopback(host: str) -> bool:
    """Whether a host is this machine, as only this machine can reach it."""
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

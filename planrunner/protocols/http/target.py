"""What HTTP requests are aimed at, and what sends them: what a run says and checks beforehand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final
from urllib.parse import urlsplit

from planrunner.extras import install_hint, is_installed
from planrunner.protocols.base import Exchange
from planrunner.protocols.http.operation import HttpOperation, HttpSettings
from planrunner.protocols.http.url import split_url
from planrunner.protocols.plugin import ClientChoice, Reach, TargetHost
from planrunner.units import format_duration

__all__ = [
    "caveat",
    "choose_client",
    "chosen_client",
    "hosts",
    "ignored_proxies",
    "needs_httpx",
    "reach",
]

_PROXIES: Final = ("http_proxy", "https_proxy", "all_proxy")


def choose_client(settings: HttpSettings) -> ClientChoice:
    """Choose by what the plan asks for: the fast client unless it can't do it."""
    client, reason = _choice(settings)
    return ClientChoice(client, f"{reason}{_connections(settings)}")


def _choice(settings: HttpSettings) -> ClientChoice:
    if settings.client != "auto":
        return ClientChoice(settings.client, "`http.client` says so")
    if needs_httpx(settings.proxy):
        return ClientChoice("httpx", "the proxy speaks SOCKS or TLS")
    proxy = "through a proxy" if settings.proxy else "without a proxy"
    return ClientChoice("wire", f"{_versions(settings)} {proxy}")


def chosen_client(settings: HttpSettings) -> str:
    """Return the name of what sends."""
    return _choice(settings).name


def _versions(settings: HttpSettings) -> str:
    """Say which version of HTTP is spoken."""
    if settings.version == "2":
        return "HTTP/2"
    if settings.version == "1.1" or not _may_be_https(settings):
        return "HTTP/1.1"
    if not is_installed("http2"):
        return f"HTTP/1.1 (HTTP/2 needs `{install_hint('http2')}`)"
    return "HTTP/2 where TLS offers it, else HTTP/1.1,"


def _may_be_https(settings: HttpSettings) -> bool:
    """Say whether requests may go over TLS, as far as `base_url` tells."""
    base_url = settings.base_url[0] if settings.base_url else ""
    return not (isinstance(base_url, str) and base_url.lower().startswith("http://"))


def needs_httpx(proxy: str) -> bool:
    """Say whether the wire client cannot go through this proxy: SOCKS, or TLS to the proxy."""
    return bool(proxy) and not proxy.lower().startswith("http://")


def caveat(settings: HttpSettings) -> str:
    """Say what httpx does to the numbers, when it sends."""
    client, reason = _choice(settings)
    if client != "httpx":
        return ""
    return (
        f"HTTP is sent with httpx, since {reason}: each request takes it about a millisecond of "
        "the processor, and where many are under way their waiting for it is in the latencies"
    )


_NAMED: Final = 3


def _connections(settings: HttpSettings) -> str:
    """Say who users are, where connections come from, and how long they last, if the plan does."""
    sources = settings.sources
    who = f", with `{settings.auth}` credentials" if settings.auth else ""
    named = ", ".join(sources[:_NAMED]) + (" …" if len(sources) > _NAMED else "")
    where = (
        f", from {len(sources)} address{'es' if len(sources) > 1 else ''} in turn ({named})"
        if sources
        else ""
    )
    return f"{who}{where}{_lifetime(settings)}"


def _lifetime(settings: HttpSettings) -> str:
    if not settings.keepalive:
        return ", each request on a connection of its own"
    ends = ", on connections that end with the iteration" if settings.per_iteration else ""
    limits = [
        f"{format_duration(limit_ns)} {word}"
        for limit_ns, word in ((settings.max_age_ns, "old"), (settings.max_idle_ns, "idle"))
        if limit_ns
    ]
    return ends + (f", on connections at most {' and '.join(limits)}" if limits else "")


def hosts(exchange: Exchange, settings: HttpSettings) -> Iterator[TargetHost]:
    """Yield the host of a request, of the proxy on the way, and of the tokens it needs."""
    operation: HttpOperation = exchange.operation
    if operation.url.origin is not None:
        name = operation.url.origin.host
        yield TargetHost(name, settings.hosts.get(name, name))
    else:
        yield TargetHost("", "")
    if settings.proxy and (proxy := urlsplit(settings.proxy).hostname):
        yield TargetHost(proxy, proxy)
    if operation.grant is not None:
        yield from hosts(operation.grant.exchange, settings)


def reach(settings: HttpSettings) -> Iterator[Reach]:
    """Yield where `base_url` points, unless a proxy is in between."""
    fixed = [part for part in settings.base_url if isinstance(part, str)]
    if settings.proxy or not fixed or len(fixed) < len(settings.base_url):
        return  # a part that users fill in is known to none before the run
    base_url = "".join(fixed)
    origin = split_url(base_url).origin
    yield Reach(
        addresses=((settings.hosts.get(origin.host, origin.host), origin.port),),
        shown=f"`{base_url}`",
        nobody="nothing",
        hint="start the target, or point `http.base_url` at it; nothing was sent",
        unresolved_hint="check `http.base_url`",
        sources=settings.sources,
    )


def ignored_proxies(settings: HttpSettings, environ: Mapping[str, str]) -> str:
    """Say that the environment's proxies are not used, without their values: passwords."""
    names = [name for name in environ if name.lower() in _PROXIES and environ[name]]
    if settings.proxy or not names:
        return ""
    listed = ", ".join(f"`{name}`" for name in sorted(names))
    verb = "is" if len(names) == 1 else "are"
    return f"{listed} of the environment {verb} ignored; set `http.proxy` to use a proxy"

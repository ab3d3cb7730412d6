"""What WebSockets are aimed at: what a run says and checks beforehand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from importlib.metadata import version

from planrunner.protocols.base import Exchange
from planrunner.protocols.http import target as http
from planrunner.protocols.plugin import ClientChoice, Reach, TargetHost
from planrunner.protocols.ws.operation import ConnectAction, WsSettings
from planrunner.units import format_duration

__all__ = ["choose_client", "describe_transport", "hosts", "reach"]


def choose_client(settings: WsSettings) -> ClientChoice:
    """Say what is the same for all connections."""
    packed = "compressed where the server agrees" if settings.compresses else "uncompressed"
    every = f"pinged every {format_duration(settings.ping_ns)}" if settings.ping_ns else "no pings"
    return ClientChoice("picows", f"{packed}, {every}")


def hosts(exchange: Exchange, settings: WsSettings) -> Iterator[TargetHost]:
    """Yield the host of a handshake; other steps go where that went."""
    if isinstance(exchange.operation, ConnectAction):
        yield from http.hosts(exchange.operation.request, settings.http)


def reach(settings: WsSettings) -> Iterator[Reach]:
    """Yield where `ws.url` points, or else `http.base_url`."""
    if not settings.url:
        yield from http.reach(settings.http)
        return
    for found in http.reach(replace(settings.http, base_url=settings.url)):
        shown = found.shown.replace("`http", "`ws", 1)
        hint = found.hint.replace("http.base_url", "ws.url")
        yield replace(found, shown=shown, hint=hint, unresolved_hint="check `ws.url`")


def describe_transport() -> str:
    """Return what frames messages, with its version."""
    return f"picows {version('picows')}"

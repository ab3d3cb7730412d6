"""The steps and settings of WebSocket, compiled: what a client binds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import field

from planrunner.protocols.base import Evaluate, Exchange, Scope
from planrunner.protocols.http.operation import Header, HttpSettings, TextParts
from planrunner.units import NS_PER_S
from planrunner.values import dataclass

__all__ = [
    "CloseAction",
    "ConnectAction",
    "ReceiveAction",
    "SendAction",
    "WsAction",
    "WsSettings",
]


@dataclass(frozen=True, slots=True)
class ConnectAction:
    """Open a connection.

    Attributes:
        on: What it is called; empty where there is one.
        request: The GET that the handshake begins with, as an exchange of HTTP, but for the
            headers that make a handshake of it.
        subprotocols: Those that are offered.
        is_kept: It lasts for the user's life; None: unless it is opened in an iteration.
    """

    on: str
    request: Exchange
    subprotocols: tuple[str, ...] = ()
    is_kept: bool | None = None


@dataclass(frozen=True, slots=True)
class SendAction:
    """Send one message.

    Attributes:
        on: The connection; empty for the only one.
        render: Makes its bytes.
        is_text: It is text, and not binary.
    """

    on: str
    render: Callable[[Scope], bytes]
    is_text: bool = True


@dataclass(frozen=True, slots=True)
class ReceiveAction:
    """Wait for messages that fit.

    Attributes:
        until: Says whether one fits; None lets any.
        count: How many.
    """

    on: str
    until: Evaluate | None = None
    count: int = 1


@dataclass(frozen=True, slots=True)
class CloseAction:
    """Close a connection."""

    on: str
    code: int = 1000
    reason: Callable[[Scope], bytes] | None = None


WsAction = ConnectAction | SendAction | ReceiveAction | CloseAction


@dataclass(frozen=True, slots=True)
class WsSettings:
    """The plan's `ws:` block over its `http:` block.

    Attributes:
        http: Where names, proxies and certificates come from.
        url: In front of every relative URL, as http or https; empty where the plan says none.
        headers: Of every handshake; already merged into each, kept for people.
        subprotocols: What a connection offers that names none.
        ping_ns: Between pings of an open connection; 0 sends none.
        max_size: Bytes of a message, and of all that wait for a `ws.receive`.
        max_queue: Messages that may wait for one.
        compresses: Offer permessage-deflate.
    """

    http: HttpSettings = field(default_factory=HttpSettings)
    url: TextParts = ()
    headers: tuple[Header, ...] = ()
    subprotocols: tuple[str, ...] = ()
    ping_ns: int = 30 * NS_PER_S
    max_size: int = 16 * 1024 * 1024
    max_queue: int = 1000
    compresses: bool = True
    timeout_ns: int = 30 * NS_PER_S

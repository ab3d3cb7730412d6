"""The steps that send and receive messages, bound; `WsSession` does what they say."""

from __future__ import annotations

import binascii
from collections.abc import Callable

from planrunner.language.expressions.values import Evaluate
from planrunner.protocols.base import Scope, Sent
from planrunner.protocols.ws.clients.connection import WsConnection
from planrunner.protocols.ws.clients.opcodes import TEXT
from planrunner.values import dataclass

__all__ = ["BoundReceive", "BoundSend"]


@dataclass(frozen=True, slots=True)
class BoundSend:
    """Send a message.

    Attributes:
        data: What it says, where that is constant; else, or where it says nothing, `render` does.
        told: Shows it; None under load.
    """

    on: str
    data: bytes
    render: Callable[[Scope], bytes]
    kind: int
    timeout_ns: int
    now_ns: Callable[[], int]
    told: Callable[[Sent], None] | None

    def rendered(self, scope: Scope) -> bytes:
        render = self.render
        return render(scope)

    def tell(self, told: Callable[[Sent], None], data: bytes, connection: WsConnection) -> None:
        method = "send"
        if self.kind != TEXT:
            method, data = "send (base64)", binascii.b2a_base64(data, newline=False)
        told(Sent(method, connection.url, (), data))


@dataclass(frozen=True, slots=True)
class BoundReceive:
    """Wait for messages.

    Attributes:
        seeks: Not just for one, whatever it says.
    """

    on: str
    until: Evaluate | None
    count: int
    seeks: bool
    timeout_ns: int
    now_ns: Callable[[], int]

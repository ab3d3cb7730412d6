"""A client that reads every head by its shape, as one does that has seen many like it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

from planrunner.clock import Clock
from planrunner.protocols.http.clients.fault import WireFault
from planrunner.protocols.http.clients.heads.head import HEAD_END, ReplyHead, parse_head
from planrunner.protocols.http.clients.heads.known import ReplyHeads
from planrunner.protocols.http.clients.http1.client import WireClient
from planrunner.protocols.http.clients.kept_bodies import UNCOUNTED
from planrunner.protocols.http.operation import HttpSettings

__all__ = ["open_eager"]


class EagerHeads(ReplyHeads):
    """Knows each head before it reads it, if it has a shape."""

    def of_reply(self, data: bytes) -> ReplyHead:
        with suppress(WireFault):
            self.know(parse_head(data[: data.find(HEAD_END) + len(HEAD_END)]))
        return super().of_reply(data)


def open_eager(settings: HttpSettings, clock: Clock) -> WireClient:
    """Open the wire client: a `ClientFactory`."""
    client = WireClient(settings, clock)
    heads = EagerHeads(settings.max_head, min(settings.max_body, UNCOUNTED))
    client.shared = replace(client.shared, heads=heads)
    return client

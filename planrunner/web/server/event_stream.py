"""Server-sent events of one viewer."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Final

from starlette.types import Receive, Scope, Send

from planrunner.web.live.hub import LiveHub

__all__ = ["EventStream"]

_QUIET_S: Final = 15.0
"""After so long a comment keeps the connection open."""

_PATIENCE_S: Final = 60.0
"""How long a viewer may read nothing until it is cut off; it may come back."""

_COMMENT: Final = b": still here\n\n"
_RETRY: Final = b"retry: 1000\n\n"
_RELOAD: Final = b"event: reload\ndata: {}\n\n"


class EventStream:
    """The answer to a viewer, which lasts until one of the two goes.

    Args:
        hub: Of the run.
        seq: The last update that the viewer has seen.
    """

    def __init__(self, hub: LiveHub, seq: int) -> None:
        self._hub = hub
        self._seq = seq

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as an ASGI application."""
        del scope
        headers = [(b"content-type", b"text/event-stream; charset=utf-8")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        with self._hub.viewing():
            feeding = asyncio.ensure_future(self._feed(send))
            leaving = asyncio.ensure_future(_left(receive))
            try:
                await asyncio.wait((feeding, leaving), return_when=asyncio.FIRST_COMPLETED)
            finally:
                feeding.cancel()
                leaving.cancel()
                await asyncio.gather(feeding, leaving, return_exceptions=True)

    async def _feed(self, send: Send) -> None:
        """Send what comes until the viewer has to start anew, or has stopped reading."""
        with suppress(TimeoutError):
            await _send(send, _RETRY)
            while (frames := self._hub.since(self._seq)) is not None:
                self._seq = self._hub.seq
                if frames:
                    await _send(send, frames)
                elif not await self._hub.news(_QUIET_S):
                    await _send(send, _COMMENT)
            await _send(send, _RELOAD, more=False)


async def _send(send: Send, data: bytes, *, more: bool = True) -> None:
    """Send what the viewer reads in time.

    Raises:
        TimeoutError: It doesn't.
    """
    async with asyncio.timeout(_PATIENCE_S):
        await send({"type": "http.response.body", "body": data, "more_body": more})


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass

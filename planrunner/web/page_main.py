"""The process of the page of one run, started by `execute --ui` with the descriptor of its socket.

It ends with the run, or later when somebody still looks at the page.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from planrunner.engine.workers.transport import SocketTransport
from planrunner.errors import CannotRun
from planrunner.results.exit_codes import ExitCode
from planrunner.web.feed.messages import (
    PageAsks,
    PageListening,
    PageRefused,
    RunOpened,
    RunOver,
    ServePage,
)
from planrunner.web.live.hub import LiveHub
from planrunner.web.live.live_run import LiveRun
from planrunner.web.server.access import PageAccess
from planrunner.web.server.application import application
from planrunner.web.server.live_runs import RunFiles
from planrunner.web.server.serving import bound, serving

__all__ = ["OneRun", "main"]

_NICE: Final = 10
"""Where the load needs all processors, it comes first."""

_LAST_S: Final = 2.0
"""What viewers get to hear of the end, and to fetch the report …"""

_BACK_S: Final = 3.0
"""… and to come back when they have reloaded the page."""


def main() -> int:
    """Serve the page until nobody needs it any more; return the exit code."""
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        if hasattr(signal, name):  # the run decides when it ends
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    os.dup2(2, 1)
    with suppress(OSError, AttributeError):
        os.nice(_NICE)
    asyncio.run(_serve(int(sys.argv[1])))
    return ExitCode.OK


class OneRun:
    """The runs of a page that shows one."""

    mode = "run"

    def __init__(self, hub: LiveHub, ask: Callable[[PageAsks], None]) -> None:
        self._hub = hub
        self._ask = ask

    @property
    def current(self) -> str:
        return self._hub.run.id

    def hub(self, run_id: str) -> LiveHub | None:
        return self._hub if run_id == self.current else None

    def ask(self, run_id: str, request: PageAsks) -> None:
        del run_id
        self._ask(request)

    def files(self, run_id: str) -> RunFiles | None:
        run = self._hub.run
        if run_id != run.id or run.directory is None:
            return None
        return RunFiles(run.directory, run.files)

    def facts(self) -> dict[str, object]:
        return {"folder": None, "no_exec": False}


async def _serve(descriptor: int) -> None:
    transport = await SocketTransport.over(socket.socket(fileno=descriptor))
    with suppress(EOFError):  # the run could not begin
        asked = await transport.receive()
        assert isinstance(asked, ServePage)
        try:
            listening = bound(asked.host, asked.port)
        except CannotRun as error:
            transport.send(PageRefused(error.message, error.hint))
        else:
            access = PageAccess(asked.host, listening.getsockname()[1])
            transport.send(PageListening(access.url, access.ticket()))
            await _show(transport, listening, access)
    await transport.close()


async def _show(transport: SocketTransport, listening: socket.socket, access: PageAccess) -> None:
    opened = await transport.receive()
    assert isinstance(opened, RunOpened)
    hub = LiveHub(LiveRun(opened.facts))
    async with serving(listening, application(access, OneRun(hub, transport.send))):
        lingers = await _follow(transport, hub)
        leaving = asyncio.create_task(hub.until_nobody_looks(_BACK_S if lingers else 0))
        ending = [leaving, *([asyncio.create_task(_until_closed(transport))] if lingers else [])]
        await asyncio.wait(
            ending,
            timeout=None if lingers else _LAST_S,
            return_when=asyncio.FIRST_COMPLETED,
        )
        for task in ending:
            task.cancel()


async def _follow(transport: SocketTransport, hub: LiveHub) -> bool:
    """Show what the run says to its end; returns whether the page may stay then."""
    while True:
        try:
            said = await transport.receive()
        except EOFError:
            hub.take(RunOver(ExitCode.INTERRUPTED, message="the process of the run has ended"))
            return False
        hub.take(said)  # type: ignore[arg-type]  # what it can't be is an error there
        if isinstance(said, RunOver):
            return said.lingers


async def _until_closed(transport: SocketTransport) -> None:
    with suppress(EOFError):
        while True:
            await transport.receive()

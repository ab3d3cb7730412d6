"""A server that listens: its socket, and uvicorn around the application."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Final

from starlette.types import ASGIApp
from uvicorn import Config, Server

from planrunner.errors import CannotRun

__all__ = ["bound", "serving"]

_END_S: Final = 1
"""How long requests may take to end when the server does; viewers would never leave."""


class _QuietServer(Server):
    """Uvicorn without its signal handlers: who started it decides when it ends."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def bound(host: str, port: int) -> socket.socket:
    """Return a socket that listens there; port 0 is a free one.

    Raises:
        CannotRun: It can't be had.
    """
    where = f"{host}:{port}"
    try:
        found = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE | socket.AI_ADDRCONFIG
        )
        family, kind, protocol, _, address = found[0]
        listening = socket.socket(family, kind, protocol)
    except OSError as error:
        raise CannotRun(
            f"--ui: `{host}` is not an address of this machine: {error.strerror}"
        ) from error
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(128)
    except OSError as error:
        listening.close()
        hint = "leave out the port, and a free one is taken; or end what has it"
        raise CannotRun(f"--ui can't listen on {where}: {error.strerror}", hint=hint) from error
    return listening


@asynccontextmanager
async def serving(
    listening: socket.socket, app: ASGIApp, *, on_end: Callable[[], None] = lambda: None
) -> AsyncIterator[None]:
    """Serve as long as the block lasts.

    Args:
        listening: Closed at the end.
        app: What answers.
        on_end: Called when the server ends by itself, which is an error.
    """
    config = Config(
        app,
        lifespan="off",
        log_config=None,
        log_level="critical",  # the terminal belongs to the run; the browser sees the status
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=_END_S,
        ws="none",
    )
    server = _QuietServer(config)
    task = asyncio.create_task(server.serve([listening]))
    task.add_done_callback(lambda _: on_end())
    try:
        yield
    finally:
        server.should_exit = True
        await task

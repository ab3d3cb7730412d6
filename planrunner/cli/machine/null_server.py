"""The process of the null server: prints its port, and ends when its standard input closes."""

from __future__ import annotations

import asyncio
import sys

from planrunner.demo.null import NullProtocol
from planrunner.runner.event_loop import run_on_fast_loop

__all__ = ["main"]


def main() -> None:
    """Serve on a free port of 127.0.0.1."""
    run_on_fast_loop(_serve())


async def _serve() -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(NullProtocol, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    closed = asyncio.Event()
    loop.add_reader(
        sys.stdin.fileno(), closed.set
    )  # nothing writes to it: it is readable at its end
    await closed.wait()
    server.close()

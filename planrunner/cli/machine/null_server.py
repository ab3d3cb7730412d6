"""The process of the null server: prints its port, and ends when its standard input closes."""

from __future__ import annotations

import asyncio

from planrunner.cli.until_told import until_told
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
    await until_told((), until_input_closes=True)
    server.close()

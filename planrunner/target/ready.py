"""When a service is ready: its port accepts, a URL answers, or it printed a line."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

from planrunner.graph.run_graph import ReadyNode
from planrunner.protocols.base import Exchange

__all__ = ["Fetch", "make_probe"]

Fetch = Callable[[Exchange], Awaitable[str | None]]
"""Sends one request; None when its reply is acceptable, else what was wrong, in words."""

Probe = Callable[[], Awaitable[str | None]]

_CONNECT_S = 2.0
_MOST_LOG = 1_000_000


def make_probe(ready: ReadyNode, log: Path, fetch: Fetch) -> Probe:
    """Return what looks once: None when the service is ready, else why not."""
    if ready.get is not None:
        exchange = ready.get
        return lambda: fetch(exchange)
    if ready.log is not None:
        pattern = ready.log

        async def look() -> str | None:
            return None if pattern.search(_printed(log)) else f"nothing matches `{pattern.pattern}`"

        return look
    host, _, port = ready.tcp.rpartition(":")
    return lambda: _connect(host.strip("[]"), int(port))


def _printed(log: Path) -> str:
    with suppress(OSError), log.open("rb") as file:
        return file.read(_MOST_LOG).decode("utf-8", "replace")
    return ""


async def _connect(host: str, port: int) -> str | None:
    try:
        async with asyncio.timeout(_CONNECT_S):
            _, writer = await asyncio.open_connection(host, port)
    except TimeoutError:
        return f"{host}:{port} does not answer"
    except OSError as error:
        return f"{host}:{port}: {error.strerror or error}"
    writer.close()
    return None

"""Reading that leaves the event loop to others between two large pieces."""

from __future__ import annotations

import asyncio
from typing import Final

__all__ = ["MUCH", "give_way"]

MUCH: Final = 64 * 1024
"""Bytes at once: a server that sends so many small frames takes some 0.1 s of our time."""


def give_way(transport: asyncio.Transport) -> None:
    """Read on when others had their turn: uvloop reads 32 times in a row while there is more."""
    transport.pause_reading()
    asyncio.get_running_loop().call_soon(_read_on, transport)


def _read_on(transport: asyncio.Transport) -> None:
    if not transport.is_closing():
        transport.resume_reading()

"""A network that is slow and loses packets, as connections see it: what is sent arrives later."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Thread

__all__ = ["SlowLinks", "slow_links"]

_RESENT_S = 0.2
"""What a lost packet costs those behind it: the least time after which Linux sends it again."""

_PACKET = 1448
"""Bytes of one on an Ethernet."""


class SlowLinks:
    """Passes connections on.

    Args:
        delay_s: How long each way takes.
        loss: The share of packets that are sent once more.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, delay_s: float, loss: float) -> None:
        self._loop = loop
        self._delay_s = delay_s
        self._loss = loss
        self._random = random.Random(7)
        self._servers: list[asyncio.Server] = []
        self.lost = 0

    def open(self, host: str, target: tuple[str, int]) -> int:
        """Listen on a free port of `host` for connections to `target`; return it."""

        async def serve() -> int:
            server = await asyncio.start_server(lambda r, w: self._pass(r, w, target), host, 0)
            self._servers.append(server)
            return int(server.sockets[0].getsockname()[1])

        return asyncio.run_coroutine_threadsafe(serve(), self._loop).result(10)

    async def close(self) -> None:
        """End all connections."""
        for server in self._servers:
            server.close()
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _pass(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, target: tuple[str, int]
    ) -> None:
        await asyncio.sleep(self._delay_s * 2)  # two more packets to open it
        try:
            there, back = await asyncio.open_connection(*target)
        except OSError:
            writer.close()
            return
        try:
            with suppress(OSError):
                await asyncio.gather(self._carry(reader, back), self._carry(there, writer))
        finally:
            back.close()
            writer.close()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        loop, due_s = self._loop, 0.0
        while data := await reader.read(1 << 16):
            due_s = max(due_s, loop.time() + self._delay_s)
            packets = -(-len(data) // _PACKET)
            if self._random.random() < 1 - (1 - self._loss) ** packets:
                self.lost += 1
                due_s += _RESENT_S
            loop.call_at(due_s, writer.write, data)
        loop.call_at(max(due_s, loop.time()), writer.close)


@contextmanager
def slow_links(delay_s: float, loss: float) -> Iterator[SlowLinks]:
    """Run such a network beside the block."""
    loop = asyncio.new_event_loop()
    thread = Thread(target=loop.run_forever, daemon=True)
    thread.start()
    links = SlowLinks(loop, delay_s, loss)
    try:
        yield links
    finally:
        asyncio.run_coroutine_threadsafe(links.close(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()

"""A server that answers in a known time: PORT DELAY_MS [STALL [SLOW_MS]].

STALL is the second after the first request at which it stops answering for one second; 0 never.
Each tenth request takes SLOW_MS, if that is given.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any

BODY = b'{"status": "ok", "items": [1, 2, 3], "name": "bench"}'
REPLY = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (
    len(BODY),
    BODY,
)


class Server(asyncio.Protocol):
    """One connection; requests without a body, one after the other."""

    first_s = 0.0
    delay_s = 0.0
    stall_s = 0.0
    slow_s = 0.0
    requests = 0

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self.loop = asyncio.get_running_loop()

    def data_received(self, data: bytes) -> None:
        for _ in range(data.count(b"\r\n\r\n")):
            now_s = self.loop.time()
            kind = type(self)
            kind.first_s = kind.first_s or now_s
            kind.requests += 1
            is_slow = kind.slow_s and kind.requests % 10 == 0
            wait_s = kind.slow_s if is_slow else kind.delay_s
            stalled_s = now_s - kind.first_s - kind.stall_s
            if kind.stall_s and 0 <= stalled_s < 1:
                wait_s += 1 - stalled_s
            if wait_s:
                self.loop.call_later(wait_s, self.answer)
            else:
                self.answer()

    def answer(self) -> None:
        if not self.transport.is_closing():
            self.transport.write(REPLY)


async def main(port: int, delay_ms: float, stall_s: float = 0, slow_ms: float = 0) -> None:
    Server.delay_s, Server.stall_s, Server.slow_s = delay_ms / 1000, stall_s, slow_ms / 1000
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Server, "127.0.0.1", port, backlog=4096)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    try:
        import uvloop

        runner: Any = uvloop.run
    except ImportError:
        runner = asyncio.run
    runner(main(int(sys.argv[1]), *map(float, sys.argv[2:])))

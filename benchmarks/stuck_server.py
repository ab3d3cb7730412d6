"""A server that takes the start of an output, and then never answers again: PORT ANSWERS.

ANSWERS is how many requests get `204 No Content`; later ones are read and left without a reply.
"""

from __future__ import annotations

import asyncio
import sys


class StuckServer:
    """Answers so many requests."""

    def __init__(self, answers: int) -> None:
        self._left = answers

    async def converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                lines = head.decode("latin-1").lower().split("\r\n")
                sizes = [line[15:] for line in lines if line.startswith("content-length:")]
                await reader.readexactly(int(sizes[0]) if sizes else 0)
                if self._left > 0:
                    self._left -= 1
                    writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
                    await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


async def main(port: int, answers: int) -> None:
    server = await asyncio.start_server(StuckServer(answers).converse, "127.0.0.1", port)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(*map(int, sys.argv[1:])))

"""The server that measures the generator answers as many requests as it gets."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from planrunner.demo.null import NullProtocol

HEAD = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"


class Written(asyncio.Transport):
    """Keeps what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.data = b""

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.data += bytes(data)


@pytest.mark.parametrize(
    "pieces",
    [
        [HEAD * 3],
        [HEAD[:10], HEAD[10:], HEAD + HEAD],
        [(HEAD * 3)[at : at + 1] for at in range(3 * len(HEAD))],
        [HEAD + HEAD[:-2], b"\r\n" + HEAD[:-1], b"\n"],
    ],
    ids=["at once", "split", "byte by byte", "split ends"],
)
def test_each_head_gets_one_reply(pieces: Sequence[bytes]) -> None:
    """However the bytes arrive."""
    written, protocol = Written(), NullProtocol()
    protocol.connection_made(written)

    for piece in pieces:
        protocol.data_received(piece)

    assert written.data.count(b"HTTP/1.1 200 OK") == 3
    head, _, rest = written.data.partition(b"\r\n\r\n")
    length = int(head.rpartition(b": ")[2])
    assert len(written.data) == 3 * (len(head) + 4 + length)
    assert rest[:1] == b"{"

"""Heads as they come: blocks of compressed fields, in one frame or several (RFC 9113 §4.3)."""

from __future__ import annotations

from typing import Final

from jh2._hazmat import Decoder, Encoder, HPACKError, OversizedHeaderListError

from planrunner.protocols.http.clients.http2.frames import (
    CONTINUATION,
    BrokenConnection,
    ErrorCode,
)
from planrunner.protocols.http.clients.http2.heads import Fields

__all__ = ["FinishedBlocks", "HeadBlocks"]

MOST_CONTINUATIONS: Final = 64
MOST_TABLE: Final = 4_096
"""How large we let the table of request fields be, whatever a server allows (the usual size)."""


class FinishedBlocks:
    """Compresses the heads of one connection's requests; those that are finished only once.

    A block is finished when it is nothing but indices of the table: it changes nothing there, and
    stays what it is until another block changes something.
    """

    __slots__ = ("_encode", "_encoder", "_finished")

    def __init__(self) -> None:
        self._encoder = Encoder()
        self._encode = self._encoder.encode
        self._finished: dict[int, tuple[Fields, bytes]] = {}

    def compress(self, fields: Fields) -> bytes:
        """Return the block; the fields must not change afterwards."""
        finished = self._finished.get(id(fields))
        if finished is not None:
            return finished[1]
        block: bytes = self._encode(fields, huffman=True)
        if min(block) >= 0x80 and max(block) < 0xFF:  # each byte is an index (RFC 7541 §6.1)
            self._finished[id(fields)] = fields, block
        elif self._finished:
            self._finished.clear()
        return block

    def resize(self, size: int) -> None:
        """Let the table be as large as the server allows; the next block says so."""
        self._encoder.header_table_size = min(size, MOST_TABLE)
        self._finished.clear()


class HeadBlocks:
    """Puts the heads of one connection together; what they decompress to is bounded.

    Attributes:
        begun: The flags, stream and bytes of one that has begun; no other frame may come then.
    """

    __slots__ = ("_continuations", "_decoder", "_limit", "begun")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._decoder = Decoder(limit)
        self._continuations = 0
        self.begun: tuple[int, int, bytes] | None = None

    def begin(self, flags: int, stream: int, block: bytes) -> None:
        """Take the first part of a head."""
        self.begun, self._continuations = (flags, stream, block), 0

    def check(self, kind: int, stream: int) -> None:
        """Look at a frame within a head.

        Raises:
            BrokenConnection: It is not the head's next part.
        """
        if kind != CONTINUATION or (self.begun is not None and stream != self.begun[1]):
            words = "another frame within a head"
            raise BrokenConnection(ErrorCode.PROTOCOL_ERROR, words)

    def go_on(self, payload: bytes) -> tuple[int, bytes]:
        """Take the next part; returns the flags that the head began with, and all of it so far.

        Raises:
            BrokenConnection: There is none that has begun, or they go on without end.
        """
        if self.begun is None:
            words = "CONTINUATION behind no head"
            raise BrokenConnection(ErrorCode.PROTOCOL_ERROR, words)
        flags, stream, block = self.begun
        self._continuations += 1
        block += payload
        if len(block) > self._limit or self._continuations > MOST_CONTINUATIONS:
            raise self._too_large()
        self.begun = flags, stream, block
        return flags, block

    def read(self, block: bytes) -> Fields:
        """Decompress a whole head.

        Raises:
            BrokenConnection: It can't be, or is too large.
        """
        self.begun = None
        try:
            fields: Fields = self._decoder.decode(block, raw=True)
        except OversizedHeaderListError as fault:
            raise self._too_large() from fault
        except BaseException as fault:
            # What jh2 didn't expect is a panic of Rust, which is no Exception.
            if not (isinstance(fault, HPACKError) or type(fault).__name__ == "PanicException"):
                raise
            words = f"a head that can't be decompressed ({str(fault).lower()})"
            raise BrokenConnection(ErrorCode.COMPRESSION_ERROR, words) from fault
        return fields

    def _too_large(self) -> BrokenConnection:
        words = f"the reply's head is larger than {self._limit} bytes"
        return BrokenConnection(ErrorCode.ENHANCE_YOUR_CALM, words, is_too_large=True)

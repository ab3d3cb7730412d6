"""A file as it goes over a connection: pieces of at most a megabyte, compressed where it helps."""

from __future__ import annotations

import re
import zlib
from typing import Final

from planrunner.values import dataclass

__all__ = ["CHUNK", "LaidFile", "is_key", "is_secret", "key_of", "pack", "unpack"]

CHUNK: Final = 1 << 20
"""Bytes of a piece before it is compressed."""

_LEVEL: Final = 1
"""Of zlib: 90 MB/s for CSV and a fifth of its bytes; higher levels save little and take long."""

_WORTH_IT: Final = 0.9
_LOOKED_AT: Final = 1 << 15

_RAW, _ZLIB = b"r", b"z"
_KEY: Final = re.compile(r"[0-9a-f]{64}(\.secret)?")
_SECRET: Final = ".secret"


@dataclass(frozen=True, slots=True)
class LaidFile:
    """A file in the tree of a run.

    Attributes:
        path: Its whole path at the coordinator.
        key: What its content is called.
        is_executable: Whether it can be run as a command.
    """

    path: str
    key: str
    is_executable: bool = False


def key_of(digest: str, *, is_secret: bool) -> str:
    """Return what a content is called: by its hash, and whether hosts may keep it for later."""
    return digest + _SECRET if is_secret else digest


def is_key(key: str) -> bool:
    return _KEY.fullmatch(key) is not None


def is_secret(key: str) -> bool:
    """Whether the content goes when the run is over."""
    return key.endswith(_SECRET)


def pack(piece: bytes) -> bytes:
    """Return a piece as it is sent; how it begins says whether it is worth compressing."""
    begin = piece[:_LOOKED_AT]
    if len(zlib.compress(begin, _LEVEL)) > _WORTH_IT * len(begin):
        return _RAW + piece
    small = zlib.compress(piece, _LEVEL)
    return _ZLIB + small if len(small) < len(piece) else _RAW + piece


def unpack(data: bytes) -> bytes:
    """Return what was packed.

    Raises:
        ValueError: It is nothing that was, or larger than a piece.
    """
    if data[:1] == _RAW:
        piece = data[1:]
    elif data[:1] == _ZLIB:
        try:
            piece = zlib.decompressobj().decompress(data[1:], CHUNK + 1)
        except zlib.error as error:
            raise ValueError(f"the piece can't be read: {error}") from None
    else:
        raise ValueError("the piece begins with no known mark")
    if len(piece) > CHUNK:
        raise ValueError("the piece is larger than any")
    return piece

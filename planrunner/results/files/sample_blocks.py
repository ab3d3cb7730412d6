"""How raw samples lie on disk: rows in blocks, and lines, each with a checksum.

```
samples.bin     block, block, …        a head: mark, payload bytes, number of its first row,
                                       CRC-32 of the payload, CRC-32 of origin and head; then rows
samples.jsonl   line, line, …          one JSON object each, whose last key `crc` is the CRC-32
                                       of the line without that key
```

The origin is the start of the run and the file's name, which the first line has too: the file of
another worker or run, put in the place of this one, is damaged from its first block to its last.
A block that is damaged or cut off is skipped, and the number of the next one's first row says how
many rows it had. So whatever happens to a file, what is whole is read and what is lost is counted.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from struct import Struct
from typing import IO, Final, NamedTuple
from zlib import crc32

__all__ = [
    "HEAD_BYTES",
    "ROWS_IN_BLOCK",
    "SampleBlock",
    "next_block",
    "origin_of",
    "pack_blocks",
    "read_blocks",
    "seal",
    "unseal",
]

ROWS_IN_BLOCK: Final = 256
"""A torn end costs at most so many rows; the head adds 0.1 byte to each."""

_MARK: Final = b"\x89PRS"
_HEAD: Final = Struct("<4sIQI")
_CHECK: Final = Struct("<I")
HEAD_BYTES: Final = _HEAD.size + _CHECK.size
_MOST_PAYLOAD: Final = 1 << 24  # far more than any writer's; a damaged head can't ask for more
_READ_AT_ONCE: Final = 1 << 20
_SOUGHT_AT_ONCE: Final = 1 << 12


class SampleBlock(NamedTuple):
    """Rows that are what was written.

    Attributes:
        first: The number of the first one, from 0.
        payload: The packed rows.
    """

    first: int
    payload: bytes


def origin_of(path: Path, started_unix_ns: int) -> int:
    """Return what the checksums of a file start from, so that they hold for no other file."""
    return crc32(f"{started_unix_ns} {path.name}".encode())


def pack_blocks(rows: Sequence[bytes], first: int, origin: int) -> list[bytes]:
    """Return packed rows as blocks; `first` rows were written before."""
    return [
        _block(b"".join(rows[at : at + ROWS_IN_BLOCK]), first + at, origin)
        for at in range(0, len(rows), ROWS_IN_BLOCK)
    ]


def _block(payload: bytes, first: int, origin: int) -> bytes:
    head = _HEAD.pack(_MARK, len(payload), first, crc32(payload))
    return head + _CHECK.pack(crc32(head, origin)) + payload


def read_blocks(path: Path, origin: int) -> Iterator[SampleBlock]:
    """Yield the blocks of a file that are whole, in their order; a missing file has none."""
    try:
        file = path.open("rb", buffering=_READ_AT_ONCE)
    except OSError:
        return
    with file:
        following = 0
        while (block := next_block(file, origin)) is not None:
            if block.first >= following:  # a block that stands there twice counts once
                yield block
                following = block.first + 1


def next_block(file: IO[bytes], origin: int) -> SampleBlock | None:
    """Read the next whole block, from wherever it begins; None at the end of the file."""
    while True:
        head = file.read(HEAD_BYTES)
        if len(head) < HEAD_BYTES:
            return None
        payload = b""
        if (found := _read_head(head, origin)) is not None:
            size, first, check = found
            payload = file.read(size)
            if len(payload) == size and crc32(payload) == check:
                return SampleBlock(first, payload)
        begin = file.tell() - len(head) - len(payload)
        if not _seek_mark(file, begin + 1):
            return None


def _read_head(head: bytes, origin: int) -> tuple[int, int, int] | None:
    mark, size, first, check = _HEAD.unpack_from(head)
    (own,) = _CHECK.unpack_from(head, _HEAD.size)
    if mark != _MARK or own != crc32(head[: _HEAD.size], origin) or size > _MOST_PAYLOAD:
        return None
    return size, first, check


def _seek_mark(file: IO[bytes], begin: int) -> bool:
    """Go to the next mark at or after `begin`; says whether there is one."""
    file.seek(begin)
    while len(chunk := file.read(_SOUGHT_AT_ONCE)) >= len(_MARK):
        if (at := chunk.find(_MARK)) >= 0:
            file.seek(begin + at)
            return True
        begin += len(chunk) - len(_MARK) + 1
        file.seek(begin)
    return False


_SEAL: Final = ', "crc": '


def seal(entry: Mapping[str, object]) -> str:
    """Return an object as a line, with its checksum."""
    text = json.dumps(entry)
    return f"{text[:-1]}{_SEAL}{crc32(text.encode('ascii'))}}}"


def unseal(line: bytes) -> dict[str, object] | None:
    """Return the object of a line; None if it is not what was written."""
    head, _, tail = line.rpartition(_SEAL.encode())
    if tail != b"%d}" % crc32(head + b"}"):
        return None
    try:
        entry = json.loads(head + b"}")
    except ValueError:
        return None
    return entry if isinstance(entry, dict) else None

"""A file on its way to a host: its pieces may come twice, and not in order."""

from __future__ import annotations

import os
from hashlib import blake2b
from pathlib import Path
from typing import BinaryIO, Final

from planrunner.cluster.files.chunks import CHUNK
from planrunner.errors import CannotRun

__all__ = ["ArrivingFile", "lock"]

_MOST_EARLY: Final = 16
"""Pieces that are kept in memory until those before them have come."""

_MOST_RESUMED: Final = 1_000_000_000
"""Bytes of what came in an earlier run that are used: they are read again while a call waits."""


def lock(file: BinaryIO, *, waits: bool = False) -> bool:
    """Lock a file for as long as it is open here; False if somebody else has it.

    Raises:
        OSError: The file's disk has no locks.
    """
    import fcntl  # noqa: PLC0415 - there is none on Windows, where no worker runs

    try:
        fcntl.flock(file, fcntl.LOCK_EX | (0 if waits else fcntl.LOCK_NB))
    except BlockingIOError:
        return False
    return True


class ArrivingFile:
    """What has come of a file: always a whole beginning of it, so that it can go on from there.

    Args:
        folder: Where it is kept until it is complete.
        key: Of its content.
        size: How many bytes it will have.

    Attributes:
        have: How many of them are there.
    """

    def __init__(self, folder: Path, key: str, size: int) -> None:
        self._key, self._size = key, size
        self._early: dict[int, bytes] = {}
        self._hash = blake2b(digest_size=32)
        self.have = 0
        self.path, self._file = _opened(folder, key)
        there = os.fstat(self._file.fileno()).st_size
        self._file.truncate(0 if there > size else min(there, _MOST_RESUMED))
        while piece := self._file.read(CHUNK):
            self._count(piece)

    @property
    def is_complete(self) -> bool:
        return self.have == self._size

    def put(self, offset: int, piece: bytes) -> None:
        """Take a piece.

        Raises:
            ValueError: It lies outside of the file, or too far ahead.
        """
        if not 0 <= offset <= offset + len(piece) <= self._size:
            raise ValueError(f"there is no piece at {offset} of a file with {self._size} bytes")
        if offset > self.have and len(self._early) >= _MOST_EARLY:
            raise ValueError(f"a piece at {offset} came, and {self.have} bytes are there")
        self._early[offset] = piece
        while ready := [first for first in self._early if first <= self.have]:
            for first in ready:
                self._append(self._early.pop(first)[self.have - first :])

    def finish(self, place: Path) -> None:
        """Have the file at its place, whole or not at all.

        Raises:
            CannotRun: It isn't what was to be sent.
        """
        self._file.flush()
        if self._hash.hexdigest() != self._key.partition(".")[0]:
            self.discard()
            raise CannotRun("what arrived is not what was sent", hint="start the run again")
        os.fchmod(self._file.fileno(), 0o400)
        self.path.replace(place)
        self._file.close()

    def discard(self) -> None:
        """Forget it."""
        self.path.unlink(missing_ok=True)
        self._file.close()

    def close(self) -> None:
        """Leave what is there for a later time."""
        self._file.close()

    def _append(self, piece: bytes) -> None:
        if piece:
            self._file.write(piece)
            self._count(piece)

    def _count(self, piece: bytes) -> None:
        self._hash.update(piece)
        self.have += len(piece)


def _opened(folder: Path, key: str) -> tuple[Path, BinaryIO]:
    """Open what is there of a file; another one if a process is writing that already."""
    number = 0
    while True:
        path = folder / f"{key}-{number}"
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        file = os.fdopen(descriptor, "r+b")
        if lock(file) and path.exists():  # it may have been completed, or swept away, meanwhile
            return path, file
        file.close()
        number += 1

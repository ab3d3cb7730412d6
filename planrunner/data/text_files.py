"""Data files that are text: UTF-8, with a row in each line or in several.

Nothing of such a file is held in memory: reading in order keeps nothing, and reading by place keeps
8 bytes a row.
"""

from __future__ import annotations

import io
import os
from array import array
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import BinaryIO, Final

from planrunner.data.tables import RowFault, not_utf8
from planrunner.language.files import MAX_SENT, open_file

__all__ = ["BOM", "TextTable", "decoded_lines", "skip_bom"]

BOM: Final = b"\xef\xbb\xbf"
"""What some programs begin a UTF-8 file with; no part of its rows."""

_LENGTH_BITS: Final = 24
_MAX_LENGTH: Final = (1 << _LENGTH_BITS) - 1


class TextTable:
    """A file with a row in each line, or in several."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: io.FileIO | None = None

    def places(self) -> array[int]:
        """Return offset and length of each row, in one integer each."""
        found = array("q")
        with open_file(self.path, most=MAX_SENT) as stream:
            for offset, length in self.spans(stream):
                if length > _MAX_LENGTH:
                    raise RowFault(f"row {len(found) + 1} is larger than 16 MB")
                found.append(offset << _LENGTH_BITS | length)
        return found

    def read(self, place: int) -> str:
        """Return the text of the row that is there."""
        file = self._file
        if file is None:
            # Unbuffered: rows at random have no neighbours worth reading.
            file = self._file = io.FileIO(self.path)
        file.seek(place >> _LENGTH_BITS)
        try:
            return file.read(place & _MAX_LENGTH).decode()
        except UnicodeDecodeError as error:
            raise not_utf8(error, 0) from None

    def bytes_read(self, places: Iterable[int]) -> Iterator[bytes]:
        """Yield the rows at some places as they stand in the file, with a line end."""
        with open_file(self.path, most=MAX_SENT) as stream:
            descriptor = stream.fileno()
            for place in places:
                row = os.pread(descriptor, place & _MAX_LENGTH, place >> _LENGTH_BITS)
                yield row if row.endswith(b"\n") else row + b"\n"

    def head(self, places: Iterable[int]) -> bytes:
        """Return what stands in the file before the first of its rows, of which it has one."""
        with open_file(self.path, most=MAX_SENT) as stream:
            return stream.read(min(places) >> _LENGTH_BITS)

    def spans(self, stream: BinaryIO) -> Iterator[tuple[int, int]]:
        """Yield offset and length of each row, in bytes."""
        raise NotImplementedError

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None


def decoded_lines(stream: BinaryIO) -> Iterator[str]:
    """Yield the lines of a file, without its byte order mark."""
    for number, line in enumerate(iter(partial(stream.readline, _MAX_LENGTH + 1), b""), 1):
        if len(line) > _MAX_LENGTH:
            raise RowFault("the line has more than 16 MB", line=number)
        try:
            yield line.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError as error:
            raise not_utf8(error, number) from None


def skip_bom(stream: BinaryIO) -> int:
    """Skip a byte order mark; returns the offset of what follows."""
    offset = len(BOM) if stream.read(len(BOM)) == BOM else 0
    stream.seek(offset)
    return offset

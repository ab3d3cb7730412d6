"""A recording read piece by piece: one entry in memory at a time, however long the file is."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from typing import Final, Self, TextIO

from planrunner.importers.sources import (
    AS_LATIN_1,
    MAX_BYTES,
    ImportFault,
    SourceFile,
    encoding_of,
)
from planrunner.loss.ledger import SourcePlace

__all__ = ["JsonStream"]

_PIECE: Final = 1 << 20
_SPACE: Final = re.compile(r"[ \t\r\n]*")
_DECODER: Final = json.JSONDecoder(strict=False)


class JsonStream:
    """A JSON document of which only the value at hand is in memory.

    Attributes:
        is_cut: The text ended inside a list.
    """

    def __init__(self, file: SourceFile) -> None:
        self.is_cut = False
        self._file, self._text, self._at = file, "", 0
        self._line, self._column = 1, 1
        self._input = _opened(file)
        self._has_more = True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._input.close()

    def place(self) -> SourcePlace:
        """Return where the next value begins."""
        self._first()
        return self._file.place(self._line, self._column)

    def members(self) -> Iterator[str]:
        """Yield the keys of the mapping that begins here; each value must be read in between."""
        self._open("{")
        while self._first() not in ("}", ""):
            key = self.value()
            self._open(":")
            yield str(key)
            if self._first() == ",":
                self._open(",")
        self._close("}")

    def items(self) -> Iterator[SourcePlace]:
        """Yield the place of each item of the list that begins here; each must be read then."""
        self._open("[")
        while self._first() not in ("]", ""):
            yield self.place()
            if self._first() == ",":
                self._open(",")
        self._close("]")

    def value(self) -> object:
        """Read the value that begins here.

        Raises:
            ImportFault: It isn't JSON, or longer than what is read at once.
        """
        self._first()
        while True:
            try:
                value, end = _DECODER.raw_decode(self._text, self._at)
            except (ValueError, RecursionError) as error:
                if self._has_more and not isinstance(error, RecursionError):
                    self._read(max(_PIECE, len(self._text) - self._at))
                    continue
                raise self._fault(error) from error
            if end == len(self._text) and self._has_more:
                self._read(_PIECE)  # a number may go on
                continue
            self._move(end)
            return value

    def _first(self) -> str:
        """Return the next character that is no space, without reading it."""
        while True:
            found = _SPACE.match(self._text, self._at)
            self._move(found.end() if found else self._at)
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._has_more:
                return ""
            self._read(_PIECE)

    def _open(self, char: str) -> None:
        if self._first() != char:
            raise self._fault(ValueError(f"a `{char}` should stand here"))
        self._move(self._at + 1)

    def _close(self, char: str) -> None:
        if self._first() == "":
            self.is_cut = True
        else:
            self._open(char)

    def _move(self, to: int) -> None:
        """Go on to an offset; lines are counted on the way."""
        lines = self._text.count("\n", self._at, to)
        if lines:
            self._line += lines
            self._column = to - self._text.rfind("\n", self._at, to)
        else:
            self._column += to - self._at
        self._at = to

    def _read(self, size: int) -> None:
        if len(self._text) - self._at > MAX_BYTES:
            raise self._fault(ValueError("one value is longer than what is read at once"))
        more = self._input.read(size)
        self._file.bytes_read += len(more)
        self._has_more = bool(more)
        self._text, self._at = self._text[self._at :] + more, 0

    def _fault(self, error: Exception) -> ImportFault:
        reason = "it nests too deeply" if isinstance(error, RecursionError) else str(error)
        return ImportFault(self._file.place(self._line, self._column), f"not a recording: {reason}")


def _opened(file: SourceFile) -> TextIO:
    return io.TextIOWrapper(file.opened(), encoding=encoding_of(file.head), errors=AS_LATIN_1)

"""The files of an import: their names as shown, their bytes and text, read once and bounded."""

from __future__ import annotations

import codecs
import io
import re
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import BinaryIO, Final

from planrunner.errors import UsageError
from planrunner.loss.ledger import SourcePlace

__all__ = ["AS_LATIN_1", "MAX_BYTES", "ImportFault", "SourceFile", "decode", "encoding_of"]

MAX_BYTES: Final = 64 * 1024 * 1024
"""The largest file that is read at once; formats that can be longer read them in pieces."""

_HEAD: Final = 64 * 1024
_DECLARED: Final = re.compile(rb"""\s*<\?xml\s[^>]*\bencoding\s*=\s*["']([\w.:-]+)""")
_PIECE: Final = 1 << 20
_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


class ImportFault(UsageError):  # noqa: N818 - reads as the sentence it stands for
    """A file can't be read as what it should be."""

    def __init__(self, place: SourcePlace | str, message: str, *, hint: str = "") -> None:
        super().__init__(f"{place}: {message}", hint=hint)


class SourceFile:
    """One file of an import.

    Attributes:
        path: Where it lies; None for text from the command line.
        name: As reports show it: as the user gave it.
        bytes_read: About how much a reader has read that takes it in pieces.
    """

    bytes_read = 0

    def __init__(self, path: Path | None, name: str, content: bytes | None = None) -> None:
        self.path = path
        self.name = name
        self._content = content

    @classmethod
    def piped(cls, name: str, stream: BinaryIO) -> SourceFile:
        """Return what comes out of a pipe or a device, which can be read once.

        Raises:
            ImportFault: It gives over `MAX_BYTES`, or can't be read.
        """
        try:
            content = stream.read(MAX_BYTES + 1)
        except OSError as error:
            raise ImportFault(name, _reason(error)) from error
        if len(content) > MAX_BYTES:
            raise ImportFault(
                name, f"it gives more than {MAX_BYTES:,} bytes", hint="give it as a file"
            )
        return cls(None, name, content)

    @cached_property
    def head(self) -> bytes:
        """The first 64 KiB, enough to recognize a format."""
        if self._content is not None or self.path is None:
            return (self._content or b"")[:_HEAD]
        try:
            with self.path.open("rb") as file:
                return file.read(_HEAD)
        except OSError as error:
            raise ImportFault(self.name, _reason(error)) from error

    @cached_property
    def content(self) -> bytes:
        """All of it.

        Raises:
            ImportFault: It can't be read, or has over `MAX_BYTES`.
        """
        if self._content is not None or self.path is None:
            return self._content or b""
        try:
            size = self.path.stat().st_size
            if size > MAX_BYTES:
                raise ImportFault(
                    self.name, f"{size:,} bytes are more than the {MAX_BYTES:,} that are read"
                )
            return self.path.read_bytes()
        except OSError as error:
            raise ImportFault(self.name, _reason(error)) from error

    @cached_property
    def text(self) -> str:
        """Its text: UTF-8 or UTF-16, other bytes as Latin-1; line ends are line feeds."""
        return decode(self.content)

    def foreign(self) -> SourcePlace | None:
        """Return where the first byte is that is no text in its encoding, and read as Latin-1."""
        encoding = encoding_of(self.head)
        if (declared := _DECLARED.match(self.head)) is not None:
            with suppress(LookupError):
                encoding = codecs.lookup(declared[1].decode("ascii")).name
        decoder = codecs.getincrementaldecoder(encoding)()
        lines = 0
        with self.opened() as file:
            while True:
                piece = file.read(_PIECE)
                try:
                    decoder.decode(piece, final=not piece)
                except UnicodeDecodeError as error:
                    before = error.object[: error.start]
                    return self.place(lines + before.count(b"\n") + 1)
                if not piece:
                    return None
                lines += piece.count(b"\n")

    def opened(self) -> BinaryIO:
        """Open its bytes."""
        if self._content is not None or self.path is None:
            return io.BytesIO(self._content or b"")
        return self.path.open("rb")

    def place(self, line: int, column: int = 1) -> SourcePlace:
        """Return a place in it; both count from 1."""
        return SourcePlace(self.name, line, column)

    @property
    def suffix(self) -> str:
        """The end of its name, in lower case, with the dot."""
        return Path(self.name).suffix.lower()


def encoding_of(begin: bytes) -> str:
    """Return the encoding of a text that begins so: UTF-8, or UTF-16 by its mark or its NULs."""
    for mark, name in _MARKS:
        if begin.startswith(mark):
            return name
    wide = {(False, True): "utf-16-le", (True, False): "utf-16-be"}
    return wide.get((begin[:1] == b"\0", begin[1:2] == b"\0"), "utf-8")


def decode(content: bytes) -> str:
    """Return the text of a file of unknown encoding; never fails, and loses nothing."""
    return (
        content.decode(encoding_of(content), AS_LATIN_1).replace("\r\n", "\n").replace("\r", "\n")
    )


def _as_latin_1(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeDecodeError)
    return error.object[error.start : error.end].decode("latin-1"), error.end


AS_LATIN_1: Final = "planrunner.latin-1"
"""How bytes that are no text in an encoding are read, as `errors` of it: each as a character."""

codecs.register_error(AS_LATIN_1, _as_latin_1)


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()

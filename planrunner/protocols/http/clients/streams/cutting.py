"""From bytes, however they are cut, to the pieces of a stream: events, lines.

Server-sent events are read by the rules of the WHATWG (html.spec.whatwg.org, "Parsing an event
stream"); what is kept between two calls is the piece that is not whole yet, within a limit.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, Protocol

from planrunner.language.expressions.values import UNDEFINED
from planrunner.protocols.received import decode_json

__all__ = ["MOST_OF_A_PIECE", "LinePieces", "PieceTooLarge", "Pieces", "SsePieces", "StreamPiece"]

MOST_OF_A_PIECE: Final = 8 * 1024 * 1024
"""Bytes of one event or line."""

_BOM: Final = b"\xef\xbb\xbf"
_MOST_RETRY_MS: Final = 3_600_000


class PieceTooLarge(Exception):  # noqa: N818 - reads as the sentence it stands for
    """An event or line that is larger than the limit, and goes on."""


class StreamPiece(dict[str, Any]):
    """A piece as expressions see it: `data`, `name`, `id`, and `json` when that is read."""

    __slots__ = ()

    def get_json(self) -> Any:  # noqa: ANN401 - JSON
        """Return its data as JSON; undefined where they aren't that."""
        try:
            return self["json"]
        except KeyError:
            return UNDEFINED

    def __missing__(self, key: str) -> Any:  # noqa: ANN401 - JSON
        if key != "json":
            raise KeyError(key)
        try:
            value = self[key] = decode_json(self["data"])
        except (ValueError, RecursionError):
            raise KeyError(key) from None  # undefined, as an expression has it
        return value


class Pieces(Protocol):
    """What cuts a stream.

    Attributes:
        last_id: The id that the server gave last, to come back to; empty for none.
        retry_ms: After how long the server wants a client back; None where it doesn't say.
    """

    last_id: str
    retry_ms: int | None

    @property
    def pending(self) -> int:
        """How many bytes of the piece there are that isn't whole."""

    def feed(self, data: bytes) -> Iterator[StreamPiece]:
        """Yield the pieces that end in these bytes.

        Raises:
            PieceTooLarge: One has grown beyond the limit.
        """

    def rest(self) -> StreamPiece | None:
        """Return what the end of the stream makes a piece."""

    def restart(self) -> None:
        """Forget what isn't whole: another connection begins."""


class _Lines:
    """Cuts bytes into lines that end in CR, LF or both, over any number of calls."""

    __slots__ = ("_ended_in_cr", "_rest")

    def __init__(self) -> None:
        self._rest = bytearray()
        self._ended_in_cr = False

    def feed(self, data: bytes) -> Iterator[bytes]:
        if not data:
            return
        if self._ended_in_cr:
            data = data.removeprefix(b"\n")  # the other half of an end
        self._ended_in_cr = data.endswith(b"\r")
        for line in data.splitlines(keepends=True):
            if line.endswith((b"\n", b"\r")):
                whole = line.rstrip(b"\r\n")
                if self._rest:
                    whole = bytes(self._rest) + whole
                    self._rest.clear()
                yield whole
            else:
                self._rest += line

    @property
    def size(self) -> int:
        """How many bytes of a line there are that hasn't ended."""
        return len(self._rest)

    @property
    def is_inside(self) -> bool:
        """Whether what comes next may belong to what came last."""
        return bool(self._rest) or self._ended_in_cr

    def take_rest(self) -> bytes:
        rest = bytes(self._rest)
        self._rest.clear()
        self._ended_in_cr = False
        return rest


class LinePieces:
    """Cuts a stream into lines of text; a last one without an end is one too."""

    __slots__ = ("_lines", "last_id", "retry_ms")

    def __init__(self) -> None:
        self._lines = _Lines()
        self.last_id = ""
        self.retry_ms: int | None = None

    def feed(self, data: bytes) -> Iterator[StreamPiece]:
        for line in self._lines.feed(data):
            yield _piece(line.decode("utf-8", "replace"))
        if self.pending > MOST_OF_A_PIECE:
            raise PieceTooLarge

    @property
    def pending(self) -> int:
        return self._lines.size

    def rest(self) -> StreamPiece | None:
        line = self._lines.take_rest()
        return _piece(line.decode("utf-8", "replace")) if line else None

    def restart(self) -> None:
        self._lines.take_rest()


class SsePieces:
    """Cuts a stream into server-sent events."""

    __slots__ = ("_data", "_has_begun", "_id", "_lines", "_name", "_size", "last_id", "retry_ms")

    def __init__(self) -> None:
        self.last_id = ""
        self.retry_ms: int | None = None
        self._lines = _Lines()
        self._forget()

    def _forget(self) -> None:
        self._has_begun = False
        self._id = self.last_id
        self._name = ""
        self._data: list[str] = []
        self._size = 0

    def feed(self, data: bytes) -> Iterator[StreamPiece]:
        if (event := self._lone_event(data)) is not None:
            yield event
            return
        for line in self._lines.feed(data):
            if not self._has_begun:
                self._has_begun = True
                line = line.removeprefix(_BOM)  # noqa: PLW2901 - the same line
            if line:
                self._read(line)
            elif (event := self._dispatched()) is not None:
                yield event
        if self.pending > MOST_OF_A_PIECE:
            raise PieceTooLarge

    def _lone_event(self, data: bytes) -> StreamPiece | None:
        """Return the event that these bytes are, as servers send nearly all: in half the time."""
        if not data.startswith(b"data: ") or data.find(b"\n") != len(data) - 2 or b"\r" in data:
            return None
        if not data.endswith(b"\n\n") or self._data or self._name or self._lines.is_inside:
            return None
        self._has_begun = True
        self.last_id = self._id
        text = data[len(b"data: ") : -2].decode("utf-8", "replace")
        return StreamPiece(data=text, name="message", id=self.last_id)

    @property
    def pending(self) -> int:
        return self._lines.size + self._size

    def _read(self, line: bytes) -> None:
        field, _, value = line.partition(b":")
        text = value.removeprefix(b" ").decode("utf-8", "replace")
        if field == b"data":
            self._data.append(text)
            self._size += len(line)
            if self._size > MOST_OF_A_PIECE:
                raise PieceTooLarge
        elif field == b"event":
            self._name = text
        elif field == b"id":
            if "\0" not in text:
                self._id = text
        elif field == b"retry" and text.isascii() and text.isdigit():
            self.retry_ms = min(int(text[:12]), _MOST_RETRY_MS)

    def _dispatched(self) -> StreamPiece | None:
        """Return the event that an empty line ends; None for one without data."""
        self.last_id = self._id
        data, name = self._data, self._name
        self._data, self._name, self._size = [], "", 0
        if not data:
            return None
        text = data[0] if len(data) == 1 else "\n".join(data)
        return StreamPiece(data=text, name=name or "message", id=self.last_id)

    def rest(self) -> StreamPiece | None:
        """Return nothing: an event without its empty line is discarded."""
        self.restart()
        return None

    def restart(self) -> None:
        self._lines.take_rest()
        self._forget()


def _piece(line: str) -> StreamPiece:
    return StreamPiece(data=line, name="", id="")

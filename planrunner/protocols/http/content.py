"""Content-Encoding: undone within limits of size, work and time, whatever a server sends."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Final, Protocol

from planrunner.errors import PlanrunnerError

if TYPE_CHECKING:
    import zstandard

__all__ = [
    "ACCEPTED_ENCODINGS",
    "BodyTooLarge",
    "BrokenContent",
    "DecodingTooSlow",
    "StreamDecoder",
    "decode_beginning",
    "decode_content",
]

ACCEPTED_ENCODINGS: Final = "gzip, deflate, br, zstd"

MOST_CODINGS: Final = 5
"""On top of each other; curl and urllib3 stop there too."""

MOST_MEMBERS: Final = 2_000
"""In a row: one of a blocked gzip file holds 64 KiB, and an empty one costs 13 µs."""

LARGEST_WINDOW: Final = 8 * 1024 * 1024
"""Of a zstd frame: what browsers accept. Source: RFC 9659."""

NO_CODING: Final = frozenset({"", "identity"})
SMALL_STEP: Final = 2 * 1024
MOST_AT_A_TIME: Final = 4 * 1024 * 1024
"""Bytes that a stream is decoded to at a time; more than a small step of gzip can become."""

GZIP_OR_ZLIB: Final = 47
RAW_DEFLATE: Final = -15
PADDING: Final = re.compile(rb"\0*")


class BodyTooLarge(PlanrunnerError):  # noqa: N818 - reads as the sentence it stands for
    """The decoded body would be larger than the limit: a bomb."""


class BrokenContent(PlanrunnerError):  # noqa: N818 - reads as the sentence it stands for
    """The body is not what Content-Encoding says, or that names nothing that can be undone."""


class DecodingTooSlow(PlanrunnerError):  # noqa: N818 - reads as the sentence it stands for
    """The request's time was up before its reply's body was decoded."""


class Decoder(Protocol):
    """Undoes one member of a body.

    Attributes:
        step: Bytes to take at a time, so that what they may grow to has a bound.
        has_members: Another one may follow.
        has_more: It has more to give of what it took; to be asked for with nothing.
        fault: What its library raises for data that are broken.
    """

    step: int
    has_members: bool
    fault: type[Exception]

    def take(self, data: memoryview, most: int) -> bytes:
        """Decode more; when that gives `most` bytes or more, the decoder is not used again."""

    @property
    def is_done(self) -> bool: ...

    @property
    def has_more(self) -> bool: ...

    @property
    def rest(self) -> bytes:
        """What was taken and lies behind the end."""


class Inflater:
    """Undoes gzip and deflate; the latter means zlib, but some servers send it raw."""

    fault: type[Exception] = zlib.error
    step = 64 * 1024
    has_more = False

    def __init__(self, beginning: bytes, *, is_deflate: bool) -> None:
        # A zlib stream begins with 0x?8.
        is_raw = is_deflate and beginning[0] & 0x0F != 8
        self._stream = zlib.decompressobj(RAW_DEFLATE if is_raw else GZIP_OR_ZLIB)
        self.has_members = not is_deflate

    def take(self, data: memoryview, most: int) -> bytes:
        return self._stream.decompress(data, most)

    @property
    def is_done(self) -> bool:
        return self._stream.eof

    @property
    def rest(self) -> bytes:
        return self._stream.unused_data


class Unbrotlier:
    """Undoes br."""

    has_members = False
    step = 64 * 1024
    rest = b""

    def __init__(self) -> None:
        import brotli  # noqa: PLC0415 - most servers never need it

        self.fault: type[Exception] = brotli.error
        self._stream = brotli.Decompressor()

    def take(self, data: memoryview, most: int) -> bytes:
        piece: bytes = self._stream.process(data, output_buffer_limit=most)
        return piece

    @property
    def is_done(self) -> bool:
        is_finished: bool = self._stream.is_finished()
        return is_finished

    @property
    def has_more(self) -> bool:
        return not self._stream.can_accept_more_data()


class Unzstandarder:
    """Undoes zstd."""

    has_members = True
    has_more = False
    step = 512  # a block of 4 bytes makes 128 KiB, and this library knows no limit

    def __init__(self) -> None:
        import zstandard  # noqa: PLC0415 - most servers never need it

        self.fault: type[Exception] = zstandard.ZstdError
        self._stream = _zstd_context().decompressobj()

    def take(self, data: memoryview, most: int) -> bytes:
        del most
        return self._stream.decompress(data)

    @property
    def is_done(self) -> bool:
        return self._stream.eof

    @property
    def rest(self) -> bytes:
        return self._stream.unused_data


@cache
def _zstd_context() -> zstandard.ZstdDecompressor:
    import zstandard  # noqa: PLC0415 - most servers never need it

    return zstandard.ZstdDecompressor(max_window_size=LARGEST_WINDOW)


DECODERS: Final[Mapping[str, Callable[[bytes], Decoder]]] = {
    "gzip": lambda beginning: Inflater(beginning, is_deflate=False),
    "x-gzip": lambda beginning: Inflater(beginning, is_deflate=False),
    "deflate": lambda beginning: Inflater(beginning, is_deflate=True),
    "br": lambda _: Unbrotlier(),
    "zstd": lambda _: Unzstandarder(),
}
"""Each makes the decoder of a member that begins like this."""


def decode_content(
    body: bytes, encoding: str, *, limit: int, is_late: Callable[[], bool] = bool
) -> bytes:
    """Undo `encoding`, a lower-case Content-Encoding value.

    Args:
        body: As it came.
        encoding: The codings, in the order in which they were applied.
        limit: Of the result, and of everything in between.
        is_late: Asked again and again while it lasts.

    Raises:
        BodyTooLarge: The result would exceed `limit` bytes; not much more than that was made.
        BrokenContent: The body cannot be decoded.
        DecodingTooSlow: It was late.
    """
    if not body:
        return body
    for name in reversed(_codings(encoding)):
        body = _undo(name, body, limit, is_late)
    return body


def _codings(encoding: str) -> list[str]:
    """Return the codings of a body, in the order in which they were applied."""
    names = [name for part in encoding.split(",") if (name := part.strip()) not in NO_CODING]
    if len(names) > MOST_CODINGS:
        raise BrokenContent(f"the reply's body has {len(names)} content codings")
    for name in names:
        if name not in DECODERS:
            raise BrokenContent(
                f"the reply's body is encoded as `{name[:40]}`, which cannot be decoded"
            )
    return names


def decode_beginning(body: bytes, encoding: str, most: int) -> bytes:
    """Return what the first bytes of an encoded body say, as far as that can be known."""
    if encoding not in DECODERS or not body:
        return b""
    decoder = DECODERS[encoding](body)
    try:
        return decoder.take(memoryview(body), most)[:most]
    except decoder.fault:
        return b""


def _undo(name: str, body: bytes, limit: int, is_late: Callable[[], bool]) -> bytes:
    decoded = bytearray()
    at = members = 0
    while at < len(body):
        if (members := members + 1) > MOST_MEMBERS:
            raise BrokenContent(f"the reply's {name} body has more than {MOST_MEMBERS} members")
        decoder = DECODERS[name](body[at : at + 1])
        while not decoder.is_done:
            if at >= len(body):
                raise BrokenContent(f"the reply's {name} body ends early")
            decoded += _take(name, decoder, body, at, limit - len(decoded))
            at += decoder.step
            if len(decoded) > limit:
                raise BodyTooLarge(f"the reply's decoded body is larger than {limit} bytes")
            if is_late():
                raise DecodingTooSlow("the time was up before the reply's body was decoded")
        if not decoder.has_members:
            break
        # Zeroes behind the last member are padding.
        end = PADDING.match(body, min(at, len(body)) - len(decoder.rest))
        at = 0 if end is None else end.end()
    return bytes(decoded)


def _take(name: str, decoder: Decoder, body: bytes, at: int, room: int) -> bytes:
    try:
        return decoder.take(memoryview(body)[at : at + decoder.step], room + 1)
    except decoder.fault as failed:
        raise BrokenContent(f"the reply's body is not valid {name}") from failed


class StreamDecoder:
    """Undoes the Content-Encoding of a body while it comes; what it makes at a time is bounded."""

    __slots__ = ("_decoders", "_names")

    def __init__(self, encoding: str) -> None:
        self._names = _codings(encoding)[::-1]
        self._decoders: list[Decoder | None] = [None] * len(self._names)

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield what these bytes stand for, in pieces of at most some megabytes.

        Raises:
            BrokenContent: They cannot be decoded.
        """
        yield from self._undone(0, data)

    @property
    def is_whole(self) -> bool:
        """Whether nothing is missing of what came."""
        return all(decoder is None or decoder.is_done for decoder in self._decoders)

    def _undone(self, level: int, data: bytes) -> Iterator[bytes]:
        if level == len(self._names):
            yield data
            return
        for piece in self._members(level, data):
            yield from self._undone(level + 1, piece)

    def _members(self, level: int, data: bytes) -> Iterator[bytes]:
        name = self._names[level]
        while data:
            decoder = self._decoders[level]
            if decoder is None or decoder.is_done:
                if decoder is not None and not (decoder.has_members and data.strip(b"\0")):
                    return  # padding
                decoder = self._decoders[level] = DECODERS[name](data[:1])
            step = min(decoder.step, SMALL_STEP)
            piece, data = data[:step], data[step:]
            try:
                yield from _all_of(decoder, piece)
            except decoder.fault as failed:
                raise BrokenContent(f"the reply's body is not valid {name}") from failed
            if decoder.is_done:
                data = decoder.rest + data


def _all_of(decoder: Decoder, data: bytes) -> Iterator[bytes]:
    yield decoder.take(memoryview(data), MOST_AT_A_TIME)
    while decoder.has_more:
        yield decoder.take(memoryview(b""), MOST_AT_A_TIME)

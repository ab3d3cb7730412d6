"""HTTP/2 frames as bytes (RFC 9113 §4 and §6), and what is wrong with those of a peer."""

from __future__ import annotations

from collections.abc import Iterator
from enum import IntEnum
from struct import Struct
from typing import Final

__all__ = [
    "ACK",
    "CONTINUATION",
    "DATA",
    "END_HEADERS",
    "END_STREAM",
    "FRAME_HEAD",
    "GOAWAY",
    "HEADERS",
    "LARGEST_WINDOW",
    "OUR_WINDOW",
    "PADDED",
    "PING",
    "PREFACE",
    "PRIORITY",
    "PRIORITY_FLAG",
    "PUSH_PROMISE",
    "RST_STREAM",
    "SETTINGS",
    "SMALLEST_FRAME",
    "START_WINDOW",
    "STREAM_ID",
    "WINDOW_UPDATE",
    "BrokenConnection",
    "BrokenStream",
    "ErrorCode",
    "Setting",
    "check_first",
    "check_no_stream",
    "check_opened",
    "check_size",
    "cut_head",
    "error_words",
    "frame",
    "goaway_frame",
    "read_number",
    "read_settings",
    "refuse_push",
    "reset_frame",
    "settings_frame",
    "too_long",
    "unpadded",
    "window_frame",
    "wrong_window",
]

DATA: Final = 0
HEADERS: Final = 1
PRIORITY: Final = 2
RST_STREAM: Final = 3
SETTINGS: Final = 4
PUSH_PROMISE: Final = 5
PING: Final = 6
GOAWAY: Final = 7
WINDOW_UPDATE: Final = 8
CONTINUATION: Final = 9

ACK: Final = 0x1
END_STREAM: Final = 0x1
END_HEADERS: Final = 0x4
PADDED: Final = 0x8
PRIORITY_FLAG: Final = 0x20

PREFACE: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
SMALLEST_FRAME: Final = 16_384
"""How long frames may be until their receiver says otherwise; ours never says so."""

LARGEST_FRAME: Final = 2**24 - 1
START_WINDOW: Final = 65_535
OUR_WINDOW: Final = 4 * 1024 * 1024
"""What a server may send of one reply before we have read it; what we read is let go at once."""

LARGEST_WINDOW: Final = 2**31 - 1
STREAM_ID: Final = 2**31 - 1
"""A stream's number without the reserved bit."""

FRAME_HEAD: Final = Struct(">HBBBI")
"""Length in two parts, type, flags, stream."""

_NUMBER: Final = Struct(">I")
_PAIR: Final = Struct(">HI")
_TWO_NUMBERS: Final = Struct(">II")


class Setting(IntEnum):
    """What a peer may set (§6.5.2)."""

    HEADER_TABLE_SIZE = 1
    ENABLE_PUSH = 2
    MAX_CONCURRENT_STREAMS = 3
    INITIAL_WINDOW_SIZE = 4
    MAX_FRAME_SIZE = 5
    MAX_HEADER_LIST_SIZE = 6


class ErrorCode(IntEnum):
    """Why a stream or a connection ends (§7)."""

    NO_ERROR = 0
    PROTOCOL_ERROR = 1
    INTERNAL_ERROR = 2
    FLOW_CONTROL_ERROR = 3
    SETTINGS_TIMEOUT = 4
    STREAM_CLOSED = 5
    FRAME_SIZE_ERROR = 6
    REFUSED_STREAM = 7
    CANCEL = 8
    COMPRESSION_ERROR = 9
    CONNECT_ERROR = 10
    ENHANCE_YOUR_CALM = 11
    INADEQUATE_SECURITY = 12
    HTTP_1_1_REQUIRED = 13


_CODES: Final = {code.value: code.name for code in ErrorCode}


class BrokenConnection(Exception):  # noqa: N818 - data on its way to the requests it ends
    """The peer did what no later frame can mend.

    Attributes:
        code: What it is told.
        detail: What it did, in words.
        is_too_large: It sent more than we take, which is no fault of form.
    """

    def __init__(self, code: ErrorCode, detail: str, *, is_too_large: bool = False) -> None:
        super().__init__(detail)
        self.code: Final = code
        self.detail: Final = detail
        self.is_too_large: Final = is_too_large


class BrokenStream(Exception):  # noqa: N818 - likewise
    """The peer broke one stream; the others go on."""

    def __init__(self, detail: str, code: ErrorCode = ErrorCode.PROTOCOL_ERROR) -> None:
        super().__init__(detail)
        self.code: Final = code
        self.detail: Final = detail


def error_words(code: int) -> str:
    """Return the name of an error code, or its number where it has none."""
    return _CODES.get(code, f"error {code}")


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    """Return a frame; the payload must be short enough."""
    size = len(payload)
    return FRAME_HEAD.pack(size >> 8, size & 0xFF, kind, flags, stream) + payload


def settings_frame(values: dict[Setting, int]) -> bytes:
    """Return our settings."""
    payload = b"".join(_PAIR.pack(key, value) for key, value in values.items())
    return frame(SETTINGS, 0, 0, payload)


def window_frame(stream: int, size: int) -> bytes:
    """Return what allows `size` more bytes."""
    return frame(WINDOW_UPDATE, 0, stream, _NUMBER.pack(size))


def reset_frame(stream: int, code: ErrorCode) -> bytes:
    """Return what ends a stream at once."""
    return frame(RST_STREAM, 0, stream, _NUMBER.pack(code))


def goaway_frame(code: ErrorCode) -> bytes:
    """Return our farewell; no stream of the server's was ever taken."""
    return frame(GOAWAY, 0, 0, _TWO_NUMBERS.pack(0, code))


def read_settings(payload: bytes) -> Iterator[tuple[int, int]]:
    """Yield what a peer sets.

    Raises:
        BrokenConnection: It isn't made of pairs, or a value isn't allowed.
    """
    if len(payload) % _PAIR.size:
        words = f"SETTINGS of {len(payload)} bytes"
        raise BrokenConnection(ErrorCode.FRAME_SIZE_ERROR, words)
    for key, value in _PAIR.iter_unpack(payload):
        if key == Setting.ENABLE_PUSH and value:
            raise BrokenConnection(ErrorCode.PROTOCOL_ERROR, "a server that enables push")
        if key == Setting.INITIAL_WINDOW_SIZE and value > LARGEST_WINDOW:
            words = f"an initial window of {value} bytes"
            raise BrokenConnection(ErrorCode.FLOW_CONTROL_ERROR, words)
        if key == Setting.MAX_FRAME_SIZE and not SMALLEST_FRAME <= value <= LARGEST_FRAME:
            words = f"a largest frame of {value} bytes"
            raise BrokenConnection(ErrorCode.PROTOCOL_ERROR, words)
        yield key, value


def unpadded(flags: int, payload: bytes) -> bytes:
    """Take the padding off DATA or HEADERS, and the priority off the latter.

    Raises:
        BrokenConnection: There is more padding than payload.
    """
    start, end = 0, len(payload)
    if flags & PADDED:
        start, end = 1, end - (payload[0] if payload else 1)
    if flags & PRIORITY_FLAG:
        start += 5
    if start > end:
        raise BrokenConnection(ErrorCode.PROTOCOL_ERROR, "more padding than payload")
    return payload[start:end]


def cut_head(block: bytes, flags: int, stream: int, most: int) -> list[bytes]:
    """Return the frames of a head that is too long for one."""
    pieces = [block[start : start + most] for start in range(0, len(block), most)]
    first = frame(HEADERS, flags & ~END_HEADERS, stream, pieces[0])
    middle = [frame(CONTINUATION, 0, stream, piece) for piece in pieces[1:-1]]
    return [first, *middle, frame(CONTINUATION, END_HEADERS, stream, pieces[-1])]


def read_number(payload: bytes, name: str) -> int:
    """Return the number that a frame is.

    Raises:
        BrokenConnection: It is longer or shorter.
    """
    if len(payload) != _NUMBER.size:
        words = f"{name} of {len(payload)} bytes"
        raise BrokenConnection(ErrorCode.FRAME_SIZE_ERROR, words)
    return int.from_bytes(payload, "big")


def wrong_window(more: int) -> tuple[ErrorCode, str]:
    """Return what is wrong with a WINDOW_UPDATE that allows `more` bytes."""
    if not more:
        return ErrorCode.PROTOCOL_ERROR, "a window that grows by nothing"
    return ErrorCode.FLOW_CONTROL_ERROR, "a window of more than 2**31-1 bytes"


def refuse_push(*_: object) -> None:
    """Take a PUSH_PROMISE.

    Raises:
        BrokenConnection: Always.
    """
    words = "PUSH_PROMISE, which we have switched off"
    raise BrokenConnection(ErrorCode.PROTOCOL_ERROR, words)


def check_size(payload: bytes, kind: str, *, most: int = SMALLEST_FRAME) -> None:
    """Look whether a frame has the 8 bytes that its kind begins with.

    Raises:
        BrokenConnection: It is shorter, or longer than it may be.
    """
    if not 8 <= len(payload) <= most:
        words = f"{kind} of {len(payload)} bytes"
        raise BrokenConnection(ErrorCode.FRAME_SIZE_ERROR, words)


def check_no_stream(stream: int, name: str) -> None:
    """Look at a frame that concerns the connection.

    Raises:
        BrokenConnection: It names a stream.
    """
    if stream:
        words = f"{name} of stream {stream}"
        raise BrokenConnection(ErrorCode.PROTOCOL_ERROR, words)


def check_opened(stream: int, next_stream: int) -> None:
    """Look at a frame of a stream that has ended: resets and windows may come late (§5.1).

    Raises:
        BrokenConnection: It was never opened.
    """
    if not stream or stream >= next_stream or not stream % 2:
        words = f"a frame of stream {stream}, which was never opened"
        raise BrokenConnection(ErrorCode.PROTOCOL_ERROR, words)


def check_first(kind: int, flags: int) -> None:
    """Look at the first frame of a server.

    Raises:
        BrokenConnection: It isn't its SETTINGS.
    """
    if kind != SETTINGS or flags & ACK:
        words = "a first frame other than SETTINGS"
        raise BrokenConnection(ErrorCode.PROTOCOL_ERROR, words)


def too_long(data: bytes, size: int, *, is_first: bool) -> BrokenConnection:
    """Return what is wrong with a frame of `size` bytes, or with what isn't one at all."""
    if is_first:
        words = "HTTP/1" if data.startswith(b"HTTP/1.") else "something else"
        return BrokenConnection(ErrorCode.PROTOCOL_ERROR, f"{words} instead of HTTP/2")
    words = f"a frame of {size} bytes, where {SMALLEST_FRAME} are allowed"
    return BrokenConnection(ErrorCode.FRAME_SIZE_ERROR, words)

"""Compressed messages: permessage-deflate (RFC 7692) of one connection."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Any, Final

from planrunner.protocols.base import FailureKind
from planrunner.protocols.http.clients.fault import WireFault

__all__ = ["OFFER", "Deflate", "accepted"]

OFFER: Final = "permessage-deflate; client_max_window_bits"

_NAME: Final = "permessage-deflate"
_TAIL: Final = b"\x00\x00\xff\xff"
_MOST_BITS: Final = 15
_LEAST_BITS: Final = 9
"""zlib makes no window of 8 bits: who is asked for one sends uncompressed, as anybody may."""

_MEMORY: Final = 5
"""A compressor takes 32 KB beside its window with it, and not 128 KB; messages are small."""

_FLAGS: Final = ("server_no_context_takeover", "client_no_context_takeover")
_BITS: Final = ("server_max_window_bits", "client_max_window_bits")


def accepted(header: str, *, offered: bool) -> Deflate | None:
    """Return what a server agreed to, by its Sec-WebSocket-Extensions; None where to nothing.

    Raises:
        WireFault: It names what was not offered.
    """
    if not header.strip():
        return None
    name, *words = (word.strip() for word in header.split(";"))
    if not offered or name != _NAME or "," in header:
        raise _refused(header)
    found: dict[str, int] = {}
    for key, value in _parameters(words, header):
        if key in found:
            raise _refused(header)
        found[key] = value
    return Deflate(
        own_bits=found.get("client_max_window_bits", _MOST_BITS),
        other_bits=found.get("server_max_window_bits", _MOST_BITS),
        own_restarts="client_no_context_takeover" in found,
        other_restarts="server_no_context_takeover" in found,
    )


def _parameters(words: list[str], header: str) -> Iterator[tuple[str, int]]:
    for word in words:
        key, equals, text = (part.strip() for part in word.partition("="))
        text = text.strip('"')
        if key in _FLAGS and not equals:
            yield key, 1
        elif key in _BITS and text.isdecimal() and 8 <= int(text) <= _MOST_BITS:
            yield key, int(text)
        else:
            raise _refused(header)


def _refused(header: str) -> WireFault:
    words = f"the server answered with the extension `{header[:100]}`, which was not offered"
    return WireFault(FailureKind.PROTOCOL, words)


class Deflate:
    """Compresses what is sent, and decompresses what comes.

    Attributes:
        compresses: False where the server asks for a window that zlib does not have.
    """

    __slots__ = ("_bits", "_compressor", "_decompressor", "_other_bits", "_restarts", "compresses")

    def __init__(
        self, own_bits: int, other_bits: int, *, own_restarts: bool, other_restarts: bool
    ) -> None:
        self.compresses = own_bits >= _LEAST_BITS
        self._bits = -own_bits
        self._other_bits = -max(other_bits, _LEAST_BITS)
        self._restarts = own_restarts, other_restarts
        self._compressor: Any = None
        self._decompressor: Any = None

    def compress(self, data: bytes) -> bytes:
        compressor = self._compressor
        if compressor is None:
            compressor = zlib.compressobj(wbits=self._bits, memLevel=_MEMORY)
            if not self._restarts[0]:
                self._compressor = compressor
        packed: bytes = compressor.compress(data) + compressor.flush(zlib.Z_SYNC_FLUSH)
        return packed[:-4]

    def decompress(self, data: bytes, most: int) -> bytes:
        """Return a message; what is larger than `most` is never made.

        Raises:
            WireFault: It is too large, or not compressed as agreed.
        """
        decompressor = self._decompressor
        if decompressor is None:
            decompressor = zlib.decompressobj(wbits=self._other_bits)
            if not self._restarts[1]:
                self._decompressor = decompressor
        try:
            found: bytes = decompressor.decompress(data + _TAIL, most + 1)
        except zlib.error as error:
            words = f"a message is not compressed as agreed: {error}"
            raise WireFault(FailureKind.PROTOCOL, words) from error
        if len(found) > most:
            words = f"a message has more than {most} bytes when decompressed (`ws.max_size`)"
            raise WireFault(FailureKind.TOO_LARGE, words)
        if decompressor.eof:  # a message may end its stream; the next one begins another
            self._decompressor = None
        return found

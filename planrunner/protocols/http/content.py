"""Content-Encoding: gzip and deflate, never larger than asked for."""

from __future__ import annotations

import zlib
from typing import Final

from planrunner.errors import PlanrunnerError

__all__ = ["ACCEPTED_ENCODINGS", "BodyTooLarge", "BrokenContent", "decode_content"]

ACCEPTED_ENCODINGS: Final = "gzip, deflate"
GZIP_OR_ZLIB: Final = 47
RAW_DEFLATE: Final = -15


class BodyTooLarge(PlanrunnerError):  # noqa: N818 - reads as the sentence it stands for
    """The decoded body would be larger than the limit: a bomb."""


class BrokenContent(PlanrunnerError):  # noqa: N818 - reads as the sentence it stands for
    """The body is not what Content-Encoding says."""


def decode_content(body: bytes, encoding: str, *, limit: int) -> bytes:
    """Undo `encoding`, a lower-case Content-Encoding value; codings not asked for stay as they are.

    Raises:
        BodyTooLarge: The result would exceed `limit` bytes; no more than that was made.
        BrokenContent: The body cannot be decoded.
    """
    if not body:
        return body
    for coding in reversed(encoding.split(",")):
        if coding.strip() in ("gzip", "x-gzip", "deflate"):
            body = _inflate(body, coding.strip(), limit)
        elif coding.strip() not in ("", "identity"):
            break
    return body


def _inflate(body: bytes, coding: str, limit: int) -> bytes:
    # "deflate" means zlib, but some servers send it raw; a zlib stream begins with 0x?8.
    is_raw = coding == "deflate" and body[0] & 0x0F != 8
    pieces: list[bytes] = []
    room = limit
    while body:
        inflater = zlib.decompressobj(RAW_DEFLATE if is_raw else GZIP_OR_ZLIB)
        try:
            piece = inflater.decompress(body, room + 1)
        except zlib.error as fault:
            raise BrokenContent(f"the reply's body is not valid {coding}") from fault
        room -= len(piece)
        if room < 0:
            raise BodyTooLarge(f"the reply's decoded body is larger than {limit} bytes")
        if not inflater.eof:
            raise BrokenContent(f"the reply's {coding} body ends early")
        pieces.append(piece)
        # gzip allows several members in a row; zeroes behind the last are padding.
        body = inflater.unused_data.lstrip(b"\0") if coding != "deflate" else b""
    return b"".join(pieces)

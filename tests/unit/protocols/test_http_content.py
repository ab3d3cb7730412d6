"""Content codings: undone, bounded, never trusted."""

from __future__ import annotations

import gzip
import tracemalloc
import zlib
from contextlib import suppress
from random import Random

import brotli
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from planrunner.protocols.http.content import (
    MOST_MEMBERS,
    BodyTooLarge,
    BrokenContent,
    DecodingTooSlow,
    decode_beginning,
    decode_content,
)

LIMIT = 1_000_000


PACK = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": brotli.compress,
    "zstd": zstandard.compress,
}


@given(st.binary(max_size=2000), st.lists(st.sampled_from(sorted(PACK)), max_size=3))
def test_round_trip(body: bytes, codings: list[str]) -> None:
    """What was encoded in order is decoded in reverse."""
    data = body
    for coding in codings:
        data = PACK[coding](data)

    assert decode_content(data, ", ".join(codings), limit=LIMIT) == body


@pytest.mark.slow
@pytest.mark.parametrize("coding", PACK)
def test_large_body_comes_back_whole(coding: str) -> None:
    """Where the input is cut means nothing."""
    body = Random(1).randbytes(300_000) + bytes(300_000)

    assert decode_content(PACK[coding](body), coding, limit=LIMIT) == body


@pytest.mark.parametrize("coding", PACK)
def test_every_body_that_ends_early_says_so(coding: str) -> None:
    """Half of a body is never taken for a whole one."""
    data = PACK[coding](Random(1).randbytes(3000))

    with pytest.raises(BrokenContent, match=f"{coding} body ends early"):
        decode_content(data[:-5], coding, limit=LIMIT)


@pytest.mark.parametrize("coding", PACK)
def test_the_beginning_of_a_body(coding: str) -> None:
    """As much as is known of it, and nothing when it is not what it claims to be."""
    data = PACK[coding](bytes(range(256)) * 100)

    assert decode_beginning(data, coding, 1000) == (bytes(range(256)) * 4)[:1000]
    assert decode_beginning(b"what?", coding, 1000) == b""
    assert decode_beginning(data, "compress", 1000) == b""


@pytest.mark.parametrize("coding", ["gzip", "zstd"])
def test_members_are_limited(coding: str) -> None:
    """Each costs work, even when it is empty."""
    with pytest.raises(BrokenContent, match="members"):
        decode_content(PACK[coding](b"") * (MOST_MEMBERS + 1), coding, limit=LIMIT)


def test_codings_are_limited() -> None:
    """`identity` is none of them, however often it is said."""
    assert decode_content(b"ok", ",".join(["identity"] * 5000), limit=LIMIT) == b"ok"
    with pytest.raises(BrokenContent, match="6 content codings"):
        decode_content(b"ok", ",".join(["gzip"] * 6), limit=LIMIT)


@pytest.mark.parametrize("coding", PACK)
def test_decoding_ends_when_it_is_late(coding: str) -> None:
    """The timeout of a request is asked for while its reply is decoded."""
    asked = []

    def is_late() -> bool:
        asked.append(True)
        return len(asked) > 1

    with pytest.raises(DecodingTooSlow):
        decode_content(
            PACK[coding](Random(1).randbytes(200_000)), coding, limit=LIMIT, is_late=is_late
        )

    assert len(asked) == 2


@pytest.mark.parametrize("coding", ["gzip", "zstd"])
def test_zeroes_behind_the_last_member_are_padding(coding: str) -> None:
    """Tapes and blocks leave them."""
    assert decode_content(PACK[coding](b"a") + bytes(600), coding, limit=LIMIT) == b"a"


def test_a_zstd_window_is_limited() -> None:
    """A frame may not demand more memory than browsers grant."""
    wide = zstandard.ZstdCompressionParameters(window_log=27)
    data = zstandard.ZstdCompressor(compression_params=wide).compress(bytes(20_000_000))

    with pytest.raises(BrokenContent):
        decode_content(data, "zstd", limit=50_000_000)


def test_limit_is_exact() -> None:
    """As many bytes as the limit pass, one more doesn't."""
    data = gzip.compress(bytes(1000))

    assert len(decode_content(data, "gzip", limit=1000)) == 1000
    with pytest.raises(BodyTooLarge):
        decode_content(data, "gzip", limit=999)


def test_members_share_the_limit() -> None:
    """Many small bombs in a row are one bomb."""
    with pytest.raises(BodyTooLarge):
        decode_content(gzip.compress(bytes(600)) * 2, "gzip", limit=1000)


@pytest.mark.slow
def test_bomb_takes_no_memory() -> None:
    """What is too large is never made."""
    bomb = gzip.compress(bytes(50_000_000))
    tracemalloc.start()
    with pytest.raises(BodyTooLarge):
        decode_content(bomb, "gzip", limit=100_000)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert peak < 1_000_000


@pytest.mark.parametrize("data", [b"x", b"\x1f\x8b", gzip.compress(b"hello", mtime=0)[:-3]])
def test_broken_body_says_so(data: bytes) -> None:
    """Garbage, or an end that is missing."""
    with pytest.raises(BrokenContent):
        decode_content(data, "gzip", limit=LIMIT)


def test_no_coding_stays() -> None:
    """Nothing has to be undone."""
    assert decode_content(b"as it is", "", limit=LIMIT) == b"as it is"


def test_unknown_coding_has_a_name() -> None:
    """What is not in it is no data: nothing would say why."""
    with pytest.raises(BrokenContent, match="`compress`"):
        decode_content(b"as it is", "compress, identity", limit=LIMIT)


def test_empty_body_has_no_coding() -> None:
    """HEAD and 304 announce codings for bodies that don't come."""
    assert decode_content(b"", "gzip", limit=LIMIT) == b""


@given(st.binary(max_size=200), st.sampled_from(sorted(PACK)), st.booleans())
def test_no_body_breaks_the_decoder(data: bytes, coding: str, has_head: bool) -> None:  # noqa: FBT001
    """Every fault is one of the two that callers know."""
    head = PACK[coding](b"hello")[:6] if has_head else b""
    with suppress(BodyTooLarge, BrokenContent):
        decode_content(head + data, coding, limit=1000)

"""Content codings: undone, bounded, never trusted."""

from __future__ import annotations

import gzip
import tracemalloc
import zlib
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planrunner.protocols.http.content import BodyTooLarge, BrokenContent, decode_content

LIMIT = 1_000_000


@given(
    st.binary(max_size=2000), st.sampled_from(["gzip", "deflate", "gzip,deflate", "deflate, gzip"])
)
def test_round_trip(body: bytes, encoding: str) -> None:
    """What was encoded in order is decoded in reverse."""
    data = body
    for coding in encoding.split(","):
        data = gzip.compress(data) if coding.strip() == "gzip" else zlib.compress(data)

    assert decode_content(data, encoding, limit=LIMIT) == body


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


@pytest.mark.parametrize("encoding", ["br", "zstd", "", "identity", "x"])
def test_other_codings_stay(encoding: str) -> None:
    """Nobody asked for them."""
    assert decode_content(b"as it is", encoding, limit=LIMIT) == b"as it is"


def test_empty_body_has_no_coding() -> None:
    """HEAD and 304 announce codings for bodies that don't come."""
    assert decode_content(b"", "gzip", limit=LIMIT) == b""


@given(st.binary(max_size=200))
def test_no_body_breaks_the_decoder(data: bytes) -> None:
    """Every fault is one of the two that callers know."""
    with suppress(BodyTooLarge, BrokenContent):
        decode_content(data, "deflate", limit=1000)

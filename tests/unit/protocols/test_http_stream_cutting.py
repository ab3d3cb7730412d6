"""Streams are cut into the same pieces however their bytes come."""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planrunner.protocols.http.clients.streams import cutting
from planrunner.protocols.http.clients.streams.cutting import (
    LinePieces,
    Pieces,
    PieceTooLarge,
    SsePieces,
    StreamPiece,
)
from planrunner.protocols.http.content import StreamDecoder

ENDS = re.compile("\r\n|\n|\r")


def cut(pieces: Pieces, data: bytes, places: Sequence[int] = ()) -> list[StreamPiece]:
    """Feed `data` in parts that begin at these places."""
    ends = sorted({place % (len(data) + 1) for place in places})
    parts = [data[a:b] for a, b in zip([0, *ends], [*ends, len(data)], strict=True)]
    found = [piece for part in parts for piece in pieces.feed(part)]
    rest = pieces.rest()
    return found if rest is None else [*found, rest]


def read_by_the_rules(text: str) -> tuple[list[dict[str, str]], str, int | None]:
    """Read a whole event stream as the WHATWG says it, line for line."""
    *lines, _ = ENDS.split(text.removeprefix("\ufeff"))
    events, data, name, new_id, last_id, retry = [], "", "", "", "", None
    for line in lines:
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if not line:
            last_id = new_id
            if data:
                events.append({"data": data[:-1], "name": name or "message", "id": last_id})
            data = name = ""
        elif field == "data":
            data += f"{value}\n"
        elif field == "event":
            name = value
        elif field == "id" and "\0" not in value:
            new_id = value
        elif field == "retry" and value.isascii() and value.isdigit():
            retry = min(int(value), 3_600_000)
    return events, last_id, retry


WORDS = ("data", "event", "id", "retry", ":", ": ", " ", "x", "é", "7", "\0", "\ufeff", "{}")
STREAMS = st.lists(st.sampled_from((*WORDS, "\n", "\n\n", "\r", "\r\n", "data: a\n\n")))


@given(STREAMS.map("".join), st.lists(st.integers(0, 200), max_size=8))
def test_events_are_those_of_the_rules(text: str, places: Sequence[int]) -> None:
    """Whatever ends a line, and wherever the bytes are cut, in a letter too."""
    pieces = SsePieces()

    found = cut(pieces, text.encode(), places)

    assert (found, pieces.last_id, pieces.retry_ms) == read_by_the_rules(text)


@given(STREAMS.map("".join), st.lists(st.integers(0, 200), max_size=8))
def test_lines_are_those_of_the_text(text: str, places: Sequence[int]) -> None:
    """A last one without an end is one too."""
    *lines, rest = ENDS.split(text)

    found = cut(LinePieces(), text.encode(), places)

    assert [piece["data"] for piece in found] == [*lines, *([rest] if rest else [])]


@pytest.mark.parametrize("line", [b"data: xxxx", b"data: xxxx\n", b"id: xxxxxx"])
def test_a_piece_has_a_limit(monkeypatch: pytest.MonkeyPatch, line: bytes) -> None:
    """Nothing grows without an end; what is let go may be any size."""
    monkeypatch.setattr(cutting, "MOST_OF_A_PIECE", 50)
    for pieces in (SsePieces(), LinePieces()):
        if line.endswith(b"\n") and isinstance(pieces, LinePieces):
            continue
        with pytest.raises(PieceTooLarge):
            cut(pieces, line * 20, range(0, 200, 10))

    assert cut(SsePieces(), b": xxxxxxx\n" * 100) == []


def test_an_event_has_json_where_its_data_are_that() -> None:
    """Parsed when it is read, once; else there is no such key."""
    (event, end) = cut(SsePieces(), b'data: {"a": 1}\n\ndata: [DONE]\n\n')

    assert event["json"] is event["json"]
    assert event.get_json() == {"a": 1}
    with pytest.raises(KeyError):
        end["json"]


@given(st.binary(max_size=300), st.sampled_from([15, 31]), st.lists(st.integers(0, 400)))
def test_a_stream_is_decoded_as_it_comes(data: bytes, wbits: int, places: Sequence[int]) -> None:
    """In any parts, also of several members; a byte that is missing is missed."""
    packer = zlib.compressobj(wbits=wbits)
    packed = packer.compress(data) + packer.flush()
    coding = "gzip" if wbits == 31 else "deflate"
    whole = packed * 2 + b"\0\0" if coding == "gzip" else packed
    decoder = StreamDecoder(coding)
    ends = sorted({place % (len(whole) + 1) for place in places})
    parts = [whole[a:b] for a, b in zip([0, *ends], [*ends, len(whole)], strict=True)]

    found = b"".join(piece for part in parts for piece in decoder.feed(part))

    assert found == (data * 2 if coding == "gzip" else data)
    assert decoder.is_whole
    cut_off = StreamDecoder(coding)
    assert b"".join(cut_off.feed(packed[:-1])) in (data, data[:-1])
    assert not cut_off.is_whole

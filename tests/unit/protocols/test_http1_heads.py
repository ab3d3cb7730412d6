"""Heads of replies that are known by their bytes or their shape mean what a parser says."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import astuple

import pytest

from planrunner.protocols.http.clients.fault import WireFault
from planrunner.protocols.http.clients.heads.head import (
    HEAD_END,
    UNKNOWN_HEAD,
    ReplyHead,
    parse_head,
)
from planrunner.protocols.http.clients.heads.known import (
    LONGEST,
    MOST_LINES,
    MOST_SHAPES,
    PARSED_FOR_A_SHAPE,
    ReplyHeads,
    shape_of,
)
from tests.support.http_servers import reply

MAX_HEAD, MAX_BODY = 4_096, 1_000

STARTS = [
    *([b"HTTP/1.1 200 OK"] * 6),
    *(b"HTTP/1.1 404 Not Found", b"HTTP/1.0 200 OK", b"HTTP/1.1 204 No Content", b"HTTP/1.1 302"),
    *(b"HTTP/1.1 304 Not Modified", b"HTTP/1.1 302 Found", b"HTTP/1.1 201 Created"),
    *(b"HTTP/1.1 103 Early Hints", b"HTTP/1.1 200 \xe9", b"HTTP/1.1  200 OK", b"HTTP/2 200"),
]
NAMES = [
    *(b"Server", b"Date", b"X-Request-Id", b"ETag", b"traceparent", b"Content-Type", b"x"),
    *([b"Content-Length"] * 3),
    *(b"Set-Cookie", b"set-cookie", b"Set-Cookie2", b"Location", b"location", b"Connection"),
    *(b"connection", b"CONTENT-LENGTH", b"Content-Encoding", b"Transfer-Encoding", b"Link"),
    *(b"Content-Length ", b"Bad Name", b"", b" Folded", b"X-\xe9"),
]
VALUES = [
    *(b"nginx", b"1", b"5", b"51", b"51", b"0", b"00051", b"2000", b"5, 5", b"5,6", b"-1", b"+5"),
    *(b"0x5", b"9" * 19, b"9" * 20, b"a=b", b"a=b; Path=/; HttpOnly", b"sid=\xe9", b"/next?a=b"),
    *(b"keep-alive", b"close", b"Keep-Alive, Upgrade", b"gzip", b"identity", b"chunked", b"", b" "),
    *(b"text/html; charset=utf-8", b"a\tb", b"\xf0\x9f\x8d\xaa", b"a: b", b"b\r", b"\xff" * 30),
]
SPACES = [b": ", b": ", b": ", b":", b":\t ", b" : "]
ENDS = [*([b"\r\n"] * 40), b"\n", b"\r", b"\r\n ", b" \r\n"]
DAMAGE = [
    b"\r",
    b"\n",
    b"\0",
    b"\r\n",
    b"\n\n",
    b":",
    b" ",
    b"\t",
    b"\xff",
    b"Content-Length: 7\r\n",
]


def some_head(chance: random.Random) -> list[bytes]:
    """Return the pieces of a head that may be fine: its first line, names, spaces, values, ends."""
    head = [chance.choice(STARTS), b"\r\n"]
    for _ in range(chance.randrange(9)):
        usual = chance.random() < 0.9
        name = chance.choice(NAMES[:17] if usual else NAMES)
        value = b"51" if usual and name == b"Content-Length" else chance.choice(VALUES)
        head += [name, b": " if usual else chance.choice(SPACES), value, chance.choice(ENDS)]
    return head


def changed(chance: random.Random, head: list[bytes]) -> bytes:
    """Return a head like the one given: with some other pieces, or with bytes of no meaning."""
    pieces = list(head)
    for at in range(4, len(pieces), 4):
        if chance.random() < 0.3:
            pieces[at] = chance.choice([*VALUES, b"%032x" % chance.getrandbits(128)])
    kind = chance.random()
    if kind < 0.1:
        pieces[chance.randrange(len(pieces))] = chance.choice([*NAMES, *SPACES, *ENDS])
    data = b"".join(pieces) + b"\r\n"
    if 0.1 < kind < 0.2:
        at = chance.randrange(len(data))
        data = data[:at] + chance.choice(DAMAGE) + data[at + chance.randrange(3) :]
    return data[: data.find(HEAD_END) + len(HEAD_END)]


def meaning(head: ReplyHead) -> object:
    return head.text is head.raw, astuple(head)


def parsed(raw: bytes) -> object:
    """Return what the parser says of a head, or why it refuses it."""
    try:
        head = parse_head(raw)
    except WireFault as fault:
        return fault.kind, fault.detail
    head.settle(MAX_BODY)
    return meaning(head)


def known(heads: ReplyHeads, raw: bytes) -> object:
    """Return the same of heads that know a shape."""
    try:
        return meaning(heads.parse(raw))
    except WireFault as fault:
        return fault.kind, fault.detail


def pairs(chance: random.Random, number: int) -> Iterator[tuple[ReplyHeads, bytes]]:
    """Yield heads, and what knows the shape of one that each is like."""
    while number > 0:
        head = some_head(chance)
        heads = ReplyHeads(MAX_HEAD, MAX_BODY)
        try:
            heads.know(parse_head(b"".join(head) + b"\r\n"))
        except WireFault:
            continue
        for _ in range(20):
            yield heads, changed(chance, head)
        number -= 20


@pytest.mark.parametrize(
    "number", [1_000, pytest.param(100_000, marks=pytest.mark.slow)], ids=["few", "many"]
)
def test_a_shape_says_what_the_parser_says(number: int) -> None:
    """Of any head, sound or hostile: the same meaning, or the same failure."""
    by_shape = 0
    for heads, raw in pairs(random.Random(number), number):
        head = heads.of_reply(raw + b"rest")
        if head is not UNKNOWN_HEAD:
            by_shape += 1
            assert meaning(head) == parsed(raw)
        assert known(heads, raw) == parsed(raw), raw

    assert number / 4 < by_shape < number * 3 / 4


def numbered(number: int, *lines: tuple[str, str]) -> bytes:
    return reply(200, b"hello", ("X-Request-Id", f"{number:032x}"), *lines)


def test_a_shape_is_made_once_it_pays() -> None:
    """Parsing many heads pays for one shape, after which a head that is new is read in one pass."""
    heads = ReplyHeads(MAX_HEAD, MAX_BODY)
    for number in range(PARSED_FOR_A_SHAPE):
        heads.learn()
        assert heads.of_reply(numbered(number)) is UNKNOWN_HEAD
        heads.parse(numbered(number).removesuffix(b"hello"))
    heads.learn()

    assert heads.of_reply(numbered(1_000)).quick == len(b"hello")


def test_what_was_parsed_is_not_overwritten() -> None:
    """A shape fills the same object each time, which only the hot path gets to see."""
    heads = ReplyHeads(MAX_HEAD, MAX_BODY)
    first, second = (reply(200, b"", ("Set-Cookie", f"a={number}")) for number in range(2))
    heads.know(parse_head(first))
    kept = [heads.parse(first), heads.parse(first), heads.parse(second)]

    assert [head.cookies for head in kept] == [("a=0",), ("a=0",), ("a=1",)]


def test_heads_that_have_no_two_lines_in_common_take_no_memory() -> None:
    """There are a few shapes at most, the latest ones, and none of a head that is long."""
    heads = ReplyHeads(100_000, MAX_BODY)
    heads.know(parse_head(reply(200, b"", ("A", "b" * LONGEST))))
    heads.know(parse_head(reply(200, b"", *[("A", "b")] * (MOST_LINES + 1))))
    for number in range(MOST_SHAPES + 2):
        heads.know(parse_head(reply(200, b"", (f"X-{number}", "a"))))

    seen = [heads.of_reply(reply(200, b"", (f"X-{number}", "b"))) for number in range(10)]

    assert [head is UNKNOWN_HEAD for head in seen] == [True] * 2 + [False] * MOST_SHAPES
    assert heads.of_reply(reply(200, b"", ("A", "c" * LONGEST))) is UNKNOWN_HEAD
    assert heads.of_reply(reply(200, b"", *[("A", "c")] * (MOST_LINES + 1))) is UNKNOWN_HEAD


@pytest.mark.parametrize(
    "raw",
    [
        b"HTTP/1.1 200 OK\r\nA : 1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nA: 1\nB: 2\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n",
        b"HTTP/1.1 103 Early Hints\r\n\r\n",
    ],
)
def test_odd_heads_have_no_shape(raw: bytes) -> None:
    """What is unusual is left to the parser."""
    assert shape_of(parse_head(raw), MAX_BODY) is None

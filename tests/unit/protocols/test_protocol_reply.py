"""Reply: a body is parsed once."""

from __future__ import annotations

import json

import pytest

from planrunner.protocols.base import Reply
from planrunner.protocols.received import NOT_JSON, read_json


def reply_with(body: bytes | None) -> Reply:
    reply = Reply()
    reply.body = body
    return reply


def test_body_is_parsed_once_and_again_for_the_next_reply() -> None:
    """Whoever asks second gets the first one's value, until another body arrives."""
    reply = reply_with(b'{"a": 1}')
    calls: list[bytes | None] = []

    def parse(reply: Reply) -> int:
        calls.append(reply.body)
        return len(calls)

    first = [reply.parsed(parse), reply.parsed(parse)]
    reply.body = b'{"a": 2}'
    second = [reply.parsed(parse), reply.parsed(parse)]

    assert (first, second) == ([1, 1], [2, 2])


def test_a_new_head_forgets_what_was_parsed() -> None:
    """Headers and body belong to one reply; either one new makes it another."""
    reply = reply_with(None)

    before = reply.parsed(lambda r: r.head)
    reply.head = b"HTTP/1.1 200 OK\r\n\r\n"

    assert (before, reply.parsed(lambda r: r.head)) == (b"", b"HTTP/1.1 200 OK\r\n\r\n")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32-be"])
def test_json_is_read_in_every_unicode_encoding(encoding: str) -> None:
    """RFC 4627 allowed them all, and servers still send them."""
    assert read_json(reply_with(json.dumps({"ü": 1}).encode(encoding))) == {"ü": 1}


@pytest.mark.parametrize(
    "body", [None, b"", b"<html>", b"{", b'{"a": NaN}', b"\xff\xfe\xfd", b"[" * 100_000]
)
def test_other_bodies_are_not_json(body: bytes | None) -> None:
    """Nothing a server sends raises."""
    assert read_json(reply_with(body)) is NOT_JSON

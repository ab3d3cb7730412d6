"""The names that expressions have after a request."""

from __future__ import annotations

from planrunner.engine.steps.reply_scope import publish_reply
from planrunner.language.expressions.values import UNDEFINED
from planrunner.protocols.base import Reply, Scope


def names_of(body: bytes, *headers: str) -> Scope:
    reply = Reply()
    reply.status, reply.body = 200, body
    reply.head = "\r\n".join(["HTTP/1.1 200 OK", *headers, "", ""]).encode()
    scope: Scope = {}
    publish_reply(reply, scope)
    return scope


def test_body_is_text_in_its_charset() -> None:
    """Content-Type says which; UTF-8 without it, and for a charset nobody knows."""
    assert names_of(b"caf\xe9", "Content-Type: text/plain; charset=latin-1")["body"] == "café"
    assert names_of("café".encode(), "Content-Type: text/plain")["body"] == "café"
    assert names_of("café".encode(), 'Content-Type: text/plain; charset="no"')["body"] == "café"
    assert names_of(b"\xff")["body"] == "\ufffd"


def test_a_body_that_is_no_json_leaves_json_undefined() -> None:
    """Headers are found by any spelling."""
    scope = names_of(b"<p>", "X-Id: 7")

    assert scope["json"] is UNDEFINED
    assert scope["headers"]["X-ID"] == "7"  # type: ignore[index]

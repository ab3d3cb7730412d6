"""Replies of GraphQL: what their body has to be, whatever their status is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from planrunner.protocols.base import Reply, Scope
from planrunner.protocols.http.operation import Header
from planrunner.protocols.http.replies.expect import Expected
from planrunner.protocols.http.spec import RequestKeys
from planrunner.protocols.http.spec_expect import Expect
from planrunner.protocols.json_replies.description import describe_body
from planrunner.protocols.received import read_json
from planrunner.protocols.rules import show

__all__ = ["accept_of", "expecting_data"]

_ACCEPT: Final = Header("Accept", ("application/graphql-response+json, application/json;q=0.9",))
_ACCEPT_EVENTS: Final = Header("Accept", ("text/event-stream",))


def accept_of(spec: RequestKeys) -> Header:
    """Return what a client should ask for. Source: GraphQL over HTTP, and over SSE."""
    return _ACCEPT if spec.stream is None else _ACCEPT_EVENTS


def expecting_data(expected: Expected, expect: Expect | None) -> Expected:
    """Return what is expected with this before it: a reply of GraphQL, and no errors in it."""
    accepts = expect is not None and expect.errors is True
    check, words = (_is_reply, "errors allowed") if accepts else (_has_no_errors, "no errors")
    known = replace(expected, needs_body=True, needs_head=True)
    if not accepts and expect is not None and _is_soft(expect):
        return replace(
            known,
            soft_checks=(check, *expected.soft_checks),
            soft_words=(words, *expected.soft_words),
        )
    status, *others = expected.words
    return replace(known, checks=(check, *expected.checks), words=(status, words, *others))


def _is_soft(expect: Expect) -> bool:
    """Say whether errors only warn: the plan speaks of them, and not of all that it expects."""
    return expect.is_soft("errors") and (expect.errors is False or expect.soft is not True)


def _is_reply(reply: Reply, _: Scope) -> str | None:
    data = reply.parsed(read_json)
    if isinstance(data, dict) and ("data" in data or "errors" in data):
        return None
    return f"{describe_body(reply)}, expected `data` or `errors` as GraphQL has them"


def _has_no_errors(reply: Reply, scope: Scope) -> str | None:
    if (wrong := _is_reply(reply, scope)) is not None:
        return wrong
    errors = reply.parsed(read_json).get("errors")
    if not errors:
        return None
    first = errors[0] if isinstance(errors, list) else errors
    more = f", and {len(errors) - 1} more" if isinstance(errors, list) and errors[1:] else ""
    return f"errors: {_in_words(first)}{more}"


def _in_words(error: Any) -> str:  # noqa: ANN401 - JSON
    """Return an error's message and where in the reply it is about; a long one by its size.

    It is never cut: half a secret would not be recognised by what masks secrets.
    """
    if not isinstance(error, Mapping) or not isinstance(message := error.get("message"), str):
        return show(error)
    path = error.get("path")
    at = f" at {'.'.join(map(str, path))}" if isinstance(path, list) and path else ""
    return f"{message if len(message) <= _LONGEST else show(message)}{at}"


_LONGEST: Final = 300

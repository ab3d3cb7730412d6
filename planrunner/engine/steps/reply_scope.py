"""The names an expression has after a request: `status`, `headers`, `body` and `json`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from planrunner.language.expressions.values import UNDEFINED
from planrunner.protocols.base import Reply, Scope
from planrunner.protocols.received import NOT_JSON, Received, read_json, read_text

__all__ = ["REPLY_NAMES", "headers_of", "publish_reply"]

OwnNames = Sequence[tuple[str, Callable[[Reply], object]]]

REPLY_NAMES: Final = ("status", "headers", "body", "json")


def publish_reply(reply: Reply, scope: Scope, own: OwnNames = ()) -> None:
    """Put the reply's names into the scope; what it doesn't have is undefined.

    `own` are those that its protocol gives besides, each with what reads it.
    """
    scope["status"] = reply.status
    scope["headers"] = reply.parsed(headers_of)
    scope["body"] = reply.parsed(read_text)
    data = reply.parsed(read_json)
    scope["json"] = UNDEFINED if data is NOT_JSON else data
    for name, read in own:
        scope[name] = read(reply)


class _Headers(dict[str, str]):
    """Header values by name in lower case; looking one up doesn't mind the case."""

    def __missing__(self, name: str) -> str:
        lower = name.lower()
        if lower == name:
            raise KeyError(name)
        return self[lower]


def headers_of(reply: Received) -> Mapping[str, str]:
    """Return the headers of a reply by name; looking one up doesn't mind the case."""
    headers = _Headers()
    for line in reply.head.decode("latin-1").split("\r\n")[1:]:
        name, separator, value = line.partition(":")
        if separator:
            headers.setdefault(name.strip().lower(), value.strip())
    return headers

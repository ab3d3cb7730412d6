"""What a call was answered with: the message itself, and as data for expressions and JSONPath."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, TypeVar, cast

from planrunner.protocols.base import Reply
from planrunner.protocols.received import NOT_JSON, read_json, read_text

__all__ = ["GrpcReply", "events_of", "last_event"]

T = TypeVar("T")


class GrpcReply(Reply):
    """A reply with the message that came last; None when none did.

    Its JSON is the message as data, which is made when it is first asked for.
    """

    __slots__ = ("_data", "_data_of", "message", "read")

    message: Any
    read: Callable[[Any], Any]

    def __init__(self) -> None:
        super().__init__()
        self.message = None
        self.read = dict
        self._data: Any = None
        self._data_of: object = None

    def data(self) -> Any:  # noqa: ANN401 - JSON
        """Return the message as data; `NOT_JSON` when there is none."""
        message = self.message
        if message is None:
            return NOT_JSON
        if self._data_of is not message:
            self._data, self._data_of = self.read(message), message
        return self._data

    def text(self) -> str:
        """Return the message as JSON, for people; empty when there is none."""
        data = self.data()
        return "" if data is NOT_JSON else json.dumps(data, ensure_ascii=False, indent=2)

    def as_bytes(self) -> bytes | None:
        """Return the message as JSON that is sent on: to functions, which keep it."""
        data = self.data()
        return None if data is NOT_JSON else json.dumps(data, ensure_ascii=False).encode()

    def parsed(self, parse: Callable[[Reply], T]) -> T:
        if cast("object", parse) is read_json:
            return cast("T", self.data())
        if cast("object", parse) is read_text:
            return cast("T", (self.as_bytes() or b"").decode())
        return parse(self)


def events_of(reply: Reply) -> int:
    """Return how many messages came."""
    return 0 if reply.arrivals is None else reply.arrivals.count


def last_event(reply: Reply) -> object:
    """Return the last message of a stream as data; None when none came."""
    data = cast("GrpcReply", reply).data()
    return None if data is NOT_JSON else data

"""What a function gets for a request; the session uses its own reply again for the next one."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from planrunner.engine.steps.reply_scope import headers_of
from planrunner.protocols.base import Reply
from planrunner.protocols.received import NOT_JSON, read_json, read_text
from planrunner.units import NS_PER_US

__all__ = ["FunctionReply"]


class FunctionReply:
    """A reply, and what became of its request; see `planrunner.UserReply`."""

    __slots__ = ("_json", "_names", "_took_ns", "body", "failure", "head", "name", "status")

    def __init__(
        self, reply: Reply, failure: str, name: str, names: Mapping[str, object] | None = None
    ) -> None:
        self.status = reply.status
        self.failure = failure
        self.name = name
        self.body = reply.body or b""
        self.head = reply.head
        self._took_ns = reply.ended_ns - reply.asked_ns
        self._json: object
        self._names = names  # most have none, and `_json` comes when it is read

    @property
    def ok(self) -> bool:
        return not self.failure

    @property
    def text(self) -> str:
        return read_text(self)

    @property
    def json(self) -> Any:  # noqa: ANN401 - JSON
        try:
            found = self._json
        except AttributeError:
            found = self._json = read_json(self)
        if found is NOT_JSON:
            raise ValueError(f"the reply to `{self.name}` is not JSON ({_begin(self.text)})")
        return found

    @property
    def headers(self) -> Mapping[str, str]:
        return headers_of(self)

    @property
    def elapsed(self) -> timedelta:
        return timedelta(microseconds=self._took_ns / NS_PER_US)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - as the protocol gives it
        """Return what replies have in the protocol of the request, such as `kvs`."""
        if self._names is None or name not in self._names:
            raise AttributeError(f"the reply to `{self.name}` has no `{name}`")
        return self._names[name]

    def __repr__(self) -> str:
        return f"<Reply to {self.name}: {self.status}{f' {self.failure}' if self.failure else ''}>"


def _begin(text: str) -> str:
    return f"it begins with `{text[:40]}`" if text else "its body is empty"

"""What is left of a reply when its session has another one."""

from __future__ import annotations

from typing import Protocol

__all__ = ["Received"]


class Received(Protocol):
    """What has the head and the body of a reply."""

    @property
    def head(self) -> bytes: ...
    @property
    def body(self) -> bytes | None: ...

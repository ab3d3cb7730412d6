"""What frames are (RFC 6455 §5.2), as picows gives them: the same objects compare fastest."""

from __future__ import annotations

from typing import Any, Final

from picows import WSMsgType

__all__ = ["BINARY", "CLOSE", "CONTINUATION", "PING", "PONG", "TEXT"]

CONTINUATION: Final[Any] = WSMsgType.CONTINUATION
TEXT: Final[Any] = WSMsgType.TEXT
BINARY: Final[Any] = WSMsgType.BINARY
CLOSE: Final[Any] = WSMsgType.CLOSE
PING: Final[Any] = WSMsgType.PING
PONG: Final[Any] = WSMsgType.PONG

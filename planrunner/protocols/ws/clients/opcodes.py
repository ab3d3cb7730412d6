"""What frames are, by number (RFC 6455 §5.2): picows takes and gives whole numbers."""

from __future__ import annotations

from typing import Final

__all__ = ["BINARY", "CLOSE", "CONTINUATION", "PING", "PONG", "TEXT"]

CONTINUATION: Final = 0x0
TEXT: Final = 0x1
BINARY: Final = 0x2
CLOSE: Final = 0x8
PING: Final = 0x9
PONG: Final = 0xA

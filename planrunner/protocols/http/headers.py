"""What single headers of a request mean to those who send it."""

from __future__ import annotations

from typing import Final

from planrunner.late_pattern import late_pattern

__all__ = ["FRAMING", "FRAMING_HINT", "asks_to_close"]

FRAMING: Final = frozenset({"content-length", "transfer-encoding"})
"""What says where a request ends, in lower case: the client's business alone."""

FRAMING_HINT: Final = "leave it out; each request is sent with the `Content-Length` of its body"

_CLOSES: Final = late_pattern(r"(?i)(?:^|,)[ \t]*close[ \t]*(?:,|$)")


def asks_to_close(connection: str) -> bool:
    """Say whether a value of `Connection` ends the connection after the reply."""
    return _CLOSES.search(connection) is not None

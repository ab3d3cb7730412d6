"""gRPC's status codes by number, for every protocol that rides on it.

Source: gRPC, "Status codes and their use in gRPC".
"""

from __future__ import annotations

from typing import Final

__all__ = ["CODES", "code_name"]

CODES: Final = (
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
)
"""Each at the place of its number."""


def code_name(status: int) -> str:
    """Return the name of a code; a number that is none stays a number."""
    return CODES[status] if 0 <= status < len(CODES) else str(status)

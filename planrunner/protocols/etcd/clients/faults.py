"""gRPC's errors in the words of planrunner."""

from __future__ import annotations

from typing import Any, Final

from planrunner.protocols.base import FailureKind
from planrunner.protocols.over_grpc.failures import LATE, NOT_SENT, briefly, unavailable_kind
from planrunner.protocols.over_grpc.network import grpc

__all__ = ["FAIL_OVER", "is_stale_token", "map_failure", "was_not_sent"]

FAIL_OVER: Final = frozenset(
    {
        FailureKind.DNS,
        FailureKind.CONNECT,
        FailureKind.TLS,
        FailureKind.RESET,
        FailureKind.UNAVAILABLE,
    }
)
"""Kinds after which the next request goes to the next endpoint."""

_CODE: Final = grpc.StatusCode
_KINDS: Final = {
    _CODE.DEADLINE_EXCEEDED: FailureKind.TIMEOUT,
    _CODE.PERMISSION_DENIED: FailureKind.PERMISSION,
    _CODE.UNAUTHENTICATED: FailureKind.PERMISSION,
    _CODE.FAILED_PRECONDITION: FailureKind.PRECONDITION,
    _CODE.OUT_OF_RANGE: FailureKind.PRECONDITION,  # of a revision that was compacted
    _CODE.NOT_FOUND: FailureKind.PRECONDITION,  # of a lease
    _CODE.CANCELLED: FailureKind.RESET,
    _CODE.INTERNAL: FailureKind.PROTOCOL,
    _CODE.UNIMPLEMENTED: FailureKind.PROTOCOL,
}

_STALE: Final = ("invalid auth token", "revision of auth store is old")
_NO_USER: Final = ("user name is empty", "authentication failed")


def map_failure(error: grpc.aio.AioRpcError) -> tuple[FailureKind, int, str]:
    """Return the kind of a failed call, its gRPC code, and a message for people."""
    code, details = error.code(), (error.details() or "").strip()
    if code is _CODE.UNKNOWN and "deadline exceeded" in details:
        code = _CODE.DEADLINE_EXCEEDED  # the member noticed first, and has no better word for it
    words = LATE if code is _CODE.DEADLINE_EXCEEDED else briefly(details)
    return _kind(code, details.lower()), int(code.value[0]), f"{code.name}: {words or 'no message'}"


def _kind(code: Any, words: str) -> FailureKind:  # noqa: ANN401 - grpc has no types
    if code is _CODE.UNAVAILABLE:
        return unavailable_kind(words)
    if code is _CODE.INVALID_ARGUMENT and any(sign in words for sign in _NO_USER):
        return FailureKind.PERMISSION
    return _KINDS.get(code, FailureKind.STATUS)


def was_not_sent(kind: FailureKind) -> bool:
    """Say whether the request can't have reached a member, so that another may be asked."""
    return kind in NOT_SENT


def is_stale_token(error: grpc.aio.AioRpcError) -> bool:
    """Say whether a new token would help: the old one has expired, or users were changed."""
    words = (error.details() or "").lower()
    return any(sign in words for sign in _STALE)

"""gRPC's errors in the words of planrunner."""

from __future__ import annotations

import re
from typing import Any, Final

from planrunner.protocols.base import FailureKind
from planrunner.protocols.etcd.network import grpc

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

_NOT_SENT: Final = frozenset({FailureKind.DNS, FailureKind.CONNECT, FailureKind.TLS})

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

# gRPC says UNAVAILABLE whatever is wrong with the connection; only the words say more. In this
# order: a failed handshake is also a failure to connect.
_WORDS: Final = (
    (("dns resolution", "name resolution", "domain name"), FailureKind.DNS),
    (
        ("ssl", "tls", "handshake", "certificate", "verification check", "unwrap failed"),
        FailureKind.TLS,
    ),
    (("failed to connect", "connection refused", "connect failed"), FailureKind.CONNECT),
    (("socket closed", "reset by peer", "broken pipe", "goaway", "recvmsg"), FailureKind.RESET),
)

_PREAMBLE: Final = re.compile(
    r"failed to connect to all addresses; last error: [A-Z_]+: (?:ipv[46]:|unix:)?"
)
_REMOVED: Final = re.compile(r"Stream removed \((.+)\)")
_LATE: Final = "no reply within the timeout"

_STALE: Final = ("invalid auth token", "revision of auth store is old")
_NO_USER: Final = ("user name is empty", "authentication failed")


def map_failure(error: grpc.aio.AioRpcError) -> tuple[FailureKind, int, str]:
    """Return the kind of a failed call, its gRPC code, and a message for people."""
    code, details = error.code(), (error.details() or "").strip()
    if code is _CODE.UNKNOWN and "deadline exceeded" in details:
        code = _CODE.DEADLINE_EXCEEDED  # the member noticed first, and has no better word for it
    # Member, stream and call each have words of their own for it.
    words = _LATE if code is _CODE.DEADLINE_EXCEEDED else _briefly(details)
    return _kind(code, details.lower()), int(code.value[0]), f"{code.name}: {words or 'no message'}"


def _briefly(details: str) -> str:
    """Leave out what gRPC says of its own insides."""
    removed = _REMOVED.fullmatch(details)
    return removed[1] if removed else _PREAMBLE.sub("", details)


def _kind(code: Any, words: str) -> FailureKind:  # noqa: ANN401 - grpc has no types
    if code is _CODE.UNAVAILABLE:
        for signs, kind in _WORDS:
            if any(sign in words for sign in signs):
                return kind
        return FailureKind.UNAVAILABLE
    if code is _CODE.INVALID_ARGUMENT and any(sign in words for sign in _NO_USER):
        return FailureKind.PERMISSION
    return _KINDS.get(code, FailureKind.STATUS)


def was_not_sent(kind: FailureKind) -> bool:
    """Say whether the request can't have reached a member, so that another may be asked."""
    return kind in _NOT_SENT


def is_stale_token(error: grpc.aio.AioRpcError) -> bool:
    """Say whether a new token would help: the old one has expired, or users were changed."""
    words = (error.details() or "").lower()
    return any(sign in words for sign in _STALE)

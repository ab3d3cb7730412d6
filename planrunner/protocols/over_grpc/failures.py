"""What gRPC's words say of a call that failed."""

from __future__ import annotations

import re
from typing import Final

from planrunner.protocols.base import FailureKind

__all__ = ["LATE", "NOT_SENT", "briefly", "unavailable_kind"]

LATE: Final = "no reply within the timeout"
"""Server, stream and call each have words of their own for it."""

NOT_SENT: Final = frozenset({FailureKind.DNS, FailureKind.CONNECT, FailureKind.TLS})
"""Kinds of failures after which the call can't have reached a server."""

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

_REFUSED_LATE: Final = "secure read failed"
"""TLS 1.3 lets a client finish its handshake before the server refuses its certificate."""

_PREAMBLE: Final = re.compile(
    r"failed to connect to all addresses; last error: [A-Z_]+: (?:ipv[46]:|unix:)?"
)
_REMOVED: Final = re.compile(r"Stream removed \((.+)\)")


def unavailable_kind(details: str) -> FailureKind:
    """Return what the code UNAVAILABLE means, given the details of the call."""
    words = details.lower()
    if _REFUSED_LATE in words and "failed to connect" in words:
        return FailureKind.TLS
    for signs, kind in _WORDS:
        if any(sign in words for sign in signs):
            return kind
    return FailureKind.UNAVAILABLE


def briefly(details: str) -> str:
    """Leave out what gRPC says of its own insides."""
    removed = _REMOVED.fullmatch(details)
    return removed[1] if removed else _PREAMBLE.sub("", details)

"""What can go wrong on the wire, and which failure kind each foreign exception is."""

from __future__ import annotations

import os
import socket
import ssl
from typing import Final

from planrunner.protocols.base import FailureKind

__all__ = ["WireFault", "map_connect_failure", "map_loss", "map_tls_failure"]


class WireFault(Exception):  # noqa: N818 - a failed request is data; this carries it to the reply
    """One request failed.

    Attributes:
        kind: Which failure it is.
        detail: What failed, in words.
        is_stale: True when a reused connection closed before any byte of a reply came: the usual
            race with a server's keep-alive timeout, and no reason to fail a request.
        is_refused: The server has said that it did nothing: whatever it was may be sent again.
    """

    def __init__(
        self,
        kind: FailureKind,
        detail: str,
        *,
        is_stale: bool = False,
        is_refused: bool = False,
    ) -> None:
        super().__init__(detail)
        self.kind: Final = kind
        self.detail: Final = detail
        self.is_stale: Final = is_stale
        self.is_refused: Final = is_refused


def map_connect_failure(fault: OSError, host: str) -> WireFault:
    """Return the failure that a lookup or a TCP connect ended with."""
    if isinstance(fault, socket.gaierror):
        return WireFault(FailureKind.DNS, f"`{host}` cannot be resolved: {_words(fault)}")
    return WireFault(FailureKind.CONNECT, f"cannot connect to `{host}`: {_words(fault)}")


def map_tls_failure(fault: OSError, host: str) -> WireFault:
    """Return the failure that a TLS handshake ended with."""
    if isinstance(fault, ssl.SSLCertVerificationError):
        why = f"certificate refused: {fault.verify_message}"
    elif isinstance(fault, ssl.SSLError):
        why = _words(fault)
    else:
        why = f"the server closed the connection ({_words(fault)})"
    return WireFault(FailureKind.TLS, f"TLS handshake with `{host}` failed: {why}")


def map_loss(fault: Exception | None, when: str, *, is_stale: bool) -> WireFault:
    """Return the failure of a connection that ended in the middle of an exchange."""
    if isinstance(fault, ssl.SSLError):
        return WireFault(FailureKind.TLS, f"TLS failed {when}: {_words(fault)}")
    how = "the server closed the connection" if fault is None else _words(fault)
    return WireFault(FailureKind.RESET, f"{how} {when}", is_stale=is_stale)


def _words(fault: Exception) -> str:
    if isinstance(fault, ssl.SSLError) and fault.reason:
        return fault.reason.lower().replace("_", " ")
    if isinstance(fault, OSError) and fault.strerror:
        # asyncio puts an address in the place of the system's words for a number of the system.
        number = 0 if isinstance(fault, ssl.SSLError) else fault.errno or 0
        return (os.strerror(number) if number > 0 else fault.strerror).lower()
    return str(fault).lower() or type(fault).__name__

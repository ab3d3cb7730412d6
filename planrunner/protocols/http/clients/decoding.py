"""A reply's body, decoded: what every client does alike once it is complete."""

from __future__ import annotations

from collections.abc import Callable

from planrunner.protocols.base import FailureKind
from planrunner.protocols.http.clients.fault import WireFault
from planrunner.protocols.http.clients.kept_bodies import KeptBodies
from planrunner.protocols.http.content import (
    BodyTooLarge,
    BrokenContent,
    DecodingTooSlow,
    decode_content,
)

__all__ = ["decode_body"]


def decode_body(
    content: bytes, encoding: str, *, limit: int, kept: KeptBodies, is_late: Callable[[], bool]
) -> bytes:
    """Undo a reply's Content-Encoding, given in lower case, as long as the request has time.

    Raises:
        WireFault: With the kind too_large, protocol or timeout.
    """
    room = kept.room + len(content)  # which was counted when it came
    try:
        decoded = decode_content(content, encoding, limit=min(limit, room), is_late=is_late)
        kept.hold(max(len(decoded) - len(content), 0))
        return decoded
    except BodyTooLarge as fault:
        if room < limit:
            raise kept.fault() from fault
        raise WireFault(FailureKind.TOO_LARGE, fault.message) from fault
    except BrokenContent as fault:
        raise WireFault(FailureKind.PROTOCOL, fault.message) from fault
    except DecodingTooSlow as fault:
        raise WireFault(FailureKind.TIMEOUT, fault.message) from fault

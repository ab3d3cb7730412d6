"""Whether the target is there before any load is sent: one TCP connect, no request."""

from __future__ import annotations

import asyncio
import socket

from planrunner.errors import CannotRun
from planrunner.protocols.plugin import Reach

__all__ = ["check_reachable"]

CONNECT_TIMEOUT_S = 10.0


async def check_reachable(reach: Reach) -> None:
    """Connect to the addresses one after the other until one accepts, and close.

    Raises:
        CannotRun: None of them does.
    """
    failed: OSError | None = None
    for host, port in reach.addresses:
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                _, writer = await asyncio.open_connection(host, port)
        except UnicodeError:  # a part of the name is empty, or longer than 63 characters
            failed = socket.gaierror(socket.EAI_NONAME, "it can't be a host's name")
        except OSError as error:
            failed = error
        else:
            writer.close()
            return
    raise _nobody(reach, failed) from failed


def _nobody(reach: Reach, failed: OSError | None) -> CannotRun:
    if len(reach.addresses) > 1 or failed is None:
        return CannotRun(f"{reach.nobody} answers at {reach.shown}", hint=reach.hint)
    if isinstance(failed, socket.gaierror):
        hint = reach.unresolved_hint or reach.hint
        return CannotRun(f"cannot resolve the host of {reach.shown}", hint=hint)
    reason = "no answer" if isinstance(failed, TimeoutError) else failed.strerror or str(failed)
    if isinstance(failed, ConnectionRefusedError):
        reason = "connection refused"
    return CannotRun(f"{reach.nobody} answers at {reach.shown}: {reason}", hint=reach.hint)

"""Whether the target is there before any load is sent: one TCP connect, no request."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Sequence

from planrunner.errors import CannotRun
from planrunner.protocols.plugin import Reach

__all__ = ["check_own", "check_reachable"]

CONNECT_TIMEOUT_S = 10.0


def check_own(address: str, place: str) -> None:
    """Say whether this machine has an address that the plan connects from.

    Args:
        address: It.
        place: Where the plan names it.

    Raises:
        CannotRun: It hasn't.
    """
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.bind((address, 0))
    except OSError as fault:
        raise CannotRun(
            f"{place}: the address `{address}` isn't one of this machine",
            hint=f"give it to an interface, or take it out of the plan ({fault.strerror})",
        ) from fault


async def check_reachable(reach: Reach) -> None:
    """Connect to the addresses one after the other until one accepts, and close.

    Raises:
        CannotRun: None of them does.
    """
    failed: OSError | None = None
    for host, port in reach.addresses:
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                writer = await _connect(host, port, reach.sources)
        except UnicodeError:  # a part of the name is empty, or longer than 63 characters
            failed = socket.gaierror(socket.EAI_NONAME, "it can't be a host's name")
        except OSError as error:
            failed = error
        else:
            writer.close()
            return
    raise _nobody(reach, failed) from failed


async def _connect(host: str, port: int, sources: Sequence[str]) -> asyncio.StreamWriter:
    """Connect from one of the sources, if there are any: only they may be let in."""
    if not sources:
        return (await asyncio.open_connection(host, port))[1]
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    failed = OSError("none of the addresses to connect from is of its family")
    for family, *_, address in found:
        is_ipv6 = family == socket.AF_INET6
        source = next((each for each in sources if (":" in each) == is_ipv6), None)
        if source is not None:
            try:
                opened = asyncio.open_connection(str(address[0]), port, local_addr=(source, 0))
                return (await opened)[1]
            except OSError as refused:
                failed = refused
    raise failed


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

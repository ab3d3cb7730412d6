"""Whether the target is there before any load is sent: one TCP connect, no request."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Sequence
from urllib.parse import urlsplit

from planrunner.errors import CannotRun

__all__ = ["check_any_reachable", "check_reachable"]

CONNECT_TIMEOUT_S = 10.0


async def check_reachable(base_url: str, hosts: dict[str, str] | None = None) -> None:
    """Connect to the host and port of `base_url` once, and close.

    Args:
        base_url: An http or https URL.
        hosts: Addresses to use instead of asking the resolver, by host name.

    Raises:
        CannotRun: The name does not resolve, or nothing accepts the connection.
    """
    parts = urlsplit(base_url)
    host = parts.hostname or ""
    port = parts.port or (443 if parts.scheme == "https" else 80)
    address = (hosts or {}).get(host, host)
    try:
        async with asyncio.timeout(CONNECT_TIMEOUT_S):
            _, writer = await asyncio.open_connection(address, port)
    except socket.gaierror as error:
        raise CannotRun(
            f"cannot resolve the host of `{base_url}`", hint="check `http.base_url`"
        ) from error
    except OSError as error:
        reason = "no answer" if isinstance(error, TimeoutError) else error.strerror or str(error)
        if isinstance(error, ConnectionRefusedError):
            reason = "connection refused"
        raise CannotRun(
            f"nothing answers at `{base_url}`: {reason}",
            hint="start the target, or point `http.base_url` at it; nothing was sent",
        ) from error
    writer.close()


async def check_any_reachable(endpoints: Sequence[str]) -> None:
    """Connect to the members of a cluster until one accepts, and close.

    Raises:
        CannotRun: None of them does.
    """
    for endpoint in endpoints:
        host, _, port = endpoint.rpartition(":")
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                _, writer = await asyncio.open_connection(host.strip("[]"), int(port))
        except OSError:
            continue
        writer.close()
        return
    raise CannotRun(
        f"no etcd answers at {', '.join(f'`{endpoint}`' for endpoint in endpoints)}",
        hint="start it, or correct `etcd.endpoints`; nothing was sent",
    )

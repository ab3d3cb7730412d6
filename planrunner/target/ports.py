"""TCP ports of this machine: free ones, and the processes that use the others."""

from __future__ import annotations

import socket
from contextlib import suppress

__all__ = ["free_port", "holder_of", "is_taken"]

_SHOWN = 60


def free_port(host: str = "127.0.0.1") -> int:
    """Return a TCP port that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
        return port


def is_taken(port: int) -> bool:
    """Say whether something on this machine listens on `port`."""
    for family, host in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
        with suppress(OSError), socket.socket(family) as probe:
            probe.settimeout(1)
            if probe.connect_ex((host, port)) == 0:
                return True
    return False


def holder_of(port: int) -> str:
    """Say which process listens on `port`, as far as this user may know."""
    import psutil  # noqa: PLC0415 - only a refusal asks

    with suppress(psutil.Error):
        for connection in psutil.net_connections("tcp"):
            if (
                connection.status != psutil.CONN_LISTEN
                or getattr(connection.laddr, "port", 0) != port
            ):
                continue
            if connection.pid is None:
                break
            process = psutil.Process(connection.pid)
            command = " ".join(process.cmdline()) or process.name()
            shown = command if len(command) <= _SHOWN else command[: _SHOWN - 1] + "…"
            return f"`{shown}` (pid {connection.pid})"
    return "a process of another user"

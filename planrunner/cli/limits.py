"""What the operating system allows: enough file descriptors for the users of a plan."""

from __future__ import annotations

import sys
from contextlib import suppress

from planrunner.errors import CannotRun

__all__ = ["need_descriptors"]

# Python, the event loop, sample files, reports and the resolver's sockets.
_OWN_DESCRIPTORS = 64


def need_descriptors(connections: int) -> None:
    """Raise the soft limit of open files so that `connections` sockets fit.

    Raises:
        CannotRun: The hard limit is too low.
    """
    if sys.platform == "win32":
        return
    import resource  # noqa: PLC0415 - not on Windows

    wanted = connections + _OWN_DESCRIPTORS
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return
    if hard == resource.RLIM_INFINITY or hard >= wanted:
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
            return
    raise CannotRun(
        f"{connections:,} users need {wanted:,} open files, and this process may have {hard:,}",
        hint=f"raise the limit (`ulimit -n {wanted}`) or run fewer users",
    )

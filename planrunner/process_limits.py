"""What the system lets a process have: processors, open files and ports."""

from __future__ import annotations

import os
import re
import sys
from contextlib import suppress
from pathlib import Path
from typing import Final

__all__ = ["available_processors", "local_ports", "open_files"]

_PORT_RANGE: Final = Path("/proc/sys/net/ipv4/ip_local_port_range")


def available_processors() -> int:
    """Return how many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def open_files() -> tuple[int, int]:
    """Return how many files a process may have open, now and at most; 0 where there is no limit."""
    if sys.platform == "win32":
        return 0, 0
    import resource  # noqa: PLC0415 - not on Windows

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    endless = resource.RLIM_INFINITY
    return 0 if soft == endless else soft, 0 if hard == endless else hard


def local_ports() -> int:
    """Return how many connections to one address there can be at a time; 0 where unknown."""
    with suppress(OSError, ValueError):
        first, last = map(int, re.findall(r"\d+", _PORT_RANGE.read_text("ascii")))
        return last - first + 1
    return 0

"""What the system lets a process have: processors, and open files."""

from __future__ import annotations

import os
import sys

__all__ = ["available_processors", "open_files"]


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

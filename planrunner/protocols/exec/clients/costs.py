"""What a command costs that does nothing: shown beside figures, and never subtracted."""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from typing import Final

from planrunner.protocols.exec.clients.process import time_of
from planrunner.timing.spread import median

__all__ = ["empty_ns"]

_NOTHING: Final = "true"
"""The command that POSIX has for it."""

_ROUNDS: Final = 31


def empty_ns() -> int | None:
    """Return what starting a command takes that ends at once, and noticing that.

    Returns:
        The median; None where the system has no such command.
    """
    program = shutil.which(_NOTHING)
    if program is None:
        return None
    here = Path.cwd()
    taken = [time_of((program,), now=time.perf_counter_ns, directory=here) for _ in range(_ROUNDS)]
    return round(median(taken))

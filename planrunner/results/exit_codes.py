"""What a run, and the process with it, ends with; the same numbers in docs/reference/exit-codes.md.

The code of a run stands in its metrics.json.
"""

from __future__ import annotations

from enum import IntEnum

__all__ = ["ExitCode"]


class ExitCode(IntEnum):
    """After a whole run NOT_VALID outranks THRESHOLD_FAILED; the others end where they happen."""

    OK = 0
    THRESHOLD_FAILED = 1
    PLAN_INVALID = 2
    CANNOT_RUN = 3
    ABORTED_BY_THRESHOLD = 4
    NOT_VALID = 5
    INTERNAL_ERROR = 70
    INTERRUPTED = 130

"""What the process ends with; the same numbers in docs/reference/exit-codes.md."""

from __future__ import annotations

from enum import IntEnum

from planrunner.errors import CannotRun, PlanrunnerError, UsageError
from planrunner.language.diagnostics import PlanError

__all__ = ["ExitCode", "exit_code_of"]


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


def exit_code_of(error: PlanrunnerError) -> ExitCode:
    """Return the code that an error on the way ends the process with."""
    if isinstance(error, PlanError | UsageError):
        return ExitCode.PLAN_INVALID
    if isinstance(error, CannotRun):
        return ExitCode.CANNOT_RUN
    return ExitCode.INTERNAL_ERROR

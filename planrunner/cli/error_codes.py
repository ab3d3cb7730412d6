"""Which exit code an error that ends a command stands for."""

from __future__ import annotations

from planrunner.errors import CannotRun, Interrupted, PlanrunnerError, UsageError
from planrunner.language.diagnostics import PlanError
from planrunner.results.exit_codes import ExitCode

__all__ = ["exit_code_of"]


def exit_code_of(error: PlanrunnerError) -> ExitCode:
    """Return the code that an error on the way ends the process with."""
    if isinstance(error, PlanError | UsageError):
        return ExitCode.PLAN_INVALID
    if isinstance(error, CannotRun):
        return ExitCode.CANNOT_RUN
    if isinstance(error, Interrupted):
        return ExitCode.INTERRUPTED
    return ExitCode.INTERNAL_ERROR

"""What a run, and the process with it, ends with; the same numbers in docs/reference/exit-codes.md.

The code of a run stands in its metrics.json.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum
from typing import Final

from planrunner.errors import (
    CannotRun,
    Interrupted,
    PackageMissing,
    PlanrunnerError,
    UsageError,
)
from planrunner.language.diagnostics import PlanError

__all__ = ["WHOLE", "ExitCode", "code_of_error", "worst"]


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


WHOLE: Final = frozenset({ExitCode.OK, ExitCode.THRESHOLD_FAILED, ExitCode.NOT_VALID})
"""Codes of runs that took place as planned: only these have figures to compare."""

_BY_WEIGHT: Final = (
    ExitCode.OK,
    ExitCode.THRESHOLD_FAILED,
    ExitCode.NOT_VALID,
    ExitCode.ABORTED_BY_THRESHOLD,
    ExitCode.CANNOT_RUN,
    ExitCode.PLAN_INVALID,
    ExitCode.INTERNAL_ERROR,
    ExitCode.INTERRUPTED,
)
"""What the target did comes before what is wrong around it: less was learnt with each."""


def code_of_error(error: PlanrunnerError) -> ExitCode:
    """Return the code of a command, or of a plan of several, that an error has ended."""
    match error:
        case PlanError() | UsageError() | PackageMissing():
            return ExitCode.PLAN_INVALID
        case CannotRun():
            return ExitCode.CANNOT_RUN
        case Interrupted():
            return ExitCode.INTERRUPTED
        case _:
            return ExitCode.INTERNAL_ERROR


def worst(codes: Iterable[int]) -> int:
    """Return the code that stands for several runs; 0 for none."""
    return max(codes, key=_BY_WEIGHT.index, default=ExitCode.OK)

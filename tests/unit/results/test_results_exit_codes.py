"""Exit codes: one table for a command and for each plan of several."""

from __future__ import annotations

import pytest

from planrunner.errors import (
    CannotRun,
    Interrupted,
    PackageMissing,
    PlanrunnerError,
    UsageError,
)
from planrunner.language.diagnostics import PlanError
from planrunner.results.exit_codes import code_of_error


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (PlanError([]), 2),
        (UsageError("no such file"), 2),
        (PackageMissing("`css` needs lxml"), 2),
        (CannotRun("nothing answers"), 3),
        (Interrupted("interrupted"), 130),
        (PlanrunnerError("something else"), 70),
    ],
)
def test_an_error_has_one_code(error: PlanrunnerError, code: int) -> None:
    """A package that a plan lacks is a fault of the plan, in a suite too."""
    assert code_of_error(error) == code

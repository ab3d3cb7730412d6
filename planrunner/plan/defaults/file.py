"""Which file of defaults a plan has."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from planrunner.language.diagnostics import Code, Diagnostic, PlanError, Span

__all__ = [
    "DEFAULTS_FILE",
    "NO_DEFAULTS",
    "defaults_of",
    "is_defaults",
    "no_plan",
    "without_defaults",
]

DEFAULTS_FILE: Final = "planrunner.yaml"

NO_DEFAULTS: Final = "none"
"""In place of a file: the plan stands alone."""


def is_defaults(path: str | Path) -> bool:
    """Say whether a file has the name of one with defaults, and so is no plan."""
    return Path(path).name == DEFAULTS_FILE


def without_defaults(plans: Sequence[Path]) -> Sequence[Path]:
    """Return the plans that are plans, of what `plans/*.yaml` brought; alone, the file stays."""
    return [path for path in plans if not is_defaults(path)] or plans


def no_plan(file: str) -> PlanError:
    """Return the fault of a file of defaults that is named as a plan."""
    message = f"`{file}` is not a plan: it holds defaults for the plans beside it"
    hint = f"name a plan, or give this one another name than {DEFAULTS_FILE}"
    return PlanError([Diagnostic(Span(file, 1, 1, 1, 1), Code.NOT_ALLOWED, message, hint)])


def defaults_of(plan: str, wanted: str | None) -> str:
    """Return the file with the defaults of a plan, empty when it has none.

    Args:
        plan: Its file.
        wanted: What is asked for; None for the file beside the plan, if there is one.
    """
    if wanted is not None:
        return "" if wanted == NO_DEFAULTS else wanted
    beside = Path(plan).parent / DEFAULTS_FILE
    return str(beside) if beside.is_file() else ""

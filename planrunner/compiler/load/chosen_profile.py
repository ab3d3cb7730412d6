"""Which profile of a plan runs, and why."""

from __future__ import annotations

from planrunner.compiler.compilation import Compilation
from planrunner.compiler.load.unknown_choice import unknown_choice
from planrunner.plan.loader import CheckedPlan

__all__ = ["choose_profile"]


def choose_profile(work: Compilation, plan: CheckedPlan, wanted: str | None) -> tuple[str, str]:
    """Return the profile that runs, and why that one; empty for a plan without profiles.

    | from                                   | when                             |
    |----------------------------------------|----------------------------------|
    | `--profile`                            | it is given                      |
    | the environment that `--env` picks     | its block says `profile: NAME`   |
    | the plan                               | else: its first                  |
    """
    names = plan.model.profile_names()
    if wanted is not None and wanted not in names:
        work.faults.append(unknown_choice("--profile", "profile", wanted, names))
    if wanted is not None and wanted in names:
        return wanted, "--profile"
    if plan.profile is not None and plan.profile in names:
        return plan.profile, f"environment {plan.sources.environment}"
    return next(iter(names), ""), "the first" if names else ""

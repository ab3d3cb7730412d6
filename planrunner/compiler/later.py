"""What is right in a plan and can't run yet: its names are checked all the same."""

from __future__ import annotations

from typing import Final

from planrunner.compiler.compilation import Compilation
from planrunner.compiler.names import Known
from planrunner.plan.models import PlanModel

__all__ = ["check_later"]

_KEYS: Final = ("monitors", "baseline")


def check_later(work: Compilation, model: PlanModel, known: Known) -> None:
    """Note each such part of the plan, and check the names in it."""
    for key in _KEYS:
        if getattr(model, key) is not None:
            work.not_available((key,), f"`{key}`")
    work.check_all(model.monitors, ("monitors",), known)

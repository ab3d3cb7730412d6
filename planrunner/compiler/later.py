"""What is right in a plan and can't run yet."""

from __future__ import annotations

from typing import Final

from planrunner.compiler.compilation import Compilation
from planrunner.plan.models import PlanModel

__all__ = ["check_later"]

_KEYS: Final = ("baseline",)


def check_later(work: Compilation, model: PlanModel) -> None:
    """Note each such part of the plan."""
    for key in _KEYS:
        if getattr(model, key) is not None:
            work.not_available((key,), f"`{key}`")

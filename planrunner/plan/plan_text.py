"""Whether some YAML is a plan."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["A_PLAN", "looks_like_plan"]

A_PLAN: Final = r"^(planrunner|users|phases|stages|profiles)[ \t]*:"
"""What distinguishes a plan from other YAML: one of these keys at the first level."""

_A_PLAN: Final = re.compile(A_PLAN, re.MULTILINE)


def looks_like_plan(text: str) -> bool:
    """Say whether a text has a key that only plans have."""
    return _A_PLAN.search(text) is not None

"""Functions that stand in a plan that is written in Python, where a file would have steps."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from planrunner.values import dataclass

__all__ = ["PlanFunction"]


@dataclass(frozen=True, slots=True)
class PlanFunction:
    """A coroutine function that takes the user.

    Attributes:
        name: What it is called.
        place: File and line: `shop.py:12`.
        source: Its text, as far as Python has it: other text is another plan.
    """

    call: Callable[[Any], Coroutine[Any, Any, object]]
    name: str
    place: str
    source: str = ""

"""The right-hand side of a threshold: an amount with its unit, kept as the plan wrote it."""

from __future__ import annotations

import re
from dataclasses import field

from planrunner.metrics.amounts import Unit
from planrunner.values import dataclass

__all__ = ["ThresholdValue"]


@dataclass(frozen=True, slots=True)
class ThresholdValue:
    """A limit.

    Attributes:
        amount: ns (duration), per second (rate), a fraction (percentage), bytes (size) or a plain
            number; of the baseline's value when `of_baseline`, as a fraction.
        text: As written, without `of baseline`.
        offset: Where it begins in the sentence.
    """

    unit: Unit
    amount: float
    text: str = field(compare=False)
    of_baseline: bool = False
    offset: int = field(default=0, compare=False)

    def __str__(self) -> str:
        return f"{self.text} of baseline" if self.of_baseline else self.text

    @property
    def shown(self) -> str:
        """The limit for people: `500 ms`, `1 %`, `110 % of baseline`."""
        spaced = re.sub(r"^([0-9.]+)([A-Za-z%]+)$", r"\1 \2", self.text)
        return f"{spaced} of baseline" if self.of_baseline else spaced

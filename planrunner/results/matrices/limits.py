"""The scalability that thresholds allow, for the lines that they judge."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from planrunner.results.matrices.tables import MatrixLine, MatrixTable
from planrunner.results.model import Judgement
from planrunner.values import dataclass

__all__ = ["ScalabilityLimit", "limits_of_line", "scalability_limits"]

_WORD: Final = r'("[^"]*"|\S+)'
_SENTENCE: Final = re.compile(
    rf"^scalability(?:\s+of\s+{_WORD})?(?:\s+in\s+phase\s+{_WORD})?\s+over\s+(\w+)\b"
)


@dataclass(frozen=True, slots=True)
class ScalabilityLimit:
    """How much more than in proportion the time of a request may grow.

    Attributes:
        request: Empty for any, and so `matrix`.
        matrix: The phase of the plan.
        axes: It is about these values only.
        over: What the size is.
        amount: 1 is linear.
        level: `warn` or `fail`.
    """

    request: str
    matrix: str
    axes: Mapping[str, str]
    over: str
    amount: float
    level: str


def scalability_limits(judgements: Iterable[Judgement]) -> list[ScalabilityLimit]:
    """Return the limits that thresholds have, in their order."""
    return [
        limit
        for one in judgements
        if one.limit_amount is not None and one.operator in ("<", "<=")
        for limit in _limits(one.threshold, one.limit_amount, one.level)
    ]


def limits_of_line(
    limits: Iterable[ScalabilityLimit], table: MatrixTable, line: MatrixLine
) -> list[ScalabilityLimit]:
    """Return the limits that a line of a matrix has."""
    return [
        limit
        for limit in limits
        if limit.over == table.over
        and limit.request in ("", line.request)
        and limit.matrix in ("", table.name)
        and all(line.axes.get(axis, value) == value for axis, value in limit.axes.items())
    ]


def _limits(threshold: str, amount: float, level: str) -> Iterator[ScalabilityLimit]:
    if found := _SENTENCE.search(threshold):
        request, phase = ((one or "").strip('"') for one in found.groups()[:2])
        matrix, bracket, values = phase.partition("[")
        pairs = values.rstrip("]").split(",") if bracket else []
        axes = dict(pair.strip().split("=", 1) for pair in pairs if "=" in pair)
        yield ScalabilityLimit(request, matrix, axes, found[3], amount, level)

"""The scalability that thresholds allow, for the lines that they judge."""

from __future__ import annotations

from collections.abc import Iterable

from planrunner.results.matrices.tables import MatrixLine, MatrixTable
from planrunner.results.model import Judgement

__all__ = ["limits_of_line"]


def limits_of_line(
    judgements: Iterable[Judgement], table: MatrixTable, line: MatrixLine
) -> list[float]:
    """Return how much more than in proportion the time of a line may grow, by each threshold.

    One that takes several requests together has no limit for any of them.
    """
    phases = {cell.phase for cell in line.cells if cell is not None}
    return [
        one.limit_amount
        for one in judgements
        if one.limit_amount is not None
        and one.operator in ("<", "<=")
        and (one.sizes.over, one.sizes.requests) == (table.over, (line.request,))
        and not phases.isdisjoint(one.sizes.phases)
    ]

"""Picks that depend on the last one: how often each thing is picked in the long run."""

from __future__ import annotations

from collections.abc import Sequence
from operator import mul
from typing import Final

__all__ = ["MOST_STATES", "long_run_shares"]

MOST_STATES: Final = 100
"""More are too many to compute with in a moment."""

_SQUARINGS: Final = 24

_Shares = Sequence[float]


def long_run_shares(first: Sequence[int], following: Sequence[Sequence[int]]) -> tuple[float, ...]:
    """Return the share of each thing among all picks that one user makes in the end.

    The limit of the mean of P^k from the first pick on, which exists for every chain: that of the
    lazy chain (1 + P) / 2, which has no period, by squaring it. From 100 things on it is the shares
    of the first pick.

    Args:
        first: The weights of the first pick.
        following: For each thing, the weights of the pick after it; all 0 for those of the first.
    """
    start = _shares(first)
    if len(first) > MOST_STATES:
        return tuple(start)
    rows = [_shares(weights) if any(weights) else start for weights in following]
    matrix: Sequence[_Shares] = [
        [(share + (row == column)) / 2 for column, share in enumerate(shares)]
        for row, shares in enumerate(rows)
    ]
    for _ in range(_SQUARINGS):
        matrix = _squared(matrix)
    return tuple(sum(map(mul, start, column)) for column in zip(*matrix, strict=True))


def _shares(weights: Sequence[int]) -> list[float]:
    whole = sum(weights)
    return [weight / whole for weight in weights]


def _squared(matrix: Sequence[_Shares]) -> list[_Shares]:
    columns = list(zip(*matrix, strict=True))
    rows = ([sum(map(mul, row, column)) for column in columns] for row in matrix)
    return [[share / whole for share in row] for row in rows if (whole := sum(row))]

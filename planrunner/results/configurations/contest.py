"""Which of several is the best in a figure: every pair is judged as two runs are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from math import exp
from statistics import NormalDist
from typing import Final

from planrunner.results.bootstrap import SHARES, Estimate
from planrunner.results.changes import ChangeOutcome, FigureChange
from planrunner.results.comparison import Estimates, judge, student, sureness
from planrunner.results.configurations.model import ConfigurationFigure

__all__ = ["best_of_all", "contests"]

_SURE_OF_ONE: Final = NormalDist().inv_cdf(0.975)
_FEWEST_LOOKS: Final = 10
"""With fewer, two could differ though their intervals of 95 % overlap: 1.96 times √2 is 2.77."""

_Pairs = Mapping[tuple[int, int], FigureChange]
"""How the second of two places differs from the first."""


def contests(
    found: Sequence[Mapping[str, Estimates]], *, tolerance: float
) -> tuple[ConfigurationFigure, ...]:
    """Return each figure of each request that all have, with those that lead in it.

    The differences of every pair in every figure hold together with 95 %. Of two that differ by
    that much the intervals of the single values, of 95 % each, never overlap.
    """
    names = [name for name in found[0] if all(name in one for one in found)]
    keys = [
        (name, figure)
        for name in names
        for figure in found[0][name]
        if all(figure in one[name] for one in found)
    ]
    looks = len(keys) * len(found) * (len(found) - 1) // 2
    sure = sureness(max(looks, _FEWEST_LOOKS))
    figures = []
    for name, figure in keys:
        each = [one[name][figure] for one in found]
        pairs = {
            (a, b): judge(name, figure, (each[a], each[b]), sure=sure, tolerance=tolerance)
            for a, b in combinations(range(len(each)), 2)
        }
        figures.append(_contest(name, figure, each, pairs))
    return tuple(figures)


def best_of_all(figures: Sequence[ConfigurationFigure], unbeaten: Iterable[int]) -> int | None:
    """Return which of the unbeaten beats each other one in a figure of all requests together."""
    for place in unbeaten:
        beaten = {other for one in figures if not one.request for other in one.worse[place]}
        if figures and len(beaten) == len(figures[0].values) - 1:
            return place
    return None


def _contest(
    request: str, figure: str, each: Sequence[Estimate], pairs: _Pairs
) -> ConfigurationFigure:
    worse: list[list[int]] = [[] for _ in each]
    for (first, second), change in pairs.items():
        if change.outcome is ChangeOutcome.BETTER:
            worse[second].append(first)
        elif change.outcome is ChangeOutcome.WORSE:
            worse[first].append(second)
    beaten = {place for places in worse for place in places}
    leading = [place for place in range(len(each)) if place not in beaten]
    if not any(map(_is_known, pairs.values())):
        leading = []
    best = next((place for place in leading if len(worse[place]) == len(each) - 1), None)
    among = [pairs[pair].outcome for pair in combinations(leading, 2)]
    intervals = [_interval(figure, one) for one in each]
    return ConfigurationFigure(
        request=request,
        figure=figure,
        values=tuple(one.value for one in each),
        low=tuple(low for low, _ in intervals),
        high=tuple(high for _, high in intervals),
        worse=tuple(map(tuple, worse)),
        leading=tuple(leading),
        best=best,
        is_same=bool(among) and set(among) == {ChangeOutcome.SAME},
    )


def _is_known(change: FigureChange) -> bool:
    return change.outcome is not ChangeOutcome.UNCLEAR or change.low < change.high


def _interval(figure: str, one: Estimate) -> tuple[float | None, float | None]:
    """Return where a value surely is by itself; on the scales on which pairs are judged."""
    if one.error < 0:
        return None, None
    reach = student(_SURE_OF_ONE, one.freedom) * one.error
    if figure in SHARES:
        return max(one.value - reach, 0.0), min(one.value + reach, 1.0)
    if one.value <= 0:
        return None, None
    factor = exp(min(reach / one.value, 50.0))
    return one.value / factor, one.value * factor

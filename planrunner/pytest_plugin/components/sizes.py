"""The sizes of a session: one, or several, which are cases of each component then."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from planrunner.metrics.thresholds.model import SizeLine
from planrunner.pytest_plugin.component import SIZES, Component
from planrunner.results.matrices.tables import CASE
from planrunner.results.record import AxisChoice, PhaseCombination, SizeValue

__all__ = ["ROWS", "combinations_of", "label_of", "lines_of", "sizes_of"]

ROWS = "rows"
"""What sizes differ in, as thresholds call it."""


def sizes_of(config: pytest.Config) -> tuple[str, ...]:
    """Return the sizes that the options ask for, the smallest first."""
    sizes: tuple[str, ...] | None = config.getoption("perf_size")
    return sizes or (next(iter(SIZES)),)


def label_of(config: pytest.Config) -> str:
    """Return the sizes of a session in words."""
    return " ".join(sizes_of(config))


def combinations_of(components: Sequence[Component]) -> tuple[PhaseCombination, ...]:
    """Return the components that have cases, as the phases of a matrix for each name."""
    return tuple(
        PhaseCombination(
            one.phase,
            one.name,
            (AxisChoice(CASE, one.size),),
            (SizeValue(ROWS, float(SIZES[one.size])),),
        )
        for name in dict.fromkeys(one.name for one in components)
        for size in SIZES
        for one in components
        if one.has_case and (one.name, one.size) == (name, size)
    )


def lines_of(components: Sequence[Component]) -> tuple[SizeLine, ...]:
    """Return those that were measured in two sizes or more, each with its sizes."""
    points: dict[str, list[tuple[float, tuple[str, ...]]]] = {}
    for one in combinations_of(components):
        points.setdefault(one.matrix, []).append((one.size(ROWS), (one.phase,)))
    return tuple(SizeLine(name, tuple(found)) for name, found in points.items() if found[1:])

"""Which phases and combinations a run has of those that some runs have together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from planrunner.results.model import RunResult

__all__ = ["picked_words"]

_MOST: Final = 3
"""Values that are named; of more, how many they are."""

_AxisValues = Mapping[tuple[str, str], dict[str, None]]
"""By matrix and axis, the values; without a matrix and an axis, the phases."""


def picked_words(runs: Sequence[RunResult]) -> list[str]:
    """Return of each run what it has where others have more: `case=small`; empty for all of it."""
    each = [_values(run) for run in runs]
    everything: dict[tuple[str, str], dict[str, None]] = {}
    for values in each:
        for key, found in values.items():
            everything.setdefault(key, {}).update(found)
    return [", ".join(_narrowed(values, everything)) for values in each]


def _values(run: RunResult) -> _AxisValues:
    found: dict[tuple[str, str], dict[str, None]] = {}
    combinations = {one.phase: one for one in run.combinations}
    for phase in dict.fromkeys(part.phase for part in run.measured):
        if (one := combinations.get(phase)) is None:
            found.setdefault(("", ""), {})[phase] = None
            continue
        found.setdefault(("", ""), {})[one.matrix] = None
        for choice in one.axes:
            found.setdefault((one.matrix, choice.axis), {})[choice.value] = None
    return found


def _narrowed(values: _AxisValues, everything: _AxisValues) -> Iterator[str]:
    told: set[str] = set()
    for key, found in values.items():
        if found.keys() != everything[key].keys():
            few = (
                "|".join(found)
                if len(found) <= _MOST
                else f"{len(found)} of {len(everything[key])}"
            )
            words = f"{key[1] or 'phase'}={few}"
            if words not in told:  # of matrices with the same cases once
                told.add(words)
                yield words

"""What a phase may write under `matrix:`, and the combinations that it stands for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product
from math import prod
from typing import Any, Final

from planrunner.language.diagnostics import Code
from planrunner.language.expressions.values import to_text
from planrunner.language.fields.mapping import Fault, value_of
from planrunner.language.fields.types import Count, RateField
from planrunner.units import format_count
from planrunner.values import dataclass

__all__ = [
    "CASE",
    "LEVEL_AXES",
    "MOST_COMBINATIONS",
    "Combination",
    "Matrix",
    "combinations",
    "level_axes",
    "matrix_faults",
    "read_level_axis",
    "with_levels",
]

CASE: Final = "case"
"""The axis whose values are names of `cases`."""

MOST_COMBINATIONS: Final = 200
"""Of one phase: each has a row in every table, and its own series."""

LEVEL_AXES: Final = ("users", "rate")
"""Axes that set the load of a phase, unless the phase writes it itself."""

_LEVELS: Final[Mapping[str, Any]] = {"users": Count, "rate": RateField}
# What already says how much load there is, or when it starts.
_BESIDE_LEVELS: Final[Mapping[str, frozenset[str]]] = {
    "users": frozenset({"rate", "stages", "search", "tool"}),
    "rate": frozenset({"users", "stages", "search", "tool", "iterations", "iterations_per_user"}),
}

Matrix = dict[str, list[Any]]


@dataclass(frozen=True, slots=True)
class Combination:
    """One value of each axis of a matrix.

    Attributes:
        number: From 0, in the order in which they run.
        values: By axis, as the plan has them.
        places: By axis, which of its values that is.
    """

    number: int
    values: Mapping[str, Any]
    places: Mapping[str, int]

    @property
    def axes(self) -> dict[str, str]:
        """Each axis with the text of its value."""
        return {axis: to_text(value) for axis, value in self.values.items()}

    def __str__(self) -> str:
        return f"[{','.join(f'{axis}={text}' for axis, text in self.axes.items())}]"


def combinations(matrix: Matrix) -> Iterator[Combination]:
    """Yield every combination; the last axis changes first."""
    places = product(*(range(len(values)) for values in matrix.values()))
    for number, chosen in enumerate(places):
        by_axis = dict(zip(matrix, chosen, strict=True))
        values = {axis: matrix[axis][place] for axis, place in by_axis.items()}
        yield Combination(number, values, by_axis)


def level_axes(phase: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the axes that set the load of a phase, which doesn't write it itself."""
    matrix = phase.get("matrix")
    if not isinstance(matrix, dict):
        return ()
    return tuple(axis for axis in LEVEL_AXES if axis in matrix and axis not in phase)


def read_level_axis(axis: str, value: object) -> Any:  # noqa: ANN401 - as the phase's own key has it
    """Return a value of `users` or `rate`.

    Raises:
        ValidationError: It isn't one.
    """
    return value_of(_LEVELS[axis], value)


def with_levels(phase: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a phase's data as one of its combinations has it, as far as keys go."""
    axes = level_axes(phase)
    return {**phase, **{axis: phase["matrix"][axis] for axis in axes}} if axes else phase


def matrix_faults(phase: Mapping[str, Any]) -> Iterator[Fault]:
    """Yield what is wrong with the matrix in a phase's data, values of params unchecked."""
    matrix = phase.get("matrix")
    if not isinstance(matrix, dict):
        return
    sizes = {axis: len(values) for axis, values in matrix.items() if isinstance(values, list)}
    if not matrix:
        hint = "write its axes: `matrix: {case: [small, large]}`"
        yield Fault(Code.MISSING_KEY, "the matrix has no axes", hint, "matrix")
    for axis, size in sizes.items():
        if not size:
            message, hint = f"`{axis}` has no values", "write those that it takes: `[…, …]`"
            yield Fault(Code.INVALID_VALUE, message, hint, str(axis), ("matrix",))
    if (count := prod(sizes.values())) > MOST_COMBINATIONS:
        message = (
            f"the matrix has {format_count(count, 'combination')}, and may have "
            f"{MOST_COMBINATIONS} at most"
        )
        hint = "leave out values, or give their parts phases of their own"
        yield Fault(Code.TOO_COMPLEX, message, hint, "matrix")
    if "start_at" in phase:
        message = "`start_at` can't be combined with `matrix`"
        hint = "the phases of a matrix run one after the other: leave it out"
        yield Fault(Code.CONFLICTING_KEYS, message, hint, "start_at")
    for axis in level_axes(phase):
        yield from _beside_level(axis, phase)


def _beside_level(axis: str, phase: Mapping[str, Any]) -> Iterator[Fault]:
    others = [key for key in (*phase, *phase["matrix"]) if key in _BESIDE_LEVELS[axis]]
    for other in others[:1]:
        message = f"`{axis}` of the matrix can't be combined with `{other}`"
        hint = f"the matrix sets the `{axis}` of each phase: leave out one of them"
        yield Fault(Code.CONFLICTING_KEYS, message, hint, axis, ("matrix",))

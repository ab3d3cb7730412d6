"""Which phases a name means: one, all of a matrix, or those with some values of its axes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from operator import eq
from typing import Final

from planrunner.late_pattern import late_pattern

__all__ = ["Combinations", "is_same_value", "meant_phases", "split_name"]

Combinations = Mapping[str, Mapping[str, Mapping[str, str]]]
"""By the name of a matrix its phases, each with its axes; a phase without matrix has none."""

# A comma within a value begins no axis.
_NEXT_AXIS: Final = late_pattern(r",(?=[A-Za-z_][A-Za-z0-9_]*=)")


def meant_phases(text: str, combinations: Combinations) -> tuple[str, ...]:
    """Return the phases that a name means; none for one that isn't known."""
    if text in combinations:
        return tuple(combinations[text])
    if any(text in phases for phases in combinations.values()):
        return (text,)
    base, wanted = split_name(text, combinations)
    for is_same in (eq, is_same_value):
        found = tuple(
            name
            for name, axes in combinations.get(base, {}).items()
            if wanted
            and axes
            and all(axis in axes and is_same(axes[axis], value) for axis, value in wanted)
        )
        if found:
            return found
    return ()


def is_same_value(one: str, other: str) -> bool:
    """Whether two texts are equal or one number, as `1000` and `1000.0` are."""
    try:
        return one == other or float(one) == float(other)
    except ValueError:
        return False


def split_name(text: str, bases: Iterable[str]) -> tuple[str, list[tuple[str, str]]]:
    """Return the name of the matrix, and the values that its axes shall have."""
    if not text.endswith("]"):
        return text, []
    known = [base for base in bases if text.startswith(f"{base}[")]
    base = max(known, key=len) if known else text.partition("[")[0]
    pairs = (pair.partition("=") for pair in _NEXT_AXIS.split(text[len(base) + 1 : -1]))
    return base, [(axis.strip(), value.strip()) for axis, _, value in pairs]

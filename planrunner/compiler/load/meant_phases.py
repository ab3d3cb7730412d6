"""The phases of a plan by name, and what is wrong with a name that means none of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field

from planrunner.compiler.load.named_phases import base_name, phase_names
from planrunner.compiler.load.unknown_choice import list_of
from planrunner.language.diagnostics import suggest
from planrunner.metrics.phase_names import is_same_value, meant_phases, split_name
from planrunner.plan.models.load.profiles import PlacedPhase
from planrunner.values import dataclass

__all__ = ["PhaseNames", "UnknownPhase"]


@dataclass(frozen=True, slots=True)
class UnknownPhase:
    """Why a name means no phase.

    Attributes:
        offset: Where the wrong word of the name begins, in characters, with its length.
    """

    message: str
    hint: str
    offset: int
    length: int


@dataclass(slots=True)
class PhaseNames:
    """The phases of a plan by the names that they have in results.

    Attributes:
        combinations: The axes of each phase by its name, by the name of the matrix; without a
            matrix the phase itself, which has no axes.
    """

    combinations: dict[str, dict[str, Mapping[str, str]]] = field(default_factory=dict)

    def add(self, places: Sequence[PlacedPhase]) -> None:
        """Take in the phases of a profile."""
        for place, name in zip(places, phase_names(places), strict=True):
            axes = {} if place.combination is None else place.combination.axes
            self.combinations.setdefault(base_name(place, name), {})[name] = axes

    @property
    def bases(self) -> tuple[str, ...]:
        """What people call them: those of a matrix have one name."""
        return tuple(self.combinations)

    def axes_of(self, phase: str) -> Mapping[str, str]:
        """Return the axes of a phase by its full name; none for one without matrix."""
        found = (phases[phase] for phases in self.combinations.values() if phase in phases)
        return next(found, {})

    def meant_by(self, text: str) -> tuple[str, ...]:
        """Return the phases that a name means; none for one that isn't known."""
        return meant_phases(text, self.combinations)

    def fault_of(self, text: str) -> UnknownPhase | None:
        """Return why a name means no phase; None where it means some."""
        if self.meant_by(text):
            return None
        base, wanted = split_name(text, self.combinations)
        known = self.combinations.get(base)
        if known is None or not wanted:
            hint = suggest(text, list(self.bases)) or list_of("phase", self.bases)
            return UnknownPhase(f"no phase is called `{text}`", hint, 0, len(text))
        values: dict[str, dict[str, None]] = {}
        for axes in known.values():
            for axis, value in axes.items():
                values.setdefault(axis, {})[value] = None
        if not values:
            message, hint = f"phase `{base}` has no matrix", f"write `{base}`"
            return UnknownPhase(message, hint, 0, len(text))
        return _wrong_pair(base, wanted, values) or UnknownPhase(
            "one phase can't have two values of an axis", "", 0, len(text)
        )


def _wrong_pair(
    base: str, wanted: Sequence[tuple[str, str]], values: Mapping[str, Mapping[str, None]]
) -> UnknownPhase | None:
    """Return what is wrong with the first axis or value that a matrix doesn't have."""
    offset = len(base) + 1
    for axis, value in wanted:
        if axis not in values:
            hint = suggest(axis, list(values)) or _listed("axes", values)
            message = f"the matrix of `{base}` has no axis `{axis}`"
            return UnknownPhase(message, hint, offset, max(1, len(axis)))
        if not any(is_same_value(one, value) for one in values[axis]):
            hint = suggest(value, list(values[axis])) or _listed("values", values[axis])
            message = f"`{axis}` of phase `{base}` is never `{value}`"
            return UnknownPhase(message, hint, offset + len(axis) + 1, max(1, len(value)))
        offset += len(axis) + len(value) + 2
    return None


def _listed(what: str, names: Iterable[str]) -> str:
    shown = [f"`{name}`" for name in names]
    more = " …" if len(shown) > 8 else ""
    return f"{what}: {', '.join(shown[:8])}{more}"

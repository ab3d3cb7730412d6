"""Profiles whose phases are those of others: `all: [{use: quick}, {use: stress}]`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final, TypeVar

from planrunner.plan.models.load.matrix import Combination, combinations
from planrunner.plan.models.load.workload import PhaseModel
from planrunner.plan.yaml.document import PlanPath
from planrunner.values import dataclass

__all__ = ["MOST_USED", "PlacedPhase", "in_combinations", "phases_in", "unfold", "unique_names"]

MOST_USED: Final = 1000
"""Entries that a profile may get from others: with `use`, each may list another many times."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class PlacedPhase:
    """A phase that runs.

    Attributes:
        path: Where the plan has it.
        via: The profile that runs, those that it uses on the way, and last the one that has the
            phase; none where the plan has no profiles.
        combination: Of its matrix; None where it has none.
    """

    path: PlanPath
    phase: PhaseModel
    via: tuple[str, ...] = ()
    combination: Combination | None = None

    @property
    def begins(self) -> bool:
        """Whether it is a phase of the plan, or the first that its matrix makes of one."""
        return self.combination is None or self.combination.number == 0


def in_combinations(places: Iterable[PlacedPhase]) -> list[PlacedPhase]:
    """Return the phases, each with a matrix once for each of its combinations."""
    found: list[PlacedPhase] = []
    for place in places:
        if place.phase.matrix is None:
            found.append(place)
        else:
            found += (replace(place, combination=one) for one in combinations(place.phase.matrix))
    return found


def phases_in(profiles: Mapping[str, Sequence[PhaseModel]], name: str) -> list[PlacedPhase]:
    """Return the phases of a profile, those of profiles that it uses in their place."""
    return [
        PlacedPhase(("profiles", via[-1], index), phase, via)
        for via, index, phase in unfold(profiles, name, lambda phase: phase.use)
    ]


def unique_names(wanted: Iterable[str]) -> list[str]:
    """Return the name of each phase: the one that it wants, with a number where that is taken."""
    names: dict[str, None] = {}
    numbers: dict[str, int] = {}
    for base in wanted:
        name = base
        while name in names:
            numbers[base] = numbers.get(base, 1) + 1
            name = f"{base}-{numbers[base]}"
        names[name] = None
    return list(names)


def unfold(
    profiles: Mapping[str, Sequence[T]], name: str, used_by: Callable[[T], str | None]
) -> Iterator[tuple[tuple[str, ...], int, T]]:
    """Yield what a profile lists, that of profiles it uses in their place.

    Any input gives an answer: a profile that uses itself or an unknown one gets nothing from it,
    and what is used ends after `MOST_USED` entries.

    Args:
        profiles: What each lists.
        name: The one that is unfolded.
        used_by: Gives the profile that an entry stands for; None for an entry of its own.

    Yields:
        The profiles on the way, the place in the list of the last one, and the entry.
    """
    count = 0
    first: tuple[str, ...] = (name,)
    stack = [(first, iter(enumerate(profiles.get(name, ()))))]
    while stack and count <= MOST_USED:
        via, entries = stack[-1]
        found = next(entries, None)
        if found is None:
            stack.pop()
            continue
        index, entry = found
        used = used_by(entry)
        count += used is not None or len(via) > 1
        if used is None:
            yield via, index, entry
        elif used in profiles and used not in via:
            stack.append(((*via, used), iter(enumerate(profiles[used]))))

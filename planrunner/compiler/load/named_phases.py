"""The phases that run, with the names that results and thresholds have for them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from planrunner.plan.models.load.profiles import PlacedPhase, unique_names
from planrunner.plan.models.load.workload import PhaseModel
from planrunner.plan.models.plan import PlanModel
from planrunner.values import dataclass

__all__ = ["NamedPhase", "base_name", "named_phases", "phase_names", "stage_names"]


@dataclass(frozen=True, slots=True)
class NamedPhase:
    """A phase that runs.

    Attributes:
        name: In this run.
        called: What it is called in the profile that runs, and in each that it comes from when
            that one runs alone.
    """

    place: PlacedPhase
    name: str
    called: Mapping[str, str]

    @property
    def base(self) -> str:
        """Its name without the combination of its matrix."""
        return base_name(self.place, self.name)

    @property
    def profile(self) -> str:
        """The profile that has it; empty where the plan has none."""
        return self.place.via[-1] if self.place.via else ""


def named_phases(model: PlanModel, profile: str, *, own: bool = False) -> list[NamedPhase]:
    """Return the phases of a profile, in their order; of a plan without profiles all.

    Args:
        model: The plan.
        profile: Empty for a plan without any.
        own: Leave out those that it only uses.
    """
    places = model.schedule(profile or None)
    named = list(zip(places, phase_names(places), strict=True))
    if own:
        named = [(place, name) for place, name in named if len(place.via) < 2]
    used = {inner for place, _ in named for inner in place.via[1:]}
    alone = {inner: phase_names(model.schedule(inner)) for inner in used}
    count: Counter[str] = Counter()

    def called(place: PlacedPhase, name: str) -> Iterator[tuple[str, str]]:
        yield profile, name
        for inner in place.via[1:]:  # each use of a profile brings all of its phases in order
            names = alone[inner]
            yield inner, names[count[inner] % len(names)]
            count[inner] += 1

    return [NamedPhase(place, name, dict(called(place, name))) for place, name in named]


def phase_names(places: Sequence[PlacedPhase]) -> list[str]:
    """Return the name of each phase: its own, or its profile's, or `main`; repeats get a number.

    Those of a matrix are called after their combinations: `ingestion[case=small,format=csv]`.
    """
    bases = iter(
        unique_names(
            place.phase.name or (place.via[-1] if place.via else "main")
            for place in places
            if place.begins
        )
    )
    base, names = "", []
    for place in places:
        base = next(bases) if place.begins else base
        names.append(f"{base}{place.combination or ''}")
    return names


def base_name(place: PlacedPhase, name: str) -> str:
    """Return the name of a phase without the combination of its matrix."""
    return name.removesuffix(str(place.combination or ""))


def stage_names(phase: PhaseModel) -> list[str]:
    """Return what the stages of a phase are called; those of a search have no names."""
    if phase.search is not None:
        return []
    if phase.stages is None:
        is_slow = phase.ramp_up is not None or phase.spawn_rate is not None
        return ["ramp", "hold"] if is_slow else ["hold"]
    return [stage.name or str(number) for number, stage in enumerate(phase.stages, 1)]

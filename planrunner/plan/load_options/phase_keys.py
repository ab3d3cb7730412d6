"""The phases that run, in a plan that hasn't been checked yet."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from planrunner.plan.models.load.counted_users import with_counted_users
from planrunner.plan.models.load.profiles import unfold, unique_names
from planrunner.plan.yaml.document import PlanPath
from planrunner.plan.yaml.edits import Edits
from planrunner.values import dataclass

__all__ = ["Constants", "PhaseKeys"]

Constants = Callable[[PlanPath], Mapping[str, object]]
"""Gives the values of params in the phase at a place."""


@dataclass(frozen=True, slots=True)
class PhaseKeys:
    """The phases of a plan that hasn't been checked yet.

    Attributes:
        profile: The profile that runs; None for the first.
        phases: The phases that run, by name; empty for all.
    """

    edits: Edits
    profile: str | None
    phases: tuple[str, ...]
    constants: Constants

    def names_at(self, path: PlanPath) -> list[str]:
        """Return what the entries of the list at `path` are called; none if it has no phases."""
        value = self.edits.document.value(path)
        is_phases = path == ("phases",) or (len(path) == 2 and path[0] == "profiles")
        if not is_phases or not isinstance(value, list):
            return []
        base = str(path[1]) if len(path) == 2 else "main"
        return unique_names(_used_by(item) or _wanted_name(item, base) for item in value)

    def running(self) -> Iterator[tuple[PlanPath, Mapping[str, Any]]]:
        """Yield the phases that run, each with its place; `stages:` of the plan is one too."""
        document = self.edits.document
        if document.has(("stages",)):
            yield (), {"stages": document.value(("stages",))}
            return
        places = self._places()
        names = unique_names(_wanted_name(document.value(path), base) for path, base in places)
        wanted = (path for (path, _), name in zip(places, names, strict=True) if self._runs(name))
        for path in dict.fromkeys(wanted):
            if isinstance(phase := document.value(path), dict):
                yield path, phase

    def users_of(self, path: PlanPath, phase: Mapping[str, Any]) -> object:
        """Return the users of a phase: its own, or those that all classes count themselves."""
        if "users" in phase:
            return phase["users"]
        data: Any = self.edits.document.data
        data = with_counted_users(data)
        for part in path:
            data = data[part]
        return data.get("users") if path else None

    def _runs(self, name: str) -> bool:
        # One may also name some combinations of its matrix.
        return not self.phases or any(
            wanted == name or wanted.startswith(f"{name}[") for wanted in self.phases
        )

    def _places(self) -> list[tuple[PlanPath, str]]:
        """Return the place of each phase of the profile, and the name of one without its own."""
        profiles = self.edits.document.value(("profiles",))
        if not isinstance(profiles, dict) or not profiles:
            phases = self.edits.document.value(("phases",))
            count = len(phases) if isinstance(phases, list) else 0
            return [(("phases", index), "main") for index in range(count)]
        lists = {name: found if isinstance(found, list) else [] for name, found in profiles.items()}
        chosen = next(iter(lists)) if self.profile not in lists else str(self.profile)
        return [
            (("profiles", via[-1], index), via[-1])
            for via, index, _ in unfold(lists, chosen, _used_by)
        ]


def _used_by(entry: object) -> str | None:
    used = entry.get("use") if isinstance(entry, dict) else None
    return used if isinstance(used, str) else None


def _wanted_name(phase: object, base: str) -> str:
    own = phase.get("name") if isinstance(phase, dict) else None
    return own if isinstance(own, str) else base

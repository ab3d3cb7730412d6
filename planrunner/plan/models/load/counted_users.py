"""The users of phases where all classes count their own: there is only one answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from planrunner.plan.models.load.matrix import level_axes
from planrunner.plan.models.load.workload import PHASE_KEYS, LoadKind

__all__ = ["with_counted_users"]

_MEAN_USERS: Final = frozenset(
    {"hold", "ramp_up", "spawn_rate", "iterations", "iterations_per_user"}
)


def with_counted_users(data: dict[Any, Any]) -> dict[Any, Any]:
    """Return a plan's data in which phases name the users that the classes count themselves.

    Where every class has its `count`, a phase needs no `users`: there is only one answer.
    """
    classes = data.get("users")
    if not isinstance(classes, dict) or not classes:
        return data
    counts = {
        name: model.get("count") if isinstance(model, dict) else None
        for name, model in classes.items()
    }
    if not all(_is_count(count) for count in counts.values()):
        return data

    def filled(phases: object) -> object:
        if not isinstance(phases, list):
            return phases
        return [_with_users(phase, counts) for phase in phases]

    data = {**data}
    if "phases" in data:
        data["phases"] = filled(data["phases"])
    if isinstance(profiles := data.get("profiles"), dict):
        data["profiles"] = {name: filled(phases) for name, phases in profiles.items()}
    return data


def _is_count(value: object) -> bool:
    if isinstance(value, str):
        return "${" in value
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def _with_users(phase: object, counts: Mapping[str, object]) -> object:
    if not isinstance(phase, dict) or _MEAN_USERS.isdisjoint(phase):
        return phase
    if not phase.keys() <= PHASE_KEYS[LoadKind.CLOSED] | PHASE_KEYS[LoadKind.COUNTED]:
        return phase  # another model, or a word of another tool for `users`
    if "users" in level_axes(phase):
        return phase
    return phase if {"users", "stages"} & phase.keys() else {**phase, "users": counts}

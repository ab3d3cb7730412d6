"""Names as a plan can have them: of tasks once in a class, of classes not too long for a key."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from planrunner.importers.draft import DraftPlan, DraftTask, all_steps
from planrunner.importers.shaping.requests import VERBS

__all__ = ["sound_names"]

_LONGEST: Final = 200


def sound_names(draft: DraftPlan) -> None:
    """Number the tasks of a class that have one name, take empty names away, and cut long ones."""
    for step in all_steps(draft):
        for keys in (step.body, *(v for k, v in step.body.items() if k.startswith("ws."))):
            if isinstance(keys, dict) and keys.get("name") == "":
                del keys["name"]
    _cut_names(draft)
    for one in draft.users:
        taken: set[str] = set()
        for task in one.tasks:
            name, number = _name(task), 1
            while name in taken:
                number += 1
                name = f"{_name(task)} {number}"
            if number > 1:
                task.name = name
            taken.add(name)


def _cut_names(draft: DraftPlan) -> None:
    """Cut names of classes that no key of YAML can have, and where phases name them."""
    cut: dict[str, str] = {}
    for number, one in enumerate(draft.users, 1):
        if len(one.name) > _LONGEST:
            cut[one.name] = one.name = f"{one.name[:_LONGEST].rstrip()} {number}"
    if cut:
        for phase in draft.phases:
            phase.keys = {key: _renamed(value, cut) for key, value in phase.keys.items()}
        for threshold in draft.thresholds:
            threshold.threshold = _renamed(threshold.threshold, cut)


def _renamed(value: object, names: Mapping[str, str]) -> object:
    if isinstance(value, dict):
        return {names.get(key, key): _renamed(below, names) for key, below in value.items()}
    if isinstance(value, list):
        return [_renamed(below, names) for below in value]
    return names.get(value, value) if isinstance(value, str) else value


def _name(task: DraftTask) -> str:
    """Return what a plan calls a task: its request, where it has no name of its own."""
    if task.name:
        return task.name
    body = task.steps[0].body
    verb = next((verb for verb in VERBS if verb in body), "")
    return str(body.get("name") or f"{verb.upper()} {body.get(verb, '')}")

"""Names that a plan has once: those of the tasks of a class."""

from __future__ import annotations

from planrunner.importers.draft import DraftPlan, DraftTask, all_steps
from planrunner.importers.shaping.requests import VERBS

__all__ = ["sound_names"]


def sound_names(draft: DraftPlan) -> None:
    """Number the tasks of a class that have one name, and take names away that are empty."""
    for step in all_steps(draft):
        for keys in (step.body, *(v for k, v in step.body.items() if k.startswith("ws."))):
            if isinstance(keys, dict) and keys.get("name") == "":
                del keys["name"]
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


def _name(task: DraftTask) -> str:
    """Return what a plan calls a task: its request, where it has no name of its own."""
    if task.name:
        return task.name
    body = task.steps[0].body
    verb = next((verb for verb in VERBS if verb in body), "")
    return str(body.get("name") or f"{verb.upper()} {body.get(verb, '')}")
